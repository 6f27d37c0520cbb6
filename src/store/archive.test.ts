import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { SessionFsError } from '../errors.ts';
import { ArchiveWriter, emptyArchive, patchGeneration, wholeArchive, readOldGeneration } from './archive.ts';
import type { ArchivedFile } from './commit.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'archive-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function written(at: string, bytes: Buffer, from: ArchivedFile): ArchivedFile {
  const writer = new ArchiveWriter(at, 'doc', from);
  writer.append(bytes);
  const { file } = writer.finish();
  ArchiveWriter.sweep(at, 'doc', file);
  return file;
}

const fresh = (before: ArchivedFile): ArchivedFile => ({ ...emptyArchive, generation: before.generation + 1 });

/** Words that do not shrink to nothing. */
const words = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `${((from + index) * 2_654_435_761) % 4_294_967_291} `).join('');

/** A document that is written again with more in it and another time in front. */
const version = (at: number): Buffer =>
  Buffer.from(`{"lastUpdated":"2026-11-01T10:${10 + at}","messages":"${words(0, 3000 + at * 40)}","end":${at}}`);

function bytesBelow(at: string): number {
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

test('a document that is rewritten fifty times is kept as what changed, and each form is there byte for byte', (t) => {
  const at = folder(t);
  let newest = written(at, version(0), emptyArchive);
  const once = bytesBelow(at);
  for (let count = 1; count <= 50; count += 1) {
    const before = newest;
    newest = written(at, version(count), fresh(before));
    patchGeneration(at, 'doc', before, newest);
  }
  for (let generation = 0; generation < 50; generation += 1)
    assert.ok(readOldGeneration(at, 'doc', generation, newest).equals(version(generation)), String(generation));
  assert.ok(wholeArchive(at, 'doc', newest).equals(version(50)));
  // The newest, four that stay whole, and 46 of a few hundred bytes.
  assert.ok(bytesBelow(at) < 8 * once, `${bytesBelow(at)} of ${once}`);
  assert.deepEqual(
    [0, 1, 15, 16, 17, 49, 50].map((generation) =>
      readdirSync(join(at, 'native', 'doc', String(generation))).map((name) => name.replace(/\d+/, 'n')),
    ),
    [['frames.zst'], ['patch.n'], ['patch.n'], ['frames.zst'], ['patch.n'], ['patch.n'], ['frames.zst']],
  );
});

test('a log that goes on after it was rewritten is what its older forms are told from', (t) => {
  const at = folder(t);
  const forms = [words(0, 2000), words(0, 1500), words(5, 1800)].map((text) => Buffer.from(text));
  const [first, second, third] = forms as [Buffer, Buffer, Buffer];
  const zero = written(at, first, emptyArchive);
  const one = written(at, second, fresh(zero));
  patchGeneration(at, 'doc', zero, one);
  const two = written(at, third, fresh(one));
  patchGeneration(at, 'doc', one, two);
  const grown = written(at, Buffer.from(words(9000, 3000)), two);
  patchGeneration(at, 'doc', two, grown);
  assert.ok(readOldGeneration(at, 'doc', 0, grown).equals(first));
  assert.ok(readOldGeneration(at, 'doc', 1, grown).equals(second));
  assert.ok(wholeArchive(at, 'doc', grown).subarray(0, third.length).equals(third));
});

test('what shares nothing with its next, or is damaged, stays whole; a damaged patch is told', (t) => {
  const at = folder(t);
  const zero = written(at, version(0), emptyArchive);
  const one = written(at, Buffer.from(words(1e6, 9000)), fresh(zero));
  const two = written(at, Buffer.from(words(7e6, 100)), fresh(one));
  patchGeneration(at, 'doc', one, two);
  const frames = join(at, 'native', 'doc', '1', 'frames.zst');
  assert.deepEqual(readdirSync(join(at, 'native', 'doc', '1')), ['frames.zst']);
  const bytes = readFileSync(frames);
  bytes[50] = (bytes[50] ?? 0) ^ 255;
  writeFileSync(frames, bytes);
  patchGeneration(at, 'doc', one, two);
  assert.deepEqual(readdirSync(join(at, 'native', 'doc', '1')), ['frames.zst']);

  const three = written(at, version(3), fresh(two));
  const four = written(at, version(4), fresh(three));
  patchGeneration(at, 'doc', three, four);
  const [patch = ''] = readdirSync(join(at, 'native', 'doc', '3'));
  assert.match(patch, /^patch\.\d+$/);
  writeFileSync(join(at, 'native', 'doc', '3', patch), 'no zstd');
  assert.throws(
    () => readOldGeneration(at, 'doc', 3, four),
    (error) => error instanceof SessionFsError && error.code === 'invalid-session',
  );
});
