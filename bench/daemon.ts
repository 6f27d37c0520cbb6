/** The daemon: how soon an appended line is in the list and what it reads for it, what it costs when nothing happens. Linux. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { DaemonStatus } from '../src/daemon/status.ts';
import { corpusAt } from './corpus.ts';
import type { Figure } from './figure.ts';
import { duration, megabytes, median, quantile } from './figure.ts';
import type { Options } from './options.ts';
import { discard, environment, scratchFolder } from './scratch.ts';
import { largeStore } from './start.ts';

const sfsd = fileURLToPath(new URL('../bin/sfsd.cjs', import.meta.url));

/** Between two appends: longer than the daemon keeps two captures of one file apart. */
const apartMs = 300;

/** Measures appends at three sizes of the file, and the daemon at rest. */
export async function daemonFigures(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const bytes of [1e6, 100e6, 1e9]) figures.push(...(await appendFigures(bytes * options.scale, options)));
  return [...figures, ...(await restFigures(options))];
}

async function appendFigures(bytes: number, options: Options): Promise<Figure[]> {
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
  try {
    await captured(store, 600_000);
    const index = new DatabaseSync(join(store, 'index.db'), { readOnly: true });
    const query = index.prepare('select message_count as count from sessions');
    const listed = (): number => Number(query.get()?.['count'] ?? 0);
    const times: number[] = [];
    let appended = 0;
    const rounds = options.rounds ?? 100;
    options.progress(`daemon: ${rounds} appends to ${name}`);
    const before = readBytes(daemon.pid);
    for (let round = 0; round < rounds; round += 1) {
      await wait(apartMs);
      const text = nextLine(basename(path, '.jsonl'), round);
      const count = listed();
      const since = performance.now();
      appendFileSync(path, text);
      while (listed() === count) {
        if (performance.now() - since > 30_000) throw new Error(`an append to ${name} was not captured in 30 s`);
        await wait(1);
      }
      times.push(performance.now() - since);
      appended += text.length;
    }
    const read = (readBytes(daemon.pid) - before) / rounds;
    const line = appended / rounds;
    const [p50, p99] = [median(times), quantile(times, 0.99)];
    index.close();
    return [
      {
        name: `append to ${name} → in the list`,
        value: `p50 ${duration(p50)}, p99 ${duration(p99)}`,
        goal: 'p50 ≤ 20 ms, p99 ≤ 1 s',
        met: p50 <= 20 && p99 <= 1000,
        numbers: { bytes, p50Ms: p50, p99Ms: p99 },
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
    await ended(daemon);
    discard(scratch);
  }
}

/** What a person says next. */
function nextLine(sessionId: string, round: number): string {
  const uuid = `${String(round).padStart(8, '0')}-0000-4000-8000-000000000000`;
  const parent = round === 0 ? null : `${String(round - 1).padStart(8, '0')}-0000-4000-8000-000000000000`;
  return `${JSON.stringify({
    parentUuid: parent,
    isSidechain: false,
    userType: 'external',
    cwd: '/home/me/work',
    sessionId,
    version: '2.1.330',
    type: 'user',
    message: { role: 'user', content: `Go on with number ${round}.` },
    uuid,
    timestamp: new Date().toISOString(),
  })}\n`;
}

async function restFigures(options: Options): Promise<Figure[]> {
  const { corpus, store } = await largeStore(Math.max(20, Math.round(50_000 * options.scale)), options.progress);
  options.progress(`daemon: at rest with ${corpus.sessions} sessions`);
  const idleSeconds = Math.max(20, Math.round(120 * Math.min(1, options.scale)));
  const since = performance.now();
  const daemon = await started(environment(corpus.homes, store), store);
  try {
    const watchingMs = performance.now() - since;
    const search = await captured(store, 120_000);
    const searchMs = performance.now() - since - watchingMs;
    await wait(3000);
    const first = processorMs(daemon.pid);
    await wait(idleSeconds * 1000);
    const share = (processorMs(daemon.pid) - first) / (idleSeconds * 1000);
    const resident = residentBytes(daemon.pid, 'VmRSS');
    const peak = residentBytes(daemon.pid, 'VmHWM');
    const folders = search.tools.reduce((sum, tool) => sum + tool.watched, 0);
    return [
      {
        name: `start → watching ${corpus.sessions} sessions in ${folders} folders`,
        value: duration(watchingMs),
        numbers: { ms: watchingMs, folders },
      },
      {
        name: '  the first search after it',
        value: duration(searchMs),
        numbers: { ms: searchMs, processorMs: first },
      },
      {
        name: `at rest for ${idleSeconds} s, cheap looks included`,
        value: `${(share * 100).toFixed(3)} % of a core`,
        goal: '≤ 0.1 %',
        met: share <= 0.001,
        numbers: { share },
      },
      {
        name: '  resident',
        value: `${megabytes(resident)} (highest ${megabytes(peak)})`,
        goal: '≤ 100 MB',
        met: resident <= 100e6,
        numbers: { bytes: resident, peakBytes: peak },
      },
    ];
  } finally {
    await ended(daemon);
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
}

async function started(env: Readonly<Record<string, string>>, store: string): Promise<Running> {
  const child = spawn(process.execPath, [sfsd], { env: { ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
  const pid = child.pid ?? 0;
  while (statusIn(store)?.pid !== pid || statusIn(store)?.state !== 'watching') {
    if (child.exitCode !== null) throw new Error(`sfsd ended with ${child.exitCode}`);
    await wait(2);
  }
  return { child, pid };
}

async function ended({ child }: Running): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** Waits until the first search and all it found is done. */
async function captured(store: string, withinMs: number): Promise<DaemonStatus> {
  for (const until = performance.now() + withinMs; performance.now() < until; await wait(20)) {
    const status = statusIn(store);
    if (status?.state === 'watching' && status.last_search_at !== null && status.pending === 0) return status;
  }
  throw new Error(`the daemon had not captured everything within ${withinMs} ms`);
}

function statusIn(store: string): DaemonStatus | undefined {
  const path = join(store, 'daemon.json');
  // The file is only ever replaced whole.
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as DaemonStatus) : undefined;
}

/** Bytes that a process has read of files, cached or not. */
function readBytes(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** Processor time of a process, in steps of 10 ms. */
function processorMs(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
