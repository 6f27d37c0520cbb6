/** Importing a crowd of sessions: speed and memory against the floor, the first listing, the second import, the weight. */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Corpus } from './corpus.ts';
import { corpusAt, usualCorpus } from './corpus.ts';
import type { Figure } from './figure.ts';
import { duration, median, megabytes } from './figure.ts';
import type { Options } from './options.ts';
import type { WeighedRun } from './process.ts';
import { runNode, sfs, weighNode } from './process.ts';
import { discard, environment, scratchFolder } from './scratch.ts';
import { weightFigures } from './weight.ts';

const floorScript = fileURLToPath(new URL('floor.ts', import.meta.url));

/** Measures all about imports. */
export async function importFigures(options: Options): Promise<Figure[]> {
  const corpus = corpusAt(usualCorpus(options.scale), options.progress);
  const scratch = scratchFolder('import');
  try {
    const rounds = options.rounds ?? 3;
    const files = Object.values(corpus.byTool).flatMap((share) => share.files);
    const floors: number[] = [];
    const imports: WeighedRun[] = [];
    const seconds: number[] = [];
    await floorOf(files);
    for (let round = 0; round < rounds; round += 1) {
      options.progress(`import: round ${round + 1} of ${rounds}`);
      // Stores stay until the end: file systems are slow to give out inodes that were freed a moment ago.
      const env = environment(corpus.homes, join(scratch, `store-${round}`));
      floors.push(await floorOf(files));
      imports.push(await weighNode([sfs, 'import'], env));
      floors.push(await floorOf(files));
      seconds.push((await runNode([sfs, 'import'], env)).ms);
    }
    const store = join(scratch, 'store-0');
    return [
      ...speedFigures(corpus, floors, imports),
      ...(await toolFigures(corpus, scratch, options)),
      await firstListing(corpus, join(scratch, 'watched')),
      againFigure(corpus, seconds),
      ...weightFigures(store, corpus.bytes),
      accountFigure(store),
    ];
  } finally {
    discard(scratch);
  }
}

/** Milliseconds to read the files and parse their lines. */
export async function floorOf(files: readonly string[]): Promise<number> {
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [floorScript], { stdio: ['pipe', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`the floor ended with ${status}`))));
    child.stdin.end(files.join('\n'));
  });
  return performance.now() - started;
}

/** Each tool by itself, once: which adapter is the slow one. */
async function toolFigures(corpus: Corpus, scratch: string, options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [tool, share] of Object.entries(corpus.byTool)) {
    if (share.sessions === 0) continue;
    options.progress(`import: ${tool} alone`);
    const floorMs = await floorOf(share.files);
    const { ms } = await runNode([sfs, 'import', '--from', tool], environment(corpus.homes, join(scratch, tool)));
    figures.push({
      name: `  ${tool}, ${share.sessions} sessions of ${megabytes(share.bytes)}`,
      value: `${speed(share.bytes, ms)} (${duration(ms)})`,
      floor: `${speed(share.bytes, floorMs)} (${duration(floorMs)})`,
      against: `${(ms / floorMs).toFixed(2)} ×`,
      numbers: { bytes: share.bytes, sessions: share.sessions, ms, floorMs, ratio: ms / floorMs },
    });
  }
  return figures;
}

function speed(bytes: number, ms: number): string {
  return `${(bytes / 1e3 / ms).toFixed(0)} MB/s`;
}

function speedFigures(corpus: Corpus, floors: readonly number[], imports: readonly WeighedRun[]): Figure[] {
  const [floorMs, ms] = [median(floors), median(imports.map((run) => run.ms))];
  const ratio = ms / floorMs;
  const resident = Math.max(...imports.map((run) => run.residentBytes));
  const cpu = median(imports.map((run) => run.userMs + run.systemMs));
  return [
    {
      name: `cold import, ${corpus.sessions} sessions of ${megabytes(corpus.bytes)}`,
      value: `${speed(corpus.bytes, ms)} (${duration(ms)})`,
      floor: `${speed(corpus.bytes, floorMs)} (${duration(floorMs)})`,
      against: `${ratio.toFixed(2)} ×`,
      goal: '≤ 4 ×',
      met: ratio <= 4,
      numbers: { bytes: corpus.bytes, sessions: corpus.sessions, ms, floorMs, ratio },
    },
    {
      name: 'processor time of it, all threads',
      value: duration(cpu),
      against: `${(cpu / floorMs).toFixed(2)} ×`,
      numbers: { ms: cpu },
    },
    {
      name: 'peak resident memory of it',
      value: megabytes(resident),
      goal: '≤ 300 MB',
      met: resident <= 300e6,
      numbers: { bytes: resident },
    },
  ];
}

/** Starts an import and looks when the index has a row; then asks `sfs list` itself. */
async function firstListing(corpus: Corpus, store: string): Promise<Figure> {
  const env = environment(corpus.homes, store);
  const started = performance.now();
  const child = spawn(process.execPath, [sfs, 'import'], { env, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  while (child.exitCode === null && rowsIn(join(store, 'index.db')) === 0)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const rowMs = performance.now() - started;
  const listed = JSON.parse((await runNode([sfs, 'list', '--json', '--limit', '50'], env)).stdout) as unknown[];
  const ms = performance.now() - started;
  await ended;
  return {
    name: 'time until `sfs list` shows sessions',
    value: `${duration(ms)} (${listed.length} rows)`,
    goal: '≤ 2 s',
    met: ms <= 2000 && listed.length > 0,
    numbers: { ms, firstRowMs: rowMs, rows: listed.length },
  };
}

function rowsIn(index: string): number {
  if (!existsSync(index)) return 0;
  try {
    const database = new DatabaseSync(index, { readOnly: true });
    try {
      return Number(database.prepare('select count(*) as n from sessions').get()?.['n'] ?? 0);
    } finally {
      database.close();
    }
  } catch {
    // Being made just now.
    return 0;
  }
}

function againFigure(corpus: Corpus, times: readonly number[]): Figure {
  const ms = median(times);
  return {
    name: 'second import, nothing changed',
    value: `${duration(ms)} (${((ms * 1000) / corpus.sessions).toFixed(0)} µs a session)`,
    numbers: { ms },
  };
}

/** Every record of the corpus must be one the adapters know. */
export function accountFigure(store: string): Figure {
  const records: Record<string, number> = {};
  const database = new DatabaseSync(join(store, 'index.db'), { readOnly: true });
  const ids = database.prepare('select session_id from sessions').all();
  database.close();
  for (const { session_id: id } of ids) {
    const commit = JSON.parse(
      readFileSync(join(store, 'sessions', `${String(id)}.sfs`, 'meta', 'commit.json'), 'utf8'),
    ) as {
      records: Record<string, number>;
    };
    for (const [what, count] of Object.entries(commit.records)) records[what] = (records[what] ?? 0) + count;
  }
  const lost = (records['unknown'] ?? 0) + (records['malformed'] ?? 0);
  const total = Object.values(records).reduce((sum, count) => sum + count, 0);
  return {
    name: 'records unknown or malformed',
    value: `${lost} of ${total.toLocaleString('en-US')}`,
    goal: '0',
    met: lost === 0,
    numbers: records,
  };
}
