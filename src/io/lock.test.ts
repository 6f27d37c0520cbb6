import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepLock, releaseLock, takeLock } from './lock.ts';

const runs = (): boolean => true;
const stopped = (): boolean => false;

test('a lock is taken once, says who holds it, and leaves nothing behind', (context) => {
  const folder = emptyFolder(context);
  const path = join(folder, 'lock');
  assert.equal(takeLock(path, runs), true);
  assert.equal(takeLock(path, runs), false);
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}/0`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  releaseLock(path);
  assert.deepEqual(readdirSync(folder), []);
});

test('locks held together are one file on the disk, and each is let go by itself', (context) => {
  const folder = emptyFolder(context);
  const paths = ['a', 'b', 'c'].map((name) => join(folder, name));
  for (const path of paths) {
    mkdirSync(path);
    assert.equal(takeLock(join(path, 'lock'), runs), true);
  }
  const [a, b, c] = paths.map((path) => join(path, 'lock')) as [string, string, string];
  assert.equal(statSync(b).ino, statSync(a).ino);
  assert.equal(statSync(b).nlink, 3);
  releaseLock(a);
  assert.equal(readFileSync(b, 'utf8'), `${process.pid}/0`);
  assert.equal(takeLock(b, runs), false);
  for (const path of [b, c]) releaseLock(path);
  assert.deepEqual(
    paths.flatMap((path) => readdirSync(path)),
    [],
  );
});

test('a lock of a running process is respected, also while others are held; of one that stopped, or without a name, it is taken over', (context) => {
  const folder = emptyFolder(context);
  const own = join(folder, 'own');
  const other = join(folder, 'other');
  writeFileSync(other, '4711/0');
  assert.equal(takeLock(own, runs), true);
  assert.equal(takeLock(other, runs), false);
  assert.equal(readFileSync(other, 'utf8'), '4711/0');
  assert.equal(takeLock(other, stopped), true);
  releaseLock(other);
  writeFileSync(other, '');
  assert.equal(takeLock(other, runs), true);
  for (const path of [own, other]) releaseLock(path);
});

test('a lock that somebody removed is taken again, unless another process was quicker', (context) => {
  const path = join(emptyFolder(context), 'lock');
  assert.equal(takeLock(path, runs), true);
  assert.equal(keepLock(path, runs), true);
  rmSync(path);
  assert.equal(keepLock(path, runs), true);
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}/0`);
  writeFileSync(path, '4711/0');
  assert.equal(keepLock(path, runs), false);
  assert.equal(readFileSync(path, 'utf8'), '4711/0');
  assert.equal(keepLock(path, stopped), true);
  releaseLock(path);
});

test('a lock that cannot be made is told with its place', (context) => {
  const path = join(emptyFolder(context), 'missing', 'lock');
  assert.throws(() => takeLock(path, runs), { code: 'store-unwritable' });
});

function emptyFolder(context: { after(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sfs-lock-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
