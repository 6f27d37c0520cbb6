/** Events that a database's own readers make are none. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatabaseChanges } from './database-changes.ts';

const info = { kind: 'file', device: 1, inode: 2, sizeBytes: 100, modifiedMs: 10_000 } as const;

test('an event at a file that lies as it did is no write', () => {
  const changes = new DatabaseChanges();
  const fine = { ...info, modifiedMs: 10_003.25 };
  assert.equal(changes.isWrite('/u/state.vscdb-wal', fine, 10_010), true);
  assert.equal(changes.isWrite('/u/state.vscdb-wal', fine, 10_020), true);
  assert.equal(changes.isWrite('/u/state.vscdb-wal', fine, 10_300), false);
  assert.equal(changes.isWrite('/u/state.vscdb-wal', fine, 10_800), false);
  assert.equal(changes.isWrite('/u/state.vscdb-wal', { ...fine, modifiedMs: 14_100.5 }, 14_120), true);
  assert.equal(changes.isWrite('/u/state.vscdb-wal', undefined, 15_000), true);
});

test('where times are whole seconds, it is one until they tell', () => {
  const changes = new DatabaseChanges();
  assert.equal(changes.isWrite('/u/state.vscdb-wal', info, 10_500), true);
  assert.equal(changes.isWrite('/u/state.vscdb-wal', info, 12_500), true);
  assert.equal(changes.isWrite('/u/state.vscdb-wal', info, 13_000), false);
});

test('the index of a WAL tells nothing', () => {
  assert.equal(new DatabaseChanges().isWrite('/u/state.vscdb-shm', info, 10_010), false);
});
