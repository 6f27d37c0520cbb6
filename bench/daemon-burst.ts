/** The daemon while much is said: a thousand lines a second in fifty sessions. Linux. */

import { appendFileSync, cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { corpusAt } from './corpus.ts';
import { listing, promptLine } from './daemon-lines.ts';
import { captured, ended, processorMs, residentBytes, started, wait } from './daemon-process.ts';
import type { Figure } from './figure.ts';
import { duration, megabytes, median, quantile } from './figure.ts';
import type { Options } from './options.ts';
import { discard, environment, scratchFolder } from './scratch.ts';

const linesPerSecond = 1000;
const sessions = 50;
/** Memory may be this much higher in the last third than in the first. */
const flatShare = 1.1;

/** Measures a minute of it: what was missed, how late it came, what it took. */
export async function burstFigures(options: Options): Promise<Figure[]> {
  const seconds = Math.max(6, Math.round(60 * Math.min(1, options.scale)));
  const corpus = corpusAt(
    {
      seed: 'burst',
      sessions,
      bytes: sessions * 100e3,
      spread: 0,
      brief: false,
      shares: { 'claude-code': 1, codex: 0, 'gemini-cli': 0 },
    },
    options.progress,
  );
  const scratch = scratchFolder('daemon');
  const homes = { claude: join(scratch, 'claude'), codex: join(scratch, 'codex'), gemini: join(scratch, 'gemini') };
  cpSync(corpus.homes.claude, homes.claude, { recursive: true });
  const paths = corpus.byTool['claude-code'].files
    .filter((file) => /\/projects\/[^/]+\/[^/]+\.jsonl$/.test(file))
    .map((file) => file.replace(corpus.homes.claude, homes.claude));
  const store = join(scratch, 'store');
  const daemon = await started(environment(homes, store), store);
  try {
    await captured(store, 120_000);
    options.progress(`daemon: ${linesPerSecond} appends a second in ${paths.length} sessions for ${seconds} s`);
    const list = listing(store);
    const ids = paths.map((path) => basename(path, '.jsonl'));
    const counts = ids.map((id) => list.count(id));
    const appended = ids.map(() => 0);
    const memory: number[] = [];
    const lags: number[] = [];
    const processorBefore = processorMs(daemon.pid);
    const since = performance.now();
    let told = 0;
    // One append at a time is timed, in each session in turn.
    let timed: { readonly session: number; readonly count: number; readonly atMs: number } | undefined;
    for (;;) {
      const elapsedMs = performance.now() - since;
      if (elapsedMs >= seconds * 1000) break;
      for (; told < Math.min(elapsedMs / 1000, seconds) * linesPerSecond; told += 1) {
        const at = told % paths.length;
        appendFileSync(paths[at] ?? '', promptLine(ids[at] ?? '', appended[at] ?? 0));
        appended[at] = (appended[at] ?? 0) + 1;
        timed ??= { session: at, count: (counts[at] ?? 0) + (appended[at] ?? 0), atMs: performance.now() };
      }
      if (timed !== undefined && list.count(ids[timed.session] ?? '') >= timed.count) {
        lags.push(performance.now() - timed.atMs);
        timed = undefined;
      }
      if (memory.length < elapsedMs / 1000) memory.push(residentBytes(daemon.pid, 'VmRSS'));
      await wait(5);
    }
    const processor = (processorMs(daemon.pid) - processorBefore) / (performance.now() - since);
    const lastMs = performance.now();
    const missing = (): number =>
      ids.reduce((sum, id, at) => sum + Math.abs((counts[at] ?? 0) + (appended[at] ?? 0) - list.count(id)), 0);
    while (missing() > 0 && performance.now() - lastMs < 30_000) await wait(5);
    const catchUpMs = performance.now() - lastMs;
    const missed = missing();
    list.close();
    const third = Math.ceil(memory.length / 3);
    const [early, late] = [Math.max(...memory.slice(0, third)), Math.max(...memory.slice(-third))];
    const peak = residentBytes(daemon.pid, 'VmHWM');
    return [
      {
        name: `${linesPerSecond} appends a second in ${paths.length} sessions, ${seconds} s: missed`,
        value: `${missed} of ${told}`,
        goal: '0',
        met: missed === 0 && told >= seconds * linesPerSecond * 0.99,
        numbers: { missed, told, seconds },
      },
      {
        name: '  append → in the list meanwhile',
        value: `p50 ${duration(median(lags))}, p99 ${duration(quantile(lags, 0.99))}; the last ${duration(catchUpMs)}`,
        goal: 'p99 ≤ 1 s',
        met: quantile(lags, 0.99) <= 1000,
        numbers: { p50Ms: median(lags), p99Ms: quantile(lags, 0.99), catchUpMs },
      },
      {
        name: '  resident, first and last third',
        value: `${megabytes(early)}, ${megabytes(late)} (highest ${megabytes(peak)})`,
        goal: 'flat',
        met: late <= early * flatShare,
        numbers: { earlyBytes: early, lateBytes: late, peakBytes: peak },
      },
      {
        name: '  processor time',
        value: `${(processor * 100).toFixed(0)} % of a core`,
        numbers: { processor },
      },
    ];
  } finally {
    await ended(daemon);
    discard(scratch);
  }
}
