/** Gemini CLI's own deletions, and its named snapshots: what was captured goes on. */

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { forkSession } from '../../src/actions/fork.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { reparseSessions } from '../../src/actions/reparse.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import { wholeArchive } from '../../src/store/archive.ts';
import { fixturesOf, installProgram, installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const quiet = (): void => undefined;
const gemini = adapters.find(({ id }) => id === 'gemini-cli');
assert.ok(gemini !== undefined);

test('each file that its clean-up deletes is in the store byte for byte, and the session goes on under its own id', async (t) => {
  for (const recording of recordingsOf(gemini)) {
    const place = scratch(t);
    const home = installRecording(place, gemini, recording);
    const files = new Map(
      readdirSync(join(home, 'tmp'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== '.project_root')
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path, readFileSync(path)] as const),
    );
    await importSessions(place.context, {}, quiet);
    for (const path of files.keys()) rmSync(path);
    assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
    const { sessions } = await listSessions(place.context, {});
    for (const { session_id: id, native_id: nativeId, ghost } of sessions) {
      assert.equal(ghost, true);
      const { reader } = await openSession(place.context, id);
      for (const [key, archived] of Object.entries(reader.commit?.native ?? {})) {
        const path = reader.commit?.cursors[key]?.path ?? '';
        assert.ok(files.get(path)?.equals(wholeArchive(reader.folder, key, archived)), path);
        files.delete(path);
      }
      const before = [...reader.lines()];
      const resumed = await resume(place.context, { session: id, project: place.project });
      const isSnapshot = nativeId?.startsWith('checkpoint:') === true;
      assert.deepEqual(
        [resumed.how, resumed.session_id === id, resumed.native_id === nativeId],
        ['converted', !isSnapshot, !isSnapshot],
      );
      assert.deepEqual(resumed.command, ['gemini', '--resume', resumed.native_id]);
      await importSessions(place.context, {}, quiet);
      assert.deepEqual([...(await openSession(place.context, id)).reader.lines()], before, 'nothing is said twice');
    }
    // No file of a session was passed over.
    assert.deepEqual([...files.keys()], [], recording);
  }
});

test('a session whose file was deleted goes on, though what a resume began with is left under its id', async (t) => {
  const place = scratch(t);
  const home = installRecording(place, gemini, '0.61.0-headless');
  await importSessions(place.context, {}, quiet);
  const find = async (): Promise<{ session_id: string; native_id: string | null; ghost: boolean }> => {
    const session = (await listSessions(place.context, {})).sessions.find(({ native_id: id }) =>
      id?.startsWith('0a53'),
    );
    assert.ok(session !== undefined);
    return session;
  };
  const { session_id: id, native_id: nativeId } = await find();
  const before = [...(await openSession(place.context, id)).reader.lines()];
  const chats = join(home, 'tmp/my-project-1/chats');
  const left = readFileSync(
    join(fixturesOf(gemini), '0.61.0-resumed/tmp/beta/chats/session-2026-11-25T21-03-821badd8.jsonl'),
    'utf8',
  ).split('\n');
  rmSync(join(chats, 'session-2026-11-23T06-23-0a5317aa.jsonl'));
  writeFileSync(
    join(chats, 'session-2026-11-25T21-03-0a5317aa.jsonl'),
    `${left.slice(0, 2).join('\n')}\n`.replaceAll('821badd8-048a-4a17-9118-3d68b9341f09', nativeId ?? ''),
  );
  const { problems, sessions } = await importSessions(place.context, {}, quiet);
  assert.deepEqual([problems, sessions], [[], []]);
  assert.equal((await find()).ghost, true);
  const resumed = await resume(place.context, { session: id, project: place.project });
  assert.deepEqual([resumed.how, resumed.session_id, resumed.native_id], ['converted', id, nativeId]);
  await importSessions(place.context, {}, quiet);
  const { reader } = await openSession(place.context, id);
  assert.deepEqual([...reader.lines()], before);
  assert.equal((await find()).ghost, false);
  const [again] = await reparseSessions(place.context, { session: id, all: false, dryRun: false }, quiet);
  assert.deepEqual(
    [again?.outcome, again?.why],
    [
      'left',
      'it was written anew for its own tool, whose file was gone: what was said before and after stays as it was read',
    ],
  );
  assert.deepEqual([...(await openSession(place.context, id)).reader.lines()], before);
  assert.equal((await resume(place.context, { session: id })).how, 'opened');
});

test('a named snapshot goes on as a child, each time as another, and stays as it is', async (t) => {
  const place = scratch(t);
  const home = installRecording(place, gemini, '0.61.0-interactive');
  await importSessions(place.context, {}, quiet);
  const snapshot = (await listSessions(place.context, {})).sessions.find(({ title }) => title === 'mytag');
  assert.ok(snapshot !== undefined);
  const children = [];
  for (let count = 0; count < 2; count += 1) {
    const resumed = await resume(place.context, { session: snapshot.session_id, project: place.project });
    assert.deepEqual([resumed.how, resumed.parent_session_id], ['converted', snapshot.session_id]);
    assert.ok(resumed.files.every((path) => path.startsWith(home)));
    assert.equal(resumed.carried.calls, 3);
    children.push(resumed.native_id);
  }
  assert.equal(new Set([snapshot.native_id, ...children]).size, 3);
  assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
});

test('calls made at once are one record for an older version, and still the messages they were', async (t) => {
  const place = scratch(t);
  const codex = adapters.find(({ id }) => id === 'codex');
  assert.ok(codex !== undefined);
  installRecording(place, codex, '0.169.0');
  installProgram(place, gemini, '0.52.0');
  await importSessions(place.context, {}, quiet);
  const { sessions } = await listSessions(place.context, {});
  const parent = sessions.find(({ native_id: id }) => id?.startsWith('01a206d7'));
  assert.ok(parent !== undefined);
  const results = [...(await openSession(place.context, parent.session_id)).reader.live()].filter(
    ({ content }) => content[0]?.type === 'tool_result' && /\n[ABC]\n$/.test(String(content[0]['content'])),
  );
  assert.equal(results.length, 3);
  const at = results.at(-1)?.msg_id ?? '';
  const forked = await forkSession(place.context, { session: parent.session_id, name: 'Three results', at });
  const request = { session: forked.session_id, in: 'gemini-cli', project: place.project };
  const { files, session_id: child } = await resume(place.context, request);
  const path = files.find((each) => each.endsWith('.jsonl'));
  assert.ok(path !== undefined);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const last: Record<string, unknown> = JSON.parse(lines.at(-1) ?? '');
  assert.equal(Array.isArray(last['content']) && last['content'].length, 3);
  const next = { id: 'next', timestamp: '2027-01-01T00:00:00.000Z', type: 'user', content: [{ text: 'And now?' }] };
  appendFileSync(path, `${JSON.stringify(next)}\n`);
  await importSessions(place.context, {}, quiet);
  const { reader } = await openSession(place.context, child);
  const [said, ...others] = [...reader.live()].filter(({ msg_id: id }) => !reader.liveIds(at).includes(id));
  assert.deepEqual([said?.parent_msg_id, others.length], [at, 0]);
});

test('two lines glued together by a torn write are one counted loss, kept as bytes; the lines around them are read', async (t) => {
  const place = scratch(t);
  const home = installRecording(place, gemini, '0.61.0-headless');
  const path = join(home, 'tmp/my-project-1/chats/session-2026-11-23T06-23-11111111.jsonl');
  const [head = '', ...lines] = readFileSync(path, 'utf8').split('\n');
  const torn = lines.findIndex((line) => line.includes('"type":"gemini"'));
  lines.splice(torn, 0, (lines[torn] ?? '').slice(0, 80) + JSON.stringify({ $set: { summary: 'never' } }));
  writeFileSync(path, [head, ...lines].join('\n'));
  await importSessions(place.context, {}, quiet);
  const { reader } = await openSession(place.context, '11111111');
  assert.deepEqual(reader.commit?.losses, { 'malformed-line': 1 });
  assert.equal(reader.commit?.records['malformed'], 1);
  assert.deepEqual(
    reader
      .timeline()
      .toArray()
      .map(({ role }) => role),
    ['user', 'assistant'],
  );
  for (const [key, archived] of Object.entries(reader.commit?.native ?? {}))
    assert.equal(wholeArchive(reader.folder, key, archived).toString(), readFileSync(path, 'utf8'));
});

test('a document whose cursor was lost is archived anew, never behind what was kept', async (t) => {
  const place = scratch(t);
  const home = installRecording(place, gemini, '0.20.0');
  await importSessions(place.context, {}, quiet);
  const { sessions } = await listSessions(place.context, {});
  for (const { session_id: id } of sessions) {
    // As a power cut may leave it: shorter than the commit promised.
    const { reader } = await openSession(place.context, id);
    truncateSync(join(reader.folder, 'messages.jsonl'), 1);
  }
  for (const entry of readdirSync(home, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), 1, 1);
  await importSessions(place.context, {}, quiet);
  let documents = 0;
  for (const { session_id: id } of sessions) {
    const { reader } = await openSession(place.context, id);
    for (const [key, archived] of Object.entries(reader.commit?.native ?? {})) {
      const path = reader.commit?.cursors[key]?.path ?? '';
      assert.ok(readFileSync(path).equals(wholeArchive(reader.folder, key, archived)), path);
      documents += Number(path.endsWith('.json'));
    }
  }
  assert.ok(documents > 0);
});
