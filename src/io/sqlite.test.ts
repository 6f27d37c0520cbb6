import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { SessionFsError } from '../errors.ts';
import type { Snapshot } from './machine.ts';
import { prepareDatabase, readSnapshot } from './sqlite.ts';
import type { Insert } from './sqlite.ts';

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sessionfs-sqlite-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'their.db');
}

function made(path: string, mode: 'wal' | 'delete'): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = ${mode}; create table t (n integer); insert into t values (1), (2)`);
  return database;
}

const sum = (snapshot: Snapshot): unknown => snapshot.rows('select sum(n) as sum, count(*) as n from t')[0];

test('what a writer has in its WAL is read, and nothing of the writer’s is changed', (t) => {
  const path = scratch(t);
  const writer = made(path, 'wal');
  assert.ok(statSync(`${path}-wal`).size > 0);
  const before = [readFileSync(path), readFileSync(`${path}-wal`)];
  assert.deepEqual({ ...(readSnapshot(path, sum) as object) }, { sum: 3, n: 2 });
  assert.deepEqual([readFileSync(path), readFileSync(`${path}-wal`)], before);
  writer.exec('insert into t values (4)');
  assert.deepEqual({ ...(readSnapshot(path, sum) as object) }, { sum: 7, n: 3 });
  writer.close();
});

test('a database closed in WAL mode is read, and no file is left beside it', (t) => {
  const path = scratch(t);
  made(path, 'wal').close();
  assert.deepEqual(readdirSync(join(path, '..')), ['their.db']);
  assert.deepEqual({ ...(readSnapshot(path, sum) as object) }, { sum: 3, n: 2 });
  assert.deepEqual(readdirSync(join(path, '..')), ['their.db']);
});

test('one read sees one state, whatever is written meanwhile', (t) => {
  for (const start of ['open', 'closed']) {
    const path = scratch(t);
    let writer = made(path, 'wal');
    if (start === 'closed') {
      writer.close();
      writer = new DatabaseSync(path);
    }
    let runs = 0;
    const seen = readSnapshot(path, (snapshot) => {
      runs += 1;
      const first = snapshot.rows('select sum(n) as sum from t')[0]?.['sum'];
      if (runs === 1) writer.exec('insert into t values (4); pragma wal_checkpoint(truncate)');
      return [first, snapshot.rows('select sum(n) as sum from t')[0]?.['sum']];
    });
    assert.equal(seen[0], seen[1]);
    // Read as it lay, and written meanwhile: read again.
    assert.deepEqual([runs, seen[0]], start === 'closed' ? [2, 7] : [1, 3]);
    writer.close();
  }
});

test('what cannot be read is said: locked, damaged, encrypted, another schema, gone', (t) => {
  const why = (path: string, read = sum): string => {
    try {
      readSnapshot(path, read);
    } catch (cause) {
      assert.ok(cause instanceof SessionFsError);
      assert.equal(cause.code, 'unreadable');
      return cause.message.replace(path, 'X');
    }
    return 'read';
  };
  const locked = scratch(t);
  const writer = made(locked, 'delete');
  writer.exec('begin exclusive');
  assert.equal(why(locked), 'cannot read X: another program has locked it');
  writer.exec('commit');
  assert.equal(why(locked), 'read');
  assert.equal(
    why(locked, (snapshot) => snapshot.rows('select * from chats')),
    'cannot read X: no such table: chats',
  );
  writer.close();

  const encrypted = scratch(t);
  writeFileSync(encrypted, Buffer.alloc(8192, 0x5a));
  assert.equal(why(encrypted), 'cannot read X: it is encrypted, or no SQLite database');

  const damaged = scratch(t);
  const big = made(damaged, 'delete');
  for (let row = 0; row < 2000; row += 1) big.exec(`insert into t values (${row})`);
  big.close();
  const bytes = readFileSync(damaged);
  bytes.fill(0x5a, 4096);
  writeFileSync(damaged, bytes);
  assert.equal(why(damaged), 'cannot read X: it is damaged');

  assert.match(why(scratch(t)), /^cannot read X: ENOENT/);
});

const rows = (insert: Insert): void => {
  insert('t', ['a', Buffer.from([1, 2])]);
  insert('t', ['b', null]);
  insert('t', ['a', Buffer.from([3])]);
};

test('a database that is made appears when it is published, whole, private, alone, and the same each time', (t) => {
  const path = scratch(t);
  const schema = 'create table t (k text primary key, v blob);';
  const prepared = prepareDatabase(path, schema, rows);
  assert.equal(existsSync(path), false);
  prepared.publish();
  assert.deepEqual([readdirSync(join(path, '..')), statSync(path).mode & 0o777], [['their.db'], 0o600]);
  const database = new DatabaseSync(path, { readOnly: true });
  assert.deepEqual(
    database
      .prepare('select k, hex(v) as v from t')
      .all()
      .map((row) => ({ ...row })),
    [
      { k: 'a', v: '0102' },
      { k: 'b', v: '' },
    ],
  );
  database.close();
  const other = join(path, '..', 'other.db');
  prepareDatabase(other, schema, rows).publish();
  assert.ok(readFileSync(other).equals(readFileSync(path)));
  const third = prepareDatabase(other, schema, rows);
  assert.throws(() => third.publish(), { code: 'already-exists' });
  assert.deepEqual(readdirSync(join(path, '..')).toSorted(), ['other.db', 'their.db']);
});

test('a database that cannot be made leaves nothing', (t) => {
  const path = scratch(t);
  const broken = (insert: Insert): void => insert('missing', [1]);
  assert.throws(() => prepareDatabase(path, 'create table t (n integer);', broken), { code: 'store-unwritable' });
  assert.deepEqual(readdirSync(join(path, '..')), []);
});
