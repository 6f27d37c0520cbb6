/** What a person sets on a session stays: titles, tags and aliases outlive every capture, and bad ones are told. */

import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exportSession } from '../../src/actions/export.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { listAliases, removeAlias, renameSession, setAlias, tagSession } from '../../src/actions/registers.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { deleteSession, restoreSession } from '../../src/actions/trash.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { sfs } from '../support/command-line.ts';
import { schemas } from '../support/schemas.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, nativeFile, recordingsOf, scratch, writable } from '../support/scratch.ts';
import { diary } from './diary/index.ts';

const quiet = (): void => undefined;

async function refused(work: Promise<unknown>): Promise<SessionFsError> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof SessionFsError, `refused: ${String(error)}`);
  assert.ok(error.hint !== undefined, 'with a hint');
  return error;
}

async function captured(place: Scratch, at = 0): Promise<string> {
  const adapter = adapters[at];
  assert.ok(adapter !== undefined);
  installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  await importSessions(place.context, {}, quiet);
  const { sessions } = await listSessions(place.context, { sort: 'messages' });
  return sessions[0]?.session_id ?? '';
}

for (const [at, adapter] of adapters.entries()) {
  test(`${adapter.name}: title, tags and alias stay when the source is read again and when the index is lost`, async (t) => {
    const place = scratch(t);
    const id = await captured(place, at);
    await renameSession(place.context, id, 'Mine / all mine');
    await tagSession(place.context, id, { add: ['release', 'größer', 'release'] });
    await setAlias(place.context, id, 'gate');
    const { reader } = await openSession(place.context, 'gate');
    const [cursor] = Object.values(reader.commit?.cursors ?? {});
    const path = nativeFile(cursor?.path ?? '');
    // Another file under the same name: everything is read again.
    const bytes = readFileSync(path);
    rmSync(path);
    writeFileSync(path, Buffer.concat([bytes, Buffer.from(' \n')]));
    await importSessions(place.context, {}, quiet);
    rmSync(place.context.store.index);
    await deleteSession(place.context, 'gate');
    await restoreSession(place.context, id);
    await importSessions(place.context, {}, quiet);
    const { shown, reader: after } = await openSession(place.context, 'gate');
    assert.deepEqual(
      [shown.session_id, shown.title, shown.tags, after.manifest.metadata?.title_by],
      [id, 'Mine / all mine', ['release', 'größer'], 'person'],
    );
    assert.deepEqual(schemas.manifest(after.manifest), []);
    assert.deepEqual(
      (await listSessions(place.context, { tag: 'release' })).sessions.map(({ session_id: one }) => one),
      [id],
    );
    assert.deepEqual((await tagSession(place.context, id, { remove: ['release', 'nothing'] })).tags, ['größer']);
    assert.deepEqual((await listSessions(place.context, { tag: 'release' })).sessions, []);
  });
}

test('a directory that is taken in again keeps what was set here', async (t) => {
  const place = scratch(t);
  const { files } = await exportSession(place.context, {
    session: await captured(place),
    format: 'sfs',
    output: join(place.folder, 'out'),
  });
  const path = join(place.folder, 'copy.sfs');
  cpSync(files[0] ?? '', path, { recursive: true });
  const id = (await importSessions(place.context, { path }, quiet)).sessions[0]?.session_id ?? '';
  await renameSession(place.context, id, 'Theirs');
  await tagSession(place.context, id, { add: ['taken'] });
  await importSessions(place.context, { path }, quiet);
  const { reader } = await openSession(place.context, id);
  assert.deepEqual([reader.manifest.title, reader.manifest.tags], ['Theirs', ['taken']]);
});

describe('aliases', () => {
  test('one belongs to one session, and is free again when it was taken away', async (t) => {
    const place = scratch(t);
    const id = await captured(place);
    const { sessions } = await listSessions(place.context, {});
    const other = sessions.find(({ session_id: one }) => one !== id)?.session_id ?? '';
    await setAlias(place.context, id, 'gate');
    await setAlias(place.context, id, 'gate');
    assert.equal((await refused(setAlias(place.context, other, 'gate'))).code, 'already-exists');
    await deleteSession(place.context, id);
    assert.equal((await refused(setAlias(place.context, other, 'gate'))).code, 'already-exists', 'it may come back');
    assert.match((await refused(openSession(place.context, 'gate'))).message, new RegExp(`^${id} was deleted`));
    removeAlias(place.context, 'gate');
    await setAlias(place.context, other, 'gate');
    assert.deepEqual(listAliases(place.context), [{ alias: 'gate', session_id: other }]);
  });

  test('a line that a crash cut off takes no other with it', async (t) => {
    const place = scratch(t);
    const id = await captured(place);
    await setAlias(place.context, id, 'gate');
    const ledger = join(place.context.store.ledger, 'aliases.jsonl');
    writeFileSync(ledger, `${readFileSync(ledger, 'utf8')}{"at":"2026-11`);
    await setAlias(place.context, id, 'door');
    assert.deepEqual(
      listAliases(place.context).map(({ alias }) => alias),
      ['gate', 'door'],
    );
  });

  for (const name of [
    '',
    '-x',
    '..',
    '../x',
    'a/b',
    'a\0b',
    'a..b',
    '.hidden',
    'ses_12345678',
    'x'.repeat(101),
    '@last',
  ])
    test(`${JSON.stringify(name.slice(0, 20))} is none`, async (t) => {
      const place = scratch(t);
      const error = await refused(setAlias(place.context, await captured(place), name));
      assert.deepEqual([error.code, error.exit], ['usage', 2]);
      assert.deepEqual(listAliases(place.context), []);
    });
});

test('a title given here wins over one the tool gives later, in its children too', async (t) => {
  const place = scratch(t, { adapters: [...adapters, diary] });
  const path = join(place.home, '.diary', 'door.jsonl');
  mkdirSync(join(place.home, '.diary'));
  const said = JSON.stringify({ who: 'me', said: 'Paint it.', at: '2026-11-01T10:00:00.000Z' });
  writeFileSync(path, `${JSON.stringify({ title: 'First', where: place.project })}\n${said}\n`);
  await importSessions(place.context, { from: 'diary' }, quiet);
  const { session_id: id } = await renameSession(place.context, '@last', 'Mine');
  appendFileSync(path, `${JSON.stringify({ title: 'Second' })}\n`);
  await importSessions(place.context, { from: 'diary' }, quiet);
  assert.equal((await openSession(place.context, id)).shown.title, 'Mine');
  for (const { id: tool } of writable) {
    const child = await resume(place.context, { session: id, in: tool });
    await importSessions(place.context, {}, quiet);
    assert.equal((await openSession(place.context, child.session_id)).shown.title, 'Mine', tool);
  }
});

test('on the command line: what is said, exit codes, near names', async (t) => {
  const place = scratch(t);
  const id = await captured(place);
  assert.equal(sfs(place, ['alias', id, 'orchard']).out, `orchard is ${id}.\n`);
  assert.equal(sfs(place, ['alias', 'list']).out, `orchard  ${id}\n`);
  assert.equal(sfs(place, ['tag', 'orchard', 'a', 'b']).out, `${id} has the tags a, b.\n`);
  assert.equal(sfs(place, ['tag', 'remove', 'orchard', 'a']).out, `${id} has the tags b.\n`);
  assert.equal(sfs(place, ['rename', 'orchard', 'Pears']).out, `${id} is “Pears”.\n`);
  const [found] = JSON.parse(sfs(place, ['list', '--tag', 'b', '--json']).out) as { title: string; tags: string[] }[];
  assert.deepEqual([found?.title, found?.tags], ['Pears', ['b']]);
  assert.match(sfs(place, ['show', 'orchrad']).err, /hint: did you mean orchard\?/);
  assert.match(sfs(place, ['show', `${id.slice(0, -1)}x`]).err, new RegExp(`hint: did you mean ${id}\\?`));
  assert.match(sfs(place, ['alias', 'remove', 'orchart']).err, /hint: did you mean orchard\?/);
  assert.deepEqual(
    [
      sfs(place, ['alias', 'remove', 'orchart']).status,
      sfs(place, ['rename', id, '']).status,
      sfs(place, ['rename', id, 'x'.repeat(81)]).status,
      sfs(place, ['tag', id, 'a,b']).status,
      sfs(place, ['tag', id]).status,
      sfs(place, ['rename', 'nobody', 'x']).status,
    ],
    [3, 2, 2, 2, 2, 3],
  );
  assert.deepEqual(JSON.parse(sfs(place, ['alias', 'remove', 'orchard', '--json']).out), {
    alias: 'orchard',
    session_id: id,
  });
});
