/** Cursor's database of 2 GB: the first scan, one with nothing changed, one more message; time, and bytes read. Linux. */

import { closeSync, constants, copyFileSync, cpSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cursorCorpusAt, databaseIn } from './corpus/cursor.ts';
import type { CursorCorpus } from './corpus/cursor.ts';
import { RunningCursor } from './cursor-running.ts';
import { listing } from './daemon-lines.ts';
import { captured, ended, readBytes, started, wait } from './daemon-process.ts';
import type { Figure } from './figure.ts';
import { duration, megabytes, median, quantile } from './figure.ts';
import { accountFigure } from './import.ts';
import type { Options } from './options.ts';
import type { WeighedRun } from './process.ts';
import { interleaved, runNode, sfs, weighNode } from './process.ts';
import { discard, environment, scratchFolder } from './scratch.ts';

const floorScript = fileURLToPath(new URL('cursor-floor.ts', import.meta.url));
/** Between two messages while much is said. */
const apartMs = 300;
/** Before one after a while of quiet: longer than the daemon keeps two searches of such a database apart. */
const quietMs = 12_000;
/** Left out at the beginning: the system still writes what was captured before. */
const warmUp = 1;
/** Of the same command bytes are weighed this often. */
const weighings = 3;

/** Measures scans of one database, by `sfs import` and by the daemon. */
export async function cursorFigures(options: Options): Promise<Figure[]> {
  const corpus = cursorCorpusAt(options.scale, options.progress);
  const scratch = scratchFolder('cursor');
  try {
    const config = join(scratch, 'config');
    options.progress(`cursor: copying ${megabytes(corpus.bytes)}`);
    copyOf(corpus, config);
    const path = databaseIn(config);
    const homes = { claude: join(scratch, 'claude'), codex: join(scratch, 'codex'), gemini: join(scratch, 'gemini') };
    const envOf = (store: string): Record<string, string> => ({
      ...environment(homes, join(scratch, store)),
      XDG_CONFIG_HOME: config,
    });
    const first = await firstFigures(corpus, path, envOf, options);
    const env = envOf('store-0');
    const again = await againFigures('nothing changed', env, options);
    const running = new RunningCursor(path);
    try {
      const more = await againFigures('one more message', env, options, () => running.say());
      const live = await liveFigures(running, env, join(scratch, 'store-0'), options);
      return [...first, ...again, ...more, ...live, accountFigure(join(scratch, 'store-0'))];
    } finally {
      running.close();
    }
  } finally {
    discard(scratch);
  }
}

/** A copy on the disk: the corpus stays as it is. */
function copyOf({ config, database }: CursorCorpus, to: string): void {
  cpSync(config, to, { recursive: true, filter: (source) => source !== database });
  mkdirSync(dirname(databaseIn(to)), { recursive: true });
  copyFileSync(database, databaseIn(to), constants.COPYFILE_FICLONE);
  const file = openSync(databaseIn(to), 'r+');
  fsyncSync(file);
  closeSync(file);
}

async function firstFigures(
  corpus: CursorCorpus,
  path: string,
  envOf: (store: string) => Record<string, string>,
  options: Options,
): Promise<Figure[]> {
  const rounds = options.rounds ?? 3;
  const floors: WeighedRun[] = [];
  const scans: WeighedRun[] = [];
  const floorRun = (): Promise<WeighedRun> => weighNode([floorScript, path], envOf('none'));
  await floorRun();
  for (let round = 0; round < rounds; round += 1) {
    options.progress(`cursor: first scan, round ${round + 1} of ${rounds}`);
    floors.push(await floorRun());
    scans.push(await weighNode([sfs, 'import'], envOf(`store-${round}`)));
    floors.push(await floorRun());
  }
  const [ms, floorMs] = [median(scans.map((run) => run.ms)), median(floors.map((run) => run.ms))];
  const [read, floorRead] = [median(scans.map((run) => run.readBytes)), median(floors.map((run) => run.readBytes))];
  const resident = Math.max(...scans.map((run) => run.residentBytes));
  const { bytes, chats, messages } = corpus;
  return [
    {
      name: `first scan of ${megabytes(bytes)}, ${chats} chats, ${messages} messages`,
      value: duration(ms),
      floor: duration(floorMs),
      against: `${(ms / floorMs).toFixed(2)} ×`,
      numbers: { bytes, chats, messages, ms, floorMs, ratio: ms / floorMs },
    },
    {
      name: '  bytes read',
      value: megabytes(read),
      floor: megabytes(floorRead),
      against: `${(read / floorRead).toFixed(2)} ×`,
      numbers: { read, floorRead },
    },
    {
      name: '  peak resident memory',
      value: megabytes(resident),
      goal: '≤ 300 MB',
      met: resident <= 300e6,
      numbers: { bytes: resident },
    },
  ];
}

/** `sfs import` of what was imported before; `happens` in front of each. */
async function againFigures(
  name: string,
  env: Readonly<Record<string, string>>,
  options: Options,
  happens: () => void = () => undefined,
): Promise<Figure[]> {
  options.progress(`cursor: ${name}`);
  const again = (): Promise<unknown> => runNode([sfs, 'import'], env);
  happens();
  await again();
  const times = await interleaved(options.rounds ?? 11, {
    node: () => runNode(['-e', '0'], env),
    scan: () => {
      happens();
      return runNode([sfs, 'import'], env);
    },
  });
  const [reads, floorReads]: [number[], number[]] = [[], []];
  for (let weighing = 0; weighing < weighings; weighing += 1) {
    happens();
    reads.push((await weighNode([sfs, 'import'], env)).readBytes);
    floorReads.push((await weighNode(['-e', '0'], env)).readBytes);
  }
  const [ms, floorMs, read, floorRead] = [times.scan, times.node, reads, floorReads].map(median) as [
    number,
    number,
    number,
    number,
  ];
  return [
    {
      name: `${name}: sfs import`,
      value: `${duration(ms)} (p95 ${duration(quantile(times.scan, 0.95))})`,
      floor: `node -e 0: ${duration(floorMs)}`,
      against: `+ ${duration(ms - floorMs)}`,
      numbers: { ms, p95Ms: quantile(times.scan, 0.95), floorMs, differenceMs: ms - floorMs },
    },
    {
      name: '  bytes read',
      value: megabytes(read),
      floor: megabytes(floorRead),
      against: `+ ${megabytes(read - floorRead)}`,
      numbers: { read, floorRead },
    },
  ];
}

/** With the daemon running: from the commit of a message until the list counts it; after a while of quiet, and one after another. */
async function liveFigures(
  running: RunningCursor,
  env: Readonly<Record<string, string>>,
  store: string,
  options: Options,
): Promise<Figure[]> {
  const daemon = await started(env, store);
  const list = listing(store);
  /** Milliseconds until the list counts so many messages. */
  const counted = async (count: number, since: number): Promise<number> => {
    while (list.count(running.chat) < count) {
      if (performance.now() - since > 60_000) throw new Error('a message of Cursor was not captured in a minute');
      await wait(1);
    }
    return performance.now() - since;
  };
  try {
    await captured(store, 600_000);
    const rounds = options.rounds ?? 6;
    options.progress(`cursor: ${rounds} messages while the daemon runs`);
    let count = list.count(running.chat);
    const quiet: number[] = [];
    let [before, row] = [0, 0];
    for (let round = -warmUp; round < rounds; round += 1) {
      await wait(Math.min(1, options.scale) * quietMs + 1000);
      if (round === 0) {
        before = readBytes(daemon.pid);
        quiet.length = 0;
      }
      row = running.say();
      quiet.push(await counted((count += 1), performance.now()));
    }
    const read = (readBytes(daemon.pid) - before) / rounds;
    const many = rounds * 4;
    options.progress(`cursor: ${many} messages, one after another`);
    const waits: Promise<number>[] = [];
    before = readBytes(daemon.pid);
    for (let said = 0; said < many; said += 1) {
      running.say();
      waits.push(counted((count += 1), performance.now()));
      await wait(apartMs);
    }
    const busy = await Promise.all(waits);
    const busyRead = (readBytes(daemon.pid) - before) / many;
    return [
      latencyFigure('one more message → in the list, daemon running', quiet),
      { name: `  bytes read for a row of ${row}`, value: megabytes(read), numbers: { read, row } },
      latencyFigure(`the same, ${many} of them ${apartMs} ms apart`, busy),
      { name: '  bytes read for each', value: megabytes(busyRead), numbers: { read: busyRead } },
    ];
  } finally {
    list.close();
    await ended(daemon);
  }
}

function latencyFigure(name: string, times: readonly number[]): Figure {
  const [p50, p99] = [median(times), quantile(times, 0.99)];
  return { name, value: `p50 ${duration(p50)}, p99 ${duration(p99)}`, numbers: { p50Ms: p50, p99Ms: p99 } };
}
