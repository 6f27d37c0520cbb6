/** Checkpoints never change, and a fork of one is a session of its own that goes on in every tool. */

import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { listCheckpoints, makeCheckpoint, removeCheckpoint } from '../../src/actions/checkpoint.ts';
import { exportSession } from '../../src/actions/export.ts';
import { forkSession } from '../../src/actions/fork.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions, listThreads } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { deleteSession } from '../../src/actions/trash.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { textOf } from '../../src/model/message.ts';
import { sfs } from '../support/command-line.ts';
import { schemas } from '../support/schemas.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch, writable } from '../support/scratch.ts';
import { diary } from './diary/index.ts';

const quiet = (): void => undefined;
const at = (second: number): string => `2026-11-01T10:00:0${second}.000Z`;
const line = (who: string, said: string, second: number): string =>
  `${JSON.stringify({ who, said, at: at(second) })}\n`;

async function refused(work: Promise<unknown>): Promise<SessionFsError> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof SessionFsError, `refused: ${String(error)}`);
  assert.ok(error.hint !== undefined, 'with a hint');
  return error;
}

async function texts(place: Scratch, session: string): Promise<string[]> {
  const { reader } = await openSession(place.context, session);
  return [...reader.live()].map(textOf);
}

/** A captured Diary session of two messages, and how it goes on. */
async function diarySession(
  t: TestContext,
): Promise<{ readonly place: Scratch; readonly id: string; readonly say: (text: string, second: number) => void }> {
  const place = scratch(t, { adapters: [...adapters, diary] });
  mkdirSync(join(place.home, '.diary'));
  const path = join(place.home, '.diary', 'door.jsonl');
  const head = `${JSON.stringify({ title: 'Paint the door', where: place.project })}\n`;
  writeFileSync(path, head + line('me', 'Paint it green.', 1) + line('it', 'It is green.', 2));
  await importSessions(place.context, { from: 'diary' }, quiet);
  const [session] = (await listSessions(place.context, {})).sessions;
  return {
    place,
    id: session?.session_id ?? '',
    say: (text, second) => appendFileSync(path, line('me', text, second)),
  };
}

for (const adapter of adapters) {
  test(`${adapter.name}: a fork stands alone, is valid, exports in every form and goes on in every tool`, async (t) => {
    const place = scratch(t);
    installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
    await importSessions(place.context, {}, quiet);
    const { sessions } = await listSessions(place.context, { sort: 'messages' });
    const id = sessions[0]?.session_id ?? '';
    const checkpoint = await makeCheckpoint(place.context, { session: id, name: 'here' });
    const { reader: parent } = await openSession(place.context, id);
    assert.deepEqual(schemas.manifest(parent.manifest), []);
    assert.equal(parent.manifest.checkpoint_count, 1);
    const live = [...parent.live()];
    const { workspace } = parent;
    const forked = await forkSession(place.context, { session: id, name: 'Other / way', checkpoint: 'here' });
    await deleteSession(place.context, id);
    const { reader, shown } = await openSession(place.context, forked.session_id);
    assert.deepEqual(
      [...reader.live()].map(({ msg_id: one, content }) => [one, content]),
      live.map(({ msg_id: one, content }) => [one, content]),
    );
    const { manifest } = reader;
    assert.deepEqual(
      [manifest.title, manifest.parent_session_id, manifest.metadata?.base, manifest.metadata?.forked_from_checkpoint],
      ['Other / way', id, { session: id, msg: checkpoint.leaf }, 'here'],
    );
    assert.deepEqual([shown.message_count, shown.tool, shown.native_id], [0, adapter.id, null]);
    assert.deepEqual(schemas.manifest(manifest), []);
    assert.deepEqual(reader.workspace, workspace && { ...workspace, files: [] });
    if (reader.workspace !== undefined) assert.deepEqual(schemas.workspace(reader.workspace), []);
    for (const message of reader.lines()) assert.deepEqual(schemas.message(message), []);
    assert.ok((await listSessions(place.context, {})).sessions.some((one) => one.session_id === forked.session_id));
    for (const format of ['sfs', 'markdown', ...writable.map(({ id: tool }) => tool)]) {
      const output = join(place.folder, 'out', format);
      const { files } = await exportSession(place.context, { session: forked.session_id, format, output });
      assert.ok(files.length > 0 && files.every((file) => existsSync(file)), format);
    }
    for (const target of writable) {
      const request = { session: forked.session_id, in: target.id, project: place.project };
      const resumed = await resume(place.context, request);
      assert.deepEqual([resumed.how, resumed.parent_session_id], ['converted', forked.session_id]);
      assert.ok(resumed.carried.user_texts > 0);
      assert.deepEqual((await openSession(place.context, resumed.session_id)).reader.liveIds(), reader.liveIds());
    }
    const { sessions: came } = await importSessions(place.context, {}, quiet);
    assert.deepEqual(came, [], 'nothing of it is captured twice');
  });
}

describe('checkpoints', () => {
  test('one is taken of the session as it is now, and never changes', async (t) => {
    const { place, id, say } = await diarySession(t);
    say('And the frame.', 3);
    const made = await makeCheckpoint(place.context, { session: id, name: 'green' });
    assert.equal(made.message_count, 3, 'what the tool wrote meanwhile is in it');
    const file = join(place.context.store.sessions, `${id}.sfs`, 'checkpoints', 'green', 'checkpoint.json');
    const bytes = readFileSync(file, 'utf8');
    say('No, blue.', 4);
    await importSessions(place.context, {}, quiet);
    assert.equal(readFileSync(file, 'utf8'), bytes);
    assert.deepEqual(await listCheckpoints(place.context, id), [made]);
    assert.equal((await refused(makeCheckpoint(place.context, { session: id, name: 'green' }))).code, 'already-exists');
    const forked = await forkSession(place.context, { session: id, name: 'Green', checkpoint: 'green' });
    assert.deepEqual(await texts(place, forked.session_id), ['Paint it green.', 'It is green.', 'And the frame.']);
    assert.equal((await openSession(place.context, id)).reader.manifest.checkpoint_count, 1, 'capture keeps the count');
    await removeCheckpoint(place.context, id, 'green');
    assert.equal((await openSession(place.context, id)).reader.manifest.checkpoint_count, 0);
    assert.equal((await texts(place, forked.session_id)).length, 3, 'the fork stays');
  });

  test('those that 0.1.0 copied are listed and forked from', async (t) => {
    const { place, id, say } = await diarySession(t);
    const folder = join(place.context.store.sessions, `${id}.sfs`);
    mkdirSync(join(folder, 'checkpoints', 'old'), { recursive: true });
    for (const name of ['manifest.json', 'messages.jsonl'])
      cpSync(join(folder, name), join(folder, 'checkpoints', 'old', name));
    say('No, blue.', 3);
    await importSessions(place.context, {}, quiet);
    const [old] = await listCheckpoints(place.context, id);
    assert.deepEqual([old?.name, old?.message_count], ['old', 2]);
    const forked = await forkSession(place.context, { session: id, name: 'Old', checkpoint: 'old' });
    assert.deepEqual(await texts(place, forked.session_id), ['Paint it green.', 'It is green.']);
    assert.equal(forked.parent_session_id, id);
  });

  for (const name of ['', '-x', '..', '../x', 'a/b', 'a\0b', 'a..b', '.hidden', 'x'.repeat(101)])
    test(`${JSON.stringify(name.slice(0, 20))} is no name`, async (t) => {
      const { place, id } = await diarySession(t);
      const error = await refused(makeCheckpoint(place.context, { session: id, name }));
      assert.deepEqual([error.code, error.exit], ['usage', 2]);
      assert.equal((await refused(removeCheckpoint(place.context, id, name))).code, 'checkpoint-not-found');
      const request = { session: id, name: 'x', checkpoint: name };
      assert.equal((await refused(forkSession(place.context, request))).code, 'checkpoint-not-found');
      assert.equal(existsSync(join(place.context.store.sessions, `${id}.sfs`, 'checkpoints')), false);
      assert.equal((await listSessions(place.context, {})).sessions.length, 1, 'no fork is left behind');
    });
});

describe('a fork at a message', () => {
  test('goes on after it, also where the conversation went another way', async (t) => {
    const { place, id, say } = await diarySession(t);
    say('No, blue.', 3);
    await importSessions(place.context, {}, quiet);
    const [first] = (await openSession(place.context, id)).reader.liveIds();
    const forked = await forkSession(place.context, { session: id, name: 'Again', at: (first ?? '').slice(0, 12) });
    assert.deepEqual([forked.base_msg_id, forked.message_count], [first, 1]);
    assert.deepEqual(await texts(place, forked.session_id), ['Paint it green.']);
    const again = await forkSession(place.context, { session: forked.session_id, name: 'And again' });
    assert.equal(again.parent_session_id, forked.session_id);
    assert.deepEqual(await texts(place, again.session_id), ['Paint it green.']);
  });

  test('an unknown, an ambiguous, an empty one, and one beside a checkpoint are told', async (t) => {
    const { place, id } = await diarySession(t);
    const codes = [];
    for (const asked of ['nobody', 'msg_', ''])
      codes.push((await refused(forkSession(place.context, { session: id, name: 'x', at: asked }))).code);
    const both = { session: id, name: 'x', at: 'x', checkpoint: 'y' };
    codes.push((await refused(forkSession(place.context, both))).code);
    assert.deepEqual(codes, ['message-not-found', 'ambiguous-message', 'message-not-found', 'usage']);
    for (const name of ['', '  ', 'x'.repeat(81), 'a\0b', 'a\nb'])
      assert.equal((await refused(forkSession(place.context, { session: id, name }))).code, 'usage');
  });
});

test('on the command line, in the words of 0.1.0 too', (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  sfs(place, ['import']);
  const id = sfs(place, ['list', '--quiet', '--sort', 'messages']).out.split('\n')[0] ?? '';
  assert.match(sfs(place, ['checkpoint', id, '--name', 'first']).out, /^Checkpoint first of /);
  assert.match(sfs(place, ['checkpoint', 'create', id, 'second']).out, /^Checkpoint second of /);
  assert.deepEqual(
    (JSON.parse(sfs(place, ['checkpoint', 'list', id, '--json']).out) as { name: string }[]).map(({ name }) => name),
    ['first', 'second'],
  );
  assert.match(sfs(place, ['show', id]).out, /^Checkpoints: +first, second$/m);
  assert.match(sfs(place, ['checkpoint', 'list', id]).out, /^NAME +MSGS +MADE\nfirst /);
  const forked = sfs(place, ['fork', id, '--from-checkpoint', 'first', '--name', '../../x', '--json']);
  const { session_id: child, title } = JSON.parse(forked.out) as { session_id: string; title: string };
  assert.equal(title, '../../x');
  assert.match(sfs(place, ['show', child]).out, new RegExp(`Goes on from: +${id}`));
  const near = sfs(place, ['fork', id, '--from-checkpoint', 'frist', '--name', 'x']);
  assert.deepEqual([near.status, /did you mean first\?/.test(near.err)], [3, true]);
  assert.deepEqual(
    [
      sfs(place, ['checkpoint', 'create', id, 'first']).status,
      sfs(place, ['checkpoint', 'create', id]).status,
      sfs(place, ['checkpoint', 'delete', id, 'third']).status,
      sfs(place, ['checkpoint', 'delete', id, 'first']).status,
      sfs(place, ['fork', id]).status,
      sfs(place, ['fork', 'nobody', '--name', 'x']).status,
    ],
    [4, 2, 3, 0, 2, 3],
  );
  rmSync(place.context.store.index);
  assert.equal(sfs(place, ['show', child]).status, 0, 'the fork is known from its directory alone');
});

test('list --tree shows one thread across tools, children below what they go on from', async (t) => {
  const { place, id } = await diarySession(t);
  const [one, other] = adapters;
  assert.ok(one !== undefined && other !== undefined);
  const forked = await forkSession(place.context, { session: id, name: 'Blue' });
  const first = await resume(place.context, { session: forked.session_id, in: one.id });
  const second = await resume(place.context, { session: first.session_id, in: other.id });
  const { sessions } = await listThreads(place.context, {});
  assert.deepEqual(
    sessions.map(({ session_id: session, tool, depth }) => [session, tool, depth]),
    [
      [id, 'diary', 0],
      [forked.session_id, 'diary', 1],
      [first.session_id, one.id, 2],
      [second.session_id, other.id, 3],
    ],
  );
  const [head = '', ...rows] = sfs(place, ['list', '--tree']).out.trimEnd().split('\n');
  const titles = rows.map((row) => /^ *\S+ \S+/.exec(row.slice(head.indexOf('TITLE')))?.[0]);
  assert.deepEqual(titles, ['Paint the', '└ Blue', '  └ Blue', '    └ Blue']);
  const listed = JSON.parse(sfs(place, ['list', '--tree', '--json', '--tool', other.id]).out) as { depth: number }[];
  assert.deepEqual(
    listed.map(({ depth }) => depth),
    [0],
    'whose parent is not asked for begins a thread',
  );
});
