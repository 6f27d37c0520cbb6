import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeyLog } from './key-log.ts';

const pairs = (from: number, to: number): [string, string][] =>
  Array.from({ length: to - from }, (_, at) => [`key-${from + at}`.padEnd(36, 'k'), `id-${from + at}`.padEnd(36, 'i')]);

test('a few keys are kept for the commit, more go to the file, and both are found again', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sessionfs-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'keys.jsonl');
  const kept = { bytes: 0, few: [] as readonly (readonly [string, string])[] };
  const captured = (from: number, to: number): void => {
    const log = new KeyLog(path, kept.bytes, kept.few, undefined);
    for (const [key, id] of pairs(from, to)) log.add(key, id);
    log.write();
    assert.deepEqual([...log.all()], pairs(0, to));
    assert.equal(log.grew, log.bytes > kept.bytes);
    kept.bytes = log.bytes;
    kept.few = log.few;
  };
  captured(0, 20);
  captured(20, 56);
  assert.deepEqual([kept.bytes, kept.few.length, existsSync(path)], [0, 56, false]);
  captured(56, 57);
  assert.deepEqual([kept.few, existsSync(path)], [[], true]);
  captured(57, 60);
  captured(60, 60);
  assert.deepEqual([...new KeyLog(path, kept.bytes, kept.few, undefined).all()], pairs(0, 60));
});

test('of equal keys the last counts, wherever they are', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sessionfs-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const log = new KeyLog(join(folder, 'keys.jsonl'), 0, [['key', 'first']], undefined);
  log.add('key', 'second');
  assert.equal(new KeyLog(log.path, 0, log.few, undefined).all().get('key'), 'second');
  for (const [key, id] of pairs(0, 60)) log.add(key, id);
  log.add('key', 'third');
  assert.equal(log.all().get('key'), 'third');
  log.write();
  assert.equal(new KeyLog(log.path, log.bytes, log.few, undefined).all().get('key'), 'third');
});
