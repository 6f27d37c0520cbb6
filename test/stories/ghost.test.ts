/** What a tool has deleted stays here, is marked, and goes on; what only cannot be seen at the moment is not marked. */

import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import type { ListedSession } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sfs } from '../support/command-line.ts';
import { daemonPlace, until } from '../support/daemon.ts';
import type { Scratch } from '../support/scratch.ts';
import { fixturesOf, installRecording, recordingsOf, scratch, writable } from '../support/scratch.ts';

const quiet = (): void => undefined;
const [first] = adapters;
assert.ok(first !== undefined);

async function ghosts(place: Scratch): Promise<readonly string[]> {
  const { sessions } = await listSessions(place.context, {});
  return sessions.filter(({ ghost }) => ghost).map(({ session_id: id }) => id);
}

/** Its own files as they lie in the tool's home, those that it shares with others left out. */
async function nativeFiles(place: Scratch, id: string): Promise<string[]> {
  const { reader } = await openSession(place.context, id);
  return Object.values(reader.commit?.cursors ?? {})
    .filter(({ inherited }) => inherited !== true)
    .map(({ path }) => path);
}

/** The longest session with a file of its own. */
async function longest(place: Scratch): Promise<ListedSession> {
  const { sessions } = await listSessions(place.context, { sort: 'messages' });
  const [found] = sessions;
  assert.ok(found !== undefined);
  return found;
}

for (const adapter of writable.filter(({ reader }) => reader.load === undefined)) {
  describe(adapter.name, () => {
    test('a session whose files were deleted is marked at once, and goes on as it was', async (t) => {
      const place = scratch(t);
      installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
      await importSessions(place.context, {}, quiet);
      const { session_id: id, native_id: nativeId } = await longest(place);
      const files = await nativeFiles(place, id);
      const [main] = files;
      const bytes = readFileSync(main ?? '');
      assert.deepEqual(await ghosts(place), []);
      for (const file of files) rmSync(file);
      assert.deepEqual(await ghosts(place), [id]);
      await importSessions(place.context, {}, quiet);
      assert.deepEqual(await ghosts(place), [id]);
      const before = [...(await openSession(place.context, id)).reader.lines()];

      const resumed = await resume(place.context, { session: id, project: place.project });
      assert.deepEqual([resumed.session_id, resumed.native_id], [id, nativeId]);
      // Gemini CLI does not take its own bytes back: it gets them written anew.
      const isExact = adapter.id !== 'gemini-cli';
      assert.equal(resumed.how, isExact ? 'restored' : 'converted');
      const put = resumed.files.find((path) => basename(path) === basename(main ?? ''));
      if (isExact) assert.deepEqual(readFileSync(put ?? ''), bytes);
      // Put back for another folder it lies in another place, which the import sees.
      await importSessions(place.context, {}, quiet);
      assert.deepEqual(await ghosts(place), []);
      assert.deepEqual([...(await openSession(place.context, id)).reader.lines()], before);
    });

    test('one whose file comes back is a ghost no more', async (t) => {
      const place = scratch(t);
      const home = installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
      await importSessions(place.context, {}, quiet);
      const { session_id: id } = await longest(place);
      cpSync(home, join(place.folder, 'copy'), { recursive: true });
      for (const file of await nativeFiles(place, id)) rmSync(file);
      await importSessions(place.context, {}, quiet);
      assert.deepEqual(await ghosts(place), [id]);
      cpSync(join(place.folder, 'copy'), home, { recursive: true, preserveTimestamps: true });
      assert.deepEqual(await ghosts(place), []);
      await importSessions(place.context, {}, quiet);
      assert.deepEqual(await ghosts(place), []);
    });
  });
}

describe('a home that cannot be seen makes no ghosts', () => {
  for (const adapter of adapters)
    test(`${adapter.name}: moved away, empty as where nothing is mounted, unreadable`, async (t) => {
      const place = scratch(t);
      const home = installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
      await importSessions(place.context, {}, quiet);
      const away = join(place.folder, 'away');
      renameSync(home, away);
      const none = async (): Promise<void> => {
        assert.deepEqual(await ghosts(place), []);
        await importSessions(place.context, {}, quiet);
        assert.deepEqual(await ghosts(place), []);
      };
      await none();
      mkdirSync(home);
      await none();
      rmSync(home, { recursive: true });
      renameSync(away, home);
      await none();
    });

  test('a folder that may not be looked into', async (t) => {
    const place = scratch(t);
    const home = installRecording(place, first, recordingsOf(first)[0] ?? '');
    await importSessions(place.context, {}, quiet);
    for (const path of [place.folder, place.home, place.context.store.root]) chmodSync(path, 0o777);
    const open = (folder: string): void => {
      chmodSync(folder, 0o777);
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) open(join(folder, entry.name));
        else chmodSync(join(folder, entry.name), 0o666);
    };
    open(place.context.store.root);
    for (const folder of first.home.watch) chmodSync(join(home, folder), 0o700);
    const { status, out, err } = sfs(place, ['list', '--json'], { asNobody: true });
    assert.equal(status, 0, err);
    const listed = JSON.parse(out) as ListedSession[];
    assert.ok(listed.length > 0);
    assert.ok(listed.every(({ ghost }) => !ghost));
  });
});

test('a folder of sessions that is gone is one of ghosts', async (t) => {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  await importSessions(place.context, {}, quiet);
  const { session_id: id } = await longest(place);
  const [main = ''] = await nativeFiles(place, id);
  // Another project stays.
  mkdirSync(join(dirname(dirname(main)), 'another'));
  rmSync(dirname(main), { recursive: true });
  assert.ok((await ghosts(place)).includes(id));
  assert.match(sfs(place, ['list']).out, / †[^]*\n\n† deleted by the tool, kept here\n$/);
});

for (const adapter of adapters.filter(({ reader }) => reader.load !== undefined)) {
  const recording = recordingsOf(adapter).at(-1) ?? '';
  /** Every chat out of the database, as its tool deletes them. */
  const deleteAll = (place: Scratch, home: string): { readonly putBack: () => void } => {
    const path = readdirSync(home, { recursive: true, encoding: 'utf8' })
      .map((name) => join(home, name))
      .find((name) => name.endsWith('state.vscdb') && name.includes('globalStorage'));
    assert.ok(path !== undefined);
    const copy = join(place.folder, 'database');
    cpSync(path, copy);
    const database = new DatabaseSync(path);
    database.exec("delete from cursorDiskKV; delete from ItemTable where key like '%omposer%'");
    database.close();
    return { putBack: () => cpSync(copy, path) };
  };

  test(`${adapter.name}: a chat that is gone from its database is marked with the next import, and no more when it is back`, async (t) => {
    const place = scratch(t);
    const home = installRecording(place, adapter, recording);
    await importSessions(place.context, {}, quiet);
    const inDatabase = (await listSessions(place.context, {})).sessions
      .filter(({ session_id: id }) => existsSync(join(place.context.store.sessions, `${id}.sfs`)))
      .map(({ session_id: id }) => id);
    assert.ok(inDatabase.length > 0);
    const { putBack } = deleteAll(place, home);
    assert.deepEqual(await ghosts(place), []);
    await importSessions(place.context, {}, quiet);
    const gone = await ghosts(place);
    assert.ok(gone.length > 0);
    // What a person sets, and an index that is made anew, leave the mark as it is with the next import.
    assert.equal(sfs(place, ['rename', gone[0] ?? '', 'Kept']).status, 0);
    assert.deepEqual((await ghosts(place)).toSorted(), gone.toSorted());
    rmSync(place.context.store.index);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual((await ghosts(place)).toSorted(), gone.toSorted());
    assert.match(sfs(place, ['show', gone[0] ?? '']).out, /^Source: +deleted by the tool; kept here$/m);
    putBack();
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await ghosts(place), []);
  });

  test(`${adapter.name}: while the daemon runs it is marked without an import`, async (t) => {
    const place = daemonPlace(t);
    const home = installRecording(place, adapter, recording);
    assert.equal(place.run(['daemon', 'start']).status, 0);
    await until('they are in', async () => (await listSessions(place.context, {})).sessions.length > 0);
    await until('the first search is captured', () => place.status()?.pending === 0);
    deleteAll(place, home);
    await until('they are marked', async () => (await ghosts(place)).length > 0);
  });

  test(`${adapter.name}: a chat with a database of its own goes on when it was deleted`, async (t) => {
    const place = scratch(t);
    const folder = join(place.home, '.cursor');
    cpSync(join(fixturesOf(adapter), 'command-line'), folder, { recursive: true });
    await importSessions(place.context, {}, quiet);
    const { session_id: id, native_id: nativeId } = await longest(place);
    const before = [...(await openSession(place.context, id)).reader.lines()];
    // Another chat stays.
    const chats = join(folder, 'chats');
    const [project = ''] = readdirSync(chats);
    mkdirSync(join(chats, 'another'));
    rmSync(join(chats, project), { recursive: true });
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await ghosts(place), [id]);
    const resumed = await resume(place.context, { session: id, project: place.project });
    assert.deepEqual([resumed.how, resumed.session_id, resumed.native_id], ['converted', id, nativeId]);
    assert.deepEqual(await ghosts(place), []);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await ghosts(place), []);
    assert.deepEqual([...(await openSession(place.context, id)).reader.lines()], before);
  });
}
