/** The daemon: how soon an appended line is in the list, and what it reads for it, however large the session is. Linux. */

import { appendFileSync, closeSync, copyFileSync, mkdirSync, openSync, readSync, statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { corpusAt } from './corpus.ts';
import { listing, promptLine } from './daemon-lines.ts';
import { captured, ended, readBytes, started, wait } from './daemon-process.ts';
import type { Figure } from './figure.ts';
import { duration, megabytes, median, quantile } from './figure.ts';
import type { Options } from './options.ts';
import { discard, environment, scratchFolder } from './scratch.ts';

/** Between two appends: longer than the daemon keeps two captures of one file apart. */
const apartMs = 300;
/** Left out at the beginning: the system still writes what was captured before. */
const warmUp = 5;

/** Measures appends at three sizes of the file. */
export async function appendFigures(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const bytes of [1e6, 100e6, 1e9]) figures.push(...(await figuresAt(bytes * options.scale, options)));
  return figures;
}

async function figuresAt(bytes: number, options: Options): Promise<Figure[]> {
  const name = megabytes(bytes);
  const corpus = corpusAt(
    {
      seed: 'append',
      sessions: 1,
      bytes: Math.round(bytes),
      spread: 0,
      brief: false,
      shares: { 'claude-code': 1, codex: 0, 'gemini-cli': 0 },
    },
    options.progress,
  );
  // The session's own file, not those of its sub-agents.
  const original = corpus.byTool['claude-code'].files.reduce((a, b) => (statSync(b).size > statSync(a).size ? b : a));
  const scratch = scratchFolder('daemon');
  const homes = { claude: join(scratch, 'claude'), codex: join(scratch, 'codex'), gemini: join(scratch, 'gemini') };
  const path = join(homes.claude, 'projects', basename(dirname(original)), basename(original));
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(original, path);
  const store = join(scratch, 'store');
  options.progress(`daemon: capturing a session of ${name}`);
  const daemon = await started(environment(homes, store), store);
  const floor = watchAndRead(path);
  try {
    await captured(store, 600_000);
    const list = listing(store);
    const sessionId = basename(path, '.jsonl');
    const rounds = options.rounds ?? 100;
    options.progress(`daemon: ${rounds} appends to ${name}`);
    const times: number[] = [];
    const floors: number[] = [];
    let [appended, before] = [0, 0];
    for (let round = -warmUp; round < rounds; round += 1) {
      await wait(apartMs);
      if (round === 0) {
        before = readBytes(daemon.pid);
        for (const measured of [times, floors]) measured.length = 0;
        appended = 0;
      }
      const text = promptLine(sessionId, round + warmUp);
      const count = list.count(sessionId);
      const since = performance.now();
      appendFileSync(path, text);
      while (list.count(sessionId) === count) {
        if (performance.now() - since > 30_000) throw new Error(`an append to ${name} was not captured in 30 s`);
        await wait(1);
      }
      times.push(performance.now() - since);
      floors.push(floor.lastMs() - since);
      appended += text.length;
    }
    const read = (readBytes(daemon.pid) - before) / rounds;
    const line = appended / rounds;
    const [p50, p99] = [median(times), quantile(times, 0.99)];
    const [floorP50, floorP99] = [median(floors), quantile(floors, 0.99)];
    list.close();
    return [
      {
        name: `append to ${name} → in the list`,
        value: `p50 ${duration(p50)}, p99 ${duration(p99)}`,
        floor: `told and read: p50 ${duration(floorP50)}, p99 ${duration(floorP99)}`,
        against: `+ ${duration(p50 - floorP50)}`,
        goal: 'p50 ≤ 20 ms, p99 ≤ 1 s',
        met: p50 <= 20 && p99 <= 1000,
        numbers: { bytes, p50Ms: p50, p99Ms: p99, floorP50Ms: floorP50, floorP99Ms: floorP99 },
      },
      {
        name: `  bytes read for a line of ${Math.round(line)}`,
        value: `${Math.round(read / 1000)} KB`,
        goal: '≤ line + 64 KiB',
        met: read <= line + 65_536,
        numbers: { read, line },
      },
    ];
  } finally {
    floor.close();
    await ended(daemon);
    discard(scratch);
  }
}

/** The floor: being told of a change by the system, and reading what was appended. */
function watchAndRead(path: string): { lastMs(): number; close(): void } {
  let offset = statSync(path).size;
  let lastMs = 0;
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(64 << 10);
  const watcher = watch(dirname(path), () => {
    const read = readSync(file, buffer, 0, buffer.length, offset);
    if (read === 0) return;
    offset += read;
    lastMs = performance.now();
  });
  return {
    lastMs: () => lastMs,
    close: () => {
      watcher.close();
      closeSync(file);
    },
  };
}
