/**
 * Damaged bytes through each reader, by the way capture takes: cut into lines, parsed, decoded. Nothing throws or hangs, each
 * line is accounted for, the state and the memory stay small.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../../bench/corpus/random.ts';
import type { Adapter, SourceFile } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import { decodeDocument, decodeLine, isWholeRecord, opaqueOf, settle } from '../../src/capture/decode-line.ts';
import type { Counts, Opaque } from '../../src/capture/decode-line.ts';
import { linesOf } from '../../src/io/lines.ts';
import { systemMachine } from '../../src/io/system.ts';
import { Run } from '../support/run.ts';
import { decodedBytes, fixturesOf, recordingsOf } from '../support/scratch.ts';
import { schemas } from '../support/schemas.ts';
import { damaged } from './damage.ts';

/**
 * The same inputs at every run. `SFS_SEED=7 SFS_RUNS=1000000`: so many inputs, in files of {@link inputsPerFile} that are
 * made of the seeds 7, 8, …; the seed that a failure names, with `SFS_RUNS=1`, makes that file again.
 */
const firstSeed = Number(process.env['SFS_SEED'] ?? 1);
const inputs = Number(process.env['SFS_RUNS'] ?? 20_000);
const inputsPerFile = 500;

const stateLimitBytes = 64 * 1024;
/** Whatever the input, in milliseconds of this thread; the collector has its part in them. */
const longestMs = 2000;
/** Longest line that is damaged; a recording's largest outputs are only put in now and then. */
const lineLimitBytes = 16_000;
/** What the heap may grow by from the first tenth of the run to its end. */
const heapLimitBytes = 16 << 20;

/** A file of a recording. */
interface Recorded {
  readonly nativeId: string;
  readonly file: SourceFile;
  readonly lines: readonly Buffer[];
}

const machine = systemMachine({ env: {}, homeDir: '/nowhere' });

for (const adapter of adapters) {
  test(`${adapter.name}: damaged bytes are counted, and never more than that`, (t) => {
    const files = recordedFiles(adapter);
    const others = adapters
      .flatMap((one) =>
        recordedFiles(one)
          .filter(isLog)
          .flatMap(({ lines }) => lines),
      )
      .filter(isShort);
    const opaque = opaqueOf(adapter);
    const found = { lines: 0, slowestMs: 0, records: new Map<string, number>() };
    const fileCount = Math.max(1, Math.ceil(inputs / inputsPerFile));
    let heapBefore = 0;
    for (let index = 0; index < fileCount; index += 1) {
      const seed = firstSeed + index;
      const random = new Random(`${adapter.id} ${seed}`);
      try {
        new DamagedFile(adapter, joined(files, random), { random, others, opaque, found }).read();
      } catch (cause) {
        throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
      if (index === Math.floor(fileCount / 10)) heapBefore = heapBytes();
    }
    const growth = heapBytes() - heapBefore;
    const records = [...found.records].map(([what, count]) => `${what} ${count}`).join(', ');
    t.diagnostic(
      `seeds ${firstSeed}–${firstSeed + fileCount - 1}: ${fileCount * inputsPerFile} inputs, ${found.lines} lines (${records}); ` +
        `slowest ${found.slowestMs.toFixed(1)} ms, heap ${(growth / 2 ** 20).toFixed(1)} MiB more, ` +
        `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB resident at most`,
    );
    assert.ok(growth < heapLimitBytes, `the heap grew by ${growth} bytes`);
    assert.ok(found.slowestMs < longestMs, `one input took ${found.slowestMs} ms`);
  });
}

/** What one run knows in all its files. */
interface Damaging {
  readonly random: Random;
  readonly others: readonly Buffer[];
  readonly opaque: Opaque;
  readonly found: { lines: number; slowestMs: number; readonly records: Map<string, number> };
}

/** One file that is damaged all over, read piece by piece with one state. */
class DamagedFile {
  readonly #recorded: Recorded;
  readonly #with: Damaging;
  readonly #run: Run;

  constructor(adapter: Adapter, recorded: Recorded, damaging: Damaging) {
    this.#recorded = recorded;
    this.#with = damaging;
    this.#run = new Run(adapter, recorded.nativeId, recorded.file);
  }

  read(): void {
    const { random, found, others } = this.#with;
    const { lines } = this.#recorded;
    let next = random.chance(0.7) ? 0 : random.between(0, lines.length - 1);
    for (let input = 0; input < inputsPerFile; input += 1) {
      const from = random.chance(0.9) ? next % lines.length : random.between(0, lines.length - 1);
      const window = lines
        .slice(from, from + random.between(1, 4))
        .filter((line) => isShort(line) || random.chance(0.01));
      next = from + window.length + (window.length === 0 ? 1 : 0);
      const whole = Buffer.concat(window);
      // Whole ones in between, so that there is something for damaged ones to meet.
      const bytes = random.chance(0.2) ? whole : damaged(whole, others, random);
      const start = threadMs();
      if (this.#recorded.file.kind === 'document') this.#takeDocument(bytes);
      else this.#take(bytes);
      if (random.chance(0.1)) this.#pause();
      found.slowestMs = Math.max(found.slowestMs, threadMs() - start);
    }
    this.#pause();
    for (const message of this.#run.messages.values()) assert.deepEqual(schemas.message(message), []);
    assert.equal(new Set(this.#run.liveIds()).size, this.#run.liveIds().length, 'the live view holds nothing twice');
  }

  #pause(): void {
    settle(this.#run.decoding(new Counted()));
    this.#run.pause();
    const bytes = Buffer.byteLength(JSON.stringify(this.#run.state));
    assert.ok(bytes <= stateLimitBytes, `the state has ${bytes} bytes`);
  }

  /** As capture takes a growing file: in chunks; a last line that is not whole waits, here for ever. */
  #take(bytes: Buffer): void {
    const { random, opaque, found } = this.#with;
    const cut = random.between(0, bytes.length);
    const chunks = random.chance(0.5) ? [bytes] : [bytes.subarray(0, cut), bytes.subarray(cut)];
    for (const line of linesOf(chunks)) {
      if (!line.complete && !isWholeRecord(line.bytes)) break;
      found.lines += 1;
      const records = this.#accounted((counts) => decodeLine(line.bytes, this.#run.decoding(counts), opaque));
      if (records === (isBlank(line.bytes) ? 0 : 1)) continue;
      assert.ok(records > 1 && !isJson(line.bytes), `${records} records on the line ${shown(line.bytes)}`);
    }
  }

  #takeDocument(bytes: Buffer): void {
    this.#with.found.lines += 1;
    const records = this.#accounted((counts) => decodeDocument(bytes, this.#run.decoding(counts)));
    assert.equal(records, isJson(bytes) ? 1 : 0, `records of the document ${shown(bytes)}`);
  }

  /** How many records were counted; each that says nothing to us is a loss with a name. */
  #accounted(work: (counts: Counts) => void): number {
    const counts = new Counted();
    const before = sumOf(this.#run.losses);
    work(counts);
    const unread = (counts.records.get('unknown') ?? 0) + (counts.records.get('malformed') ?? 0);
    const losses = sumOf(this.#run.losses) + sumOf(counts.losses) - before;
    assert.ok(losses >= unread, `${unread} records unread, ${losses} losses counted`);
    for (const [what, count] of counts.records)
      this.#with.found.records.set(what, (this.#with.found.records.get(what) ?? 0) + count);
    return sumOf(counts.records);
  }
}

/** What the records of one piece were. */
class Counted implements Counts {
  readonly records = new Map<string, number>();
  readonly losses = new Map<string, number>();

  record(what: string): void {
    this.records.set(what, (this.records.get(what) ?? 0) + 1);
  }

  loss(name: string): void {
    assert.ok(!name.startsWith('undecodable:'), `a reader threw: ${name}`);
    this.losses.set(name, (this.losses.get(name) ?? 0) + 1);
  }
}

/** Every file of an adapter's recordings that is decoded, cut into lines with their newlines; a document is one. */
function recordedFiles(adapter: Adapter): Recorded[] {
  return recordingsOf(adapter).flatMap((recording) =>
    [...adapter.reader.discover(machine, join(fixturesOf(adapter), recording), assert.fail)].flatMap(
      ({ nativeId, files }) =>
        files
          .filter(({ kind, inherited }) => kind !== 'attachment' && inherited === undefined)
          .map((file): Recorded => {
            const bytes = decodedBytes(adapter, file);
            const lines =
              file.kind === 'document'
                ? [bytes]
                : [...linesOf([bytes])].map(({ offset, end }) => bytes.subarray(offset, end));
            return { nativeId, file, lines };
          }),
    ),
  );
}

/** One of the files; a log goes on with the lines of others, so that it does not only say the same again. */
function joined(files: readonly Recorded[], random: Random): Recorded {
  const first = random.pick(files);
  if (first.file.kind === 'document') return first;
  const lines = [...first.lines];
  const logs = files.filter(isLog);
  while (lines.length < 2 * inputsPerFile) lines.push(...random.pick(logs).lines);
  return { ...first, lines };
}

function isLog({ file }: Recorded): boolean {
  return file.kind !== 'document';
}

function isShort(line: Buffer): boolean {
  return line.length <= lineLimitBytes;
}

/** Nothing but white space, NULs, and a byte order mark in front. */
function isBlank(line: Buffer): boolean {
  return /^(\xef\xbb\xbf)?[\0\t\r ]*$/.test(line.toString('latin1'));
}

/** As a JSON reader takes it that knows of no byte order marks and NULs. */
function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(
      bytes
        .toString('utf8')
        .replaceAll(/^\ufeff?[\0\t\r ]+|[\0\t\r ]+$/g, '')
        .replace(/^\ufeff/, ''),
    );
    return true;
  } catch {
    return false;
  }
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('utf8').slice(0, 500));
}

/** What this thread has worked so far: what else the machine does is not in it. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The heap in use, and what it holds outside, once nothing is left to collect. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
