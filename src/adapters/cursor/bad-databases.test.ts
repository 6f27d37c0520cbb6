/** Databases that are not as they should be: each is named, or read as far as it goes, and none takes another with it. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { importSessions } from '../../actions/import.ts';
import type { ImportResult } from '../../actions/import.ts';
import { listSessions } from '../../actions/list.ts';
import { openSession } from '../../actions/show.ts';
import { textOf } from '../../model/message.ts';
import { sfs } from '../../../test/support/command-line.ts';
import { scratch } from '../../../test/support/scratch.ts';
import type { Scratch } from '../../../test/support/scratch.ts';
import { adapter } from './index.ts';
import { Editor, Store } from './test-support.ts';

const quiet = (): void => undefined;
const user = (text: string): object => ({
  role: 'user',
  content: [{ type: 'text', text: `<user_query>\n${text}\n</user_query>` }],
});
const answer = (text: string): object => ({ role: 'assistant', content: [{ type: 'text', text }] });

function captured({ context }: Scratch, path?: string): Promise<ImportResult> {
  return importSessions(context, path === undefined ? { from: 'cursor' } : { path }, quiet);
}

async function saidIn(place: Scratch, session = '@last'): Promise<string[]> {
  return [...(await openSession(place.context, session)).reader.live()].map(textOf);
}

/** A chat in the database of each of Cursor's programs: how it is made, and whether it is closed. */
const programs: readonly (readonly [
  name: string,
  make: (place: Scratch) => { readonly path: string; close(): void },
])[] = [
  [
    'the editor',
    (place) => {
      const editor = new Editor(place, 'delete');
      const more = Array.from({ length: 200 }, (_, index) => ({ id: `x${index}`, text: 'x'.repeat(500) }));
      editor.chat('c1', [{ id: 'b1', type: 1, text: 'Why?' }, { id: 'b2', text: 'So.' }, ...more], {}, ['b1', 'b2']);
      return editor;
    },
  ],
  [
    'cursor-agent',
    (place) => {
      const store = new Store(place, 'c1', { cwd: place.project }, 'delete');
      store.state([user('Why?'), answer('So.'), ...Array.from({ length: 200 }, (_, n) => answer(`${n}`.repeat(300)))]);
      store.state([user('Why?'), answer('So.')]);
      return store;
    },
  ],
];

for (const [name, make] of programs) {
  describe(`a database of ${name}`, () => {
    test('that is locked is named, and read once it is free', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      const other = new DatabaseSync(path);
      t.after(() => other.close());
      other.exec('begin exclusive');
      const { problems, sessions } = await captured(place);
      assert.deepEqual(
        problems.map(({ problem }) => problem),
        [`cannot read ${path}: another program has locked it`],
      );
      assert.ok(sessions.every(({ outcome }) => outcome === 'failed'));
      other.exec('rollback');
      assert.deepEqual((await captured(place)).problems, []);
      assert.deepEqual(await saidIn(place), ['Why?', 'So.']);
    });

    test('that is damaged is named; what was captured of it stays', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      await captured(place);
      const bytes = readFileSync(path);
      writeFileSync(path, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0x5a)]));
      const { problems } = await captured(place);
      assert.deepEqual(
        problems.map(({ problem }) => problem),
        [`cannot read ${path}: it is damaged`],
      );
      assert.deepEqual(await saidIn(place), ['Why?', 'So.']);
    });

    test('that is encrypted (its first bytes are salt, as SQLCipher leaves them) is named', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      const bytes = readFileSync(path);
      for (let at = 0; at < bytes.length; at += 1) bytes[at] = (bytes[at] ?? 0) ^ ((at * 197 + 91) & 0xff) ^ 0xa5;
      writeFileSync(path, bytes);
      const { problems } = await captured(place);
      assert.deepEqual(
        problems.map(({ problem }) => problem),
        [`cannot read ${path}: it is encrypted, or no SQLite database`],
      );
    });

    test('that may only be read is read, and nothing is left beside it', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      const mode = new DatabaseSync(path);
      mode.exec('pragma journal_mode = wal');
      mode.close();
      const beside = readdirSync(dirname(path));
      chmodSync(path, 0o444);
      chmodSync(dirname(path), 0o555);
      // Permissions do not bind root.
      if (process.getuid?.() === 0) allowOthers(place);
      const { status, err } = sfs(place, ['import', '--from', 'cursor'], { asNobody: true });
      const left = readdirSync(dirname(path));
      chmodSync(dirname(path), 0o755);
      assert.deepEqual([status, err, left], [0, '', beside]);
      assert.deepEqual(await saidIn(place), ['Why?', 'So.']);
    });

    test('of a later schema is read: more columns and tables, a higher version', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      const later = new DatabaseSync(path);
      for (const { name: table } of later.prepare("select name from sqlite_master where type = 'table'").all())
        later.exec(`alter table "${String(table)}" add column added_later text default 'x'`);
      later.exec('create table brand_new (a, b); pragma user_version = 99');
      later.close();
      assert.deepEqual((await captured(place)).problems, []);
      assert.deepEqual(await saidIn(place), ['Why?', 'So.']);
    });

    test('that was copied somewhere is imported by its path', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      const copy = join(place.folder, 'backup', path.endsWith('store.db') ? 'store.db' : 'state.vscdb');
      mkdirSync(dirname(copy));
      copyFileSync(path, copy);
      rmSync(dirname(path), { recursive: true });
      const { sessions, problems } = await captured(place, copy);
      assert.deepEqual([problems, sessions.map(({ outcome }) => outcome)], [[], ['new']]);
      assert.deepEqual(await saidIn(place), ['Why?', 'So.']);
      assert.deepEqual((await captured(place, copy)).sessions, []);
      assert.deepEqual(readdirSync(dirname(copy)), [copy.slice(copy.lastIndexOf('/') + 1)]);
    });

    test('that was copied and damaged, or is none, is named when its path is', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      const copy = join(place.folder, path.endsWith('store.db') ? 'store.db' : 'state.vscdb');
      writeFileSync(copy, 'this is no database, whatever its name says');
      const { problems } = await captured(place, copy);
      assert.deepEqual(
        problems.map(({ problem }) => problem),
        [`cannot read ${copy}: it is encrypted, or no SQLite database`],
      );
    });

    test('that Cursor has just made is none yet', async (t) => {
      const place = scratch(t);
      const { path, close } = opened(make, place);
      close();
      writeFileSync(path, '');
      const { problems, sessions } = await captured(place);
      assert.deepEqual([problems, sessions], [[], []]);
    });
  });
}

function opened(
  make: (place: Scratch) => { readonly path: string; close(): void },
  place: Scratch,
): { readonly path: string; readonly close: () => void } {
  const made = make(place);
  return { path: made.path, close: () => made.close() };
}

/** The home is readable for everybody, and the store's place writable. */
function allowOthers(place: Scratch): void {
  const open = (folder: string): void => {
    if ((statSync(folder).mode & 0o777) !== 0o555) chmodSync(folder, 0o777);
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) open(join(folder, entry.name));
  };
  open(place.folder);
}

describe('rows of the editor', () => {
  test('as text, bytes, hexadecimal text, NULL, numbers and no JSON: what is one is read, what is none is counted', async (t: TestContext) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    const bubble = (text: string): string => JSON.stringify({ _v: 9, type: 2, text });
    editor.chat('c1', [{ id: 'b0', type: 1, text: 'Why?' }], {}, ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'gone']);
    editor.put('bubbleId:c1:b1', bubble('as text'));
    editor.put('bubbleId:c1:b2', Buffer.from(bubble('as bytes')));
    editor.put('bubbleId:c1:b3', Buffer.from(bubble('as hexadecimal text')).toString('hex'));
    editor.put('bubbleId:c1:b4', null);
    editor.put('bubbleId:c1:b5', Buffer.from([0xff, 0xfe, 0x00]));
    editor.exec(
      "insert into cursorDiskKV values ('composerData:c2', null), ('composerData:c3', 17), (null, 'x'), (x'00', 'y')",
    );
    const { problems } = await captured(place);
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      [`${editor.path}/c3 is no chat: its row is no JSON object`],
    );
    assert.deepEqual(await saidIn(place), ['Why?', 'as text', 'as bytes', 'as hexadecimal text']);
    const { reader } = await openSession(place.context, '@last');
    assert.deepEqual(reader.manifest.metadata?.losses, {
      'newer-version:message': 3,
      'missing-message': 2,
      'unreadable-message': 1,
    });
  });
});

test('chats are found without the table of settings', async (t) => {
  const place = scratch(t);
  const editor = new Editor(place);
  t.after(() => editor.close());
  editor.chat('c1', [{ id: 'b1', type: 1, text: 'Why?' }]);
  editor.exec('drop table ItemTable');
  assert.deepEqual((await captured(place)).problems, []);
  assert.deepEqual(await saidIn(place), ['Why?']);
});

describe('rows of cursor-agent', () => {
  test('that are missing or are no messages are counted, and the others are read', async (t) => {
    const place = scratch(t);
    const store = new Store(place, 'c1');
    t.after(() => store.close());
    store.state([user('Why?'), answer('One.'), { role: 'oracle', content: 'Hm.' }, answer('Two.')]);
    const database = new DatabaseSync(store.path);
    database.exec("update blobs set data = null where cast(data as text) like '%One.%'");
    database.exec("update blobs set data = cast(data as text) where cast(data as text) like '%Two.%'");
    database.close();
    assert.deepEqual((await captured(place)).problems, []);
    assert.deepEqual(await saidIn(place), ['Why?', 'Two.']);
    const { reader } = await openSession(place.context, '@last');
    assert.deepEqual(reader.manifest.metadata?.losses, { 'missing-message': 1, 'unknown:message': 1 });
  });

  test('whose root is missing is named', async (t) => {
    const place = scratch(t);
    const store = new Store(place, 'c1');
    t.after(() => store.close());
    store.state([user('Why?')]);
    const database = new DatabaseSync(store.path);
    database.exec('delete from blobs');
    database.close();
    const { problems } = await captured(place);
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      [`${store.path}: its root is missing`],
    );
  });

  test('that are of another schema are named', async (t) => {
    const place = scratch(t);
    const store = new Store(place, 'c1');
    t.after(() => store.close());
    store.state([user('Why?')]);
    const database = new DatabaseSync(store.path);
    database.exec('alter table meta rename to about');
    database.close();
    const { problems } = await captured(place);
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      [`cannot read ${store.path}: no such table: meta`],
    );
    assert.deepEqual((await listSessions(place.context, {})).sessions, []);
  });
});

test('the folders of cursor-agent are Cursor’s too: where they lie, moved, and of a home that is not this one', (t) => {
  const { home, context } = scratch(t);
  const folder = join(home, '.config/Cursor/User');
  const folders = (env: Record<string, string>, of: string): readonly string[] =>
    adapter.home.beside?.({ ...context.machine, env }, of) ?? [];
  const below = (dot: string): string[] => ['chats', 'acp-sessions', 'projects'].map((name) => `${dot}/${name}`);
  assert.deepEqual(folders({}, folder), below(`${home}/.cursor`));
  assert.deepEqual(folders({ CURSOR_DATA_DIR: '/data' }, folder), below('/data'));
  assert.deepEqual(folders({ CURSOR_DATA_DIR: '/data' }, '/copy/.config/Cursor/User'), below('/copy/.cursor'));
  assert.deepEqual(folders({}, '/portable/user-data'), []);
});
