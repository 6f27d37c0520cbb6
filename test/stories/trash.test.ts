/** A deleted session stays out of imports until it is restored; then it is whole and goes on growing. */

import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exportSession } from '../../src/actions/export.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { openSession } from '../../src/actions/show.ts';
import { clearTrash, deleteSession, listTrash, restoreSession } from '../../src/actions/trash.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, nativeFile, recordingsOf, scratch } from '../support/scratch.ts';

const quiet = (): void => undefined;

async function longest(place: Scratch): Promise<string> {
  const { sessions } = await listSessions(place.context, { sort: 'messages' });
  return sessions[0]?.session_id ?? '';
}

async function ids(place: Scratch, session: string): Promise<string[]> {
  const { reader } = await openSession(place.context, session);
  return reader
    .timeline()
    .toArray()
    .map(({ msg_id: id }) => id);
}

function filesBelow(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, 'base64')]),
  );
}

for (const adapter of adapters) {
  describe(adapter.name, () => {
    test('deleted, it stays out of every import; restored, it is as it was, byte for byte', async (t) => {
      const place = scratch(t);
      installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
      await importSessions(place.context, {}, quiet);
      const before = (await listSessions(place.context, {})).sessions;
      const id = await longest(place);
      const directory = join(place.context.store.sessions, `${id}.sfs`);
      const files = filesBelow(directory);
      const deleted = await deleteSession(place.context, id);
      assert.equal(existsSync(directory), false);
      assert.deepEqual(filesBelow(deleted.directory), files);
      for (const isIndexLost of [false, true]) {
        if (isIndexLost) rmSync(place.context.store.index);
        const again = await importSessions(place.context, {}, quiet);
        assert.equal(again.tools.find(({ tool }) => tool === adapter.id)?.deleted, 1);
        assert.ok((await listSessions(place.context, {})).sessions.every(({ session_id: other }) => other !== id));
      }
      assert.deepEqual(
        listTrash(place.context).map(({ session_id: one, message_count: count }) => [one, count]),
        [[id, before.find(({ session_id: one }) => one === id)?.message_count]],
      );
      assert.equal((await restoreSession(place.context, id.slice(4, 12))).directory, directory);
      assert.deepEqual(filesBelow(directory), files);
      assert.deepEqual((await listSessions(place.context, {})).sessions, before);
      assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
    });

    test('what was said while it lay in the trash comes in when it is restored', async (t) => {
      const place = scratch(t);
      installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
      await importSessions(place.context, {}, quiet);
      const id = await longest(place);
      const whole = await ids(place, id);
      const { reader } = await openSession(place.context, id);
      const [cursor] = Object.values(reader.commit?.cursors ?? {});
      const path = nativeFile(cursor?.path ?? '');
      const kept = readFileSync(path);
      rmSync(place.context.store.root, { recursive: true });
      const lines = kept.toString('utf8').trimEnd().split('\n');
      const isLog = lines.length > 4 && lines.every((line) => line.startsWith('{'));
      if (isLog) writeFileSync(path, `${lines.slice(0, Math.ceil(lines.length / 2)).join('\n')}\n`);
      await importSessions(place.context, {}, quiet);
      if (isLog) assert.ok((await ids(place, id)).length < whole.length);
      await deleteSession(place.context, id);
      writeFileSync(path, kept);
      await importSessions(place.context, {}, quiet);
      await restoreSession(place.context, id);
      await importSessions(place.context, {}, quiet);
      assert.deepEqual(await ids(place, id), whole);
    });
  });
}

test('after the trash was emptied it stays out, until restore lets what the tool still has in again', async (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  await importSessions(place.context, {}, quiet);
  const id = await longest(place);
  const whole = await ids(place, id);
  await deleteSession(place.context, id);
  assert.deepEqual(clearTrash(place.context), { emptied: [id] });
  assert.deepEqual(listTrash(place.context), []);
  assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
  assert.equal((await restoreSession(place.context, id)).directory, null);
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await ids(place, id), whole);
});

test('a directory in the trash without a tombstone, as a crash leaves it, is deleted all the same', async (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  await importSessions(place.context, {}, quiet);
  const id = await longest(place);
  await deleteSession(place.context, id);
  const ledger = join(place.context.store.ledger, 'tombstones.jsonl');
  writeFileSync(ledger, readFileSync(ledger, 'utf8').slice(0, 20));
  assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
  assert.equal(listTrash(place.context)[0]?.deleted_at, null);
  assert.equal((await restoreSession(place.context, id)).session_id, id);
});

test('a directory that was taken in and deleted says so when it is imported again', async (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  await importSessions(place.context, {}, quiet);
  const exported = await exportSession(place.context, {
    session: await longest(place),
    format: 'sfs',
    output: join(place.folder, 'out'),
  });
  const path = join(place.folder, 'copy.sfs');
  cpSync(exported.files[0] ?? '', path, { recursive: true });
  const taken = (await importSessions(place.context, { path }, quiet)).sessions[0]?.session_id ?? '';
  await deleteSession(place.context, taken);
  await assert.rejects(
    importSessions(place.context, { path }, quiet),
    (error) =>
      error instanceof SessionFsError &&
      error.code === 'already-exists' &&
      error.hint === `take it back first: sfs restore ${taken}`,
  );
});

test('on the command line: what is said, exit codes, JSON', (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  assert.equal(sfs(place, ['trash']).out, 'The trash is empty.\n');
  assert.equal(sfs(place, ['delete', '@last']).status, 3);
  assert.equal(sfs(place, ['trash', 'empty']).out, 'Removed 0 sessions for good.\n');
  installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  sfs(place, ['import']);
  const id = sfs(place, ['list', '--quiet']).out.split('\n')[0] ?? '';
  const deleted = JSON.parse(sfs(place, ['delete', id, '--json']).out) as { session_id: string; directory: string };
  assert.equal(deleted.session_id, id);
  assert.ok(existsSync(deleted.directory));
  assert.match(sfs(place, ['import']).out, /1 deleted here/);
  const show = sfs(place, ['show', id]);
  assert.deepEqual([show.status, show.err], [3, `sfs: ${id} was deleted\nhint: take it back: sfs restore ${id}\n`]);
  assert.equal((JSON.parse(sfs(place, ['trash', '--json']).out) as unknown[]).length, 1);
  assert.match(sfs(place, ['trash']).out, new RegExp(`^ID .*\n${id} `));
  assert.deepEqual([sfs(place, ['restore', 'nobody']).status, sfs(place, ['restore', '']).status], [3, 3]);
  const asked = sfs(place, ['trash', 'empty', '--json']);
  assert.deepEqual(
    [asked.status, asked.out, asked.err],
    [
      2,
      '',
      'sfs: 1 session would be removed for good, and nobody can be asked here\nhint: if that is meant: sfs trash empty --yes\n',
    ],
  );
  assert.equal(sfs(place, ['restore', id]).status, 0);
  sfs(place, ['alias', id, 'gate']);
  sfs(place, ['delete', 'gate']);
  assert.equal(sfs(place, ['restore', 'gate']).status, 0);
  assert.equal(sfs(place, ['restore', id]).status, 3, 'it is no longer deleted');
  assert.equal(sfs(place, ['show', id]).status, 0);
  sfs(place, ['delete', id]);
  assert.equal(sfs(place, ['trash', 'empty', '--yes']).out, 'Removed 1 session for good.\n');
  sfs(place, ['restore', id]);
  sfs(place, ['import']);
  const lock = join(place.context.store.sessions, `${id}.sfs`, 'meta', 'lock');
  writeFileSync(lock, `${process.pid}/0`);
  for (const command of [
    ['delete', id],
    ['rename', id, 'x'],
    ['tag', id, 'x'],
    ['checkpoint', id, '--name', 'x'],
  ]) {
    const { status, err } = sfs(place, command);
    assert.deepEqual([status, err.split('\n')[0]], [4, `sfs: another process is writing ${id}`]);
  }
});

test('a session that is also in the trash is not deleted over the one there', async (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  await importSessions(place.context, {}, quiet);
  const id = await longest(place);
  const copy = join(place.folder, 'copy');
  cpSync(place.context.store.sessions, copy, { recursive: true });
  const { directory } = await deleteSession(place.context, id);
  const files = filesBelow(directory);
  cpSync(copy, place.context.store.sessions, { recursive: true });
  for (const work of [deleteSession(place.context, id), restoreSession(place.context, id)])
    await assert.rejects(work, (error) => error instanceof SessionFsError && error.code === 'already-exists');
  assert.deepEqual(filesBelow(directory), files);
});
