/** A `.sfs` directory from elsewhere, and a store that was hurt: nothing merges into our own, nothing is lost. */

import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setConfig } from '../../src/actions/config.ts';
import { contextOf } from '../../src/actions/context.ts';
import { exportSession } from '../../src/actions/export.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession, timelineOf } from '../../src/actions/show.ts';
import { isEnabled } from '../../src/actions/tools.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { textOf } from '../../src/model/message.ts';
import { archivedBytes } from '../../src/store/archive.ts';
import type { Scratch } from '../support/scratch.ts';
import { scratch } from '../support/scratch.ts';
import { diary } from './diary/index.ts';

const quiet = (): void => undefined;
const at = (second: number): string => `2026-11-01T10:00:0${second}.000Z`;
const line = (who: string, said: string, second: number): string =>
  `${JSON.stringify({ who, said, at: at(second) })}\n`;

async function diarySession(t: TestContext): Promise<{ readonly place: Scratch; readonly path: string }> {
  const place = scratch(t, { adapters: [...adapters, diary] });
  mkdirSync(join(place.home, '.diary'));
  const path = join(place.home, '.diary', 'door.jsonl');
  const head = `${JSON.stringify({ title: 'Paint the door', where: place.project })}\n`;
  writeFileSync(path, head + line('me', 'Paint it green.', 1) + line('it', 'It is green.', 2));
  await importSessions(place.context, { from: 'diary' }, quiet);
  return { place, path };
}

async function exported(place: Scratch): Promise<string> {
  const { files } = await exportSession(place.context, {
    session: '@last',
    format: 'sfs',
    output: join(place.folder, 'out'),
  });
  return files[0] ?? '';
}

test('it gets an id of its own, and resuming it never touches the session it was made from', async (t) => {
  const { place } = await diarySession(t);
  const own = (await listSessions(place.context, {})).sessions[0]?.session_id ?? '';
  const before = await openSession(place.context, own);
  const archived = archivedBytes(before.reader.commit?.native['main'] ?? { generation: 0, frames: [], tailBytes: 0 });
  const [taken] = (await importSessions(place.context, { path: await exported(place) }, quiet)).sessions;
  assert.notEqual(taken?.session_id, own);
  const resumed = await resume(place.context, { session: taken?.session_id ?? '', in: 'diary' });
  assert.deepEqual([resumed.how, resumed.parent_session_id], ['converted', taken?.session_id]);
  assert.notEqual(resumed.native_id, 'door');
  const after = await openSession(place.context, own);
  assert.equal(after.reader.manifest.parent_session_id, null);
  assert.equal(
    archivedBytes(after.reader.commit?.native['main'] ?? { generation: 0, frames: [], tailBytes: 0 }),
    archived,
  );
});

test('an exported directory does not say where its source lay', async (t) => {
  const { place } = await diarySession(t);
  const manifest = readFileSync(join(await exported(place), 'manifest.json'), 'utf8');
  assert.ok(!manifest.includes(place.home), manifest);
});

test('a flat directory, as 0.1.0 wrote them, goes on whole, with odd blocks and missing times kept', async (t) => {
  const place = scratch(t, { adapters: [...adapters, diary] });
  const folder = join(place.folder, 'old.sfs');
  mkdirSync(folder);
  const manifest = {
    sfs_version: '0.1.0',
    session_id: 'ses_old12345',
    created_at: at(0),
    source: { tool: 'codex' },
    title: 'Old',
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const messages = [
    { msg_id: 'msg_0000', role: 'user', content: [{ type: 'text', text: 'One.' }], timestamp: at(1) },
    { msg_id: 'msg_0001', role: 'assistant', content: [{ type: 'text', text: 'Two.' }] },
    {
      msg_id: 'msg_0002',
      role: 'user',
      content: [
        { type: 'text', text: 'Three.' },
        { type: 'image', source: { url: 'x' } },
      ],
      timestamp: at(3),
    },
    { msg_id: 'msg_0003', role: 'assistant', content: [{ type: 'text', text: 'Four.' }], timestamp: at(4) },
  ];
  writeFileSync(join(folder, 'messages.jsonl'), messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  await importSessions(place.context, { path: folder }, quiet);
  const { reader, shown } = await openSession(place.context, '@last');
  assert.equal(shown.message_count, 4);
  assert.deepEqual(reader.manifest.metadata?.losses, { 'malformed-block': 1, 'message-without-time': 1 });
  const resumed = await resume(place.context, { session: '@last', in: 'diary', project: place.project });
  const { reader: child } = await openSession(place.context, resumed.session_id);
  assert.deepEqual([...child.live()].map(textOf), ['One.', 'Two.', 'Three.', 'Four.']);
  assert.deepEqual(
    (await importSessions(place.context, { path: folder }, quiet)).sessions.map(({ outcome }) => outcome),
    ['unchanged'],
  );
});

test('a message nested deeper than can be written is left out and counted, the others come in', async (t) => {
  const place = scratch(t);
  const folder = join(place.folder, 'deep.sfs');
  mkdirSync(folder);
  const facts = { sfs_version: '0.1.0', session_id: 'ses_deep12345', created_at: at(0), source: { tool: 'codex' } };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(facts));
  const said = (id: string, more: string): string =>
    `{"msg_id":"${id}","role":"user","timestamp":"${at(1)}","content":[{"type":"text","text":"${id}"}${more}]}\n`;
  const deep = `,{"type":"odd","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  writeFileSync(join(folder, 'messages.jsonl'), said('a', '') + said('b', deep) + said('c', ''));
  await importSessions(place.context, { path: folder }, quiet);
  const { reader } = await openSession(place.context, '@last');
  assert.deepEqual(reader.timeline().toArray().map(textOf), ['a', 'c']);
  assert.deepEqual(reader.manifest.metadata?.losses, { 'malformed-message': 1 });
});

test('a directory that grew brings its new messages into the live view', async (t) => {
  const { place, path } = await diarySession(t);
  const first = join(place.folder, 'first.sfs');
  cpSync(await exported(place), first, { recursive: true });
  await importSessions(place.context, { path: first }, quiet);
  appendFileSync(path, line('me', 'And the frame?', 3));
  await importSessions(place.context, { from: 'diary' }, quiet);
  rmSync(join(place.folder, 'out'), { recursive: true });
  const own = (await listSessions(place.context, {})).sessions.find(
    ({ native_id: id, message_count: count }) => id === 'door' && count === 3,
  );
  const { files } = await exportSession(place.context, {
    session: own?.session_id ?? '',
    format: 'sfs',
    output: join(place.folder, 'out'),
  });
  const [taken] = (await importSessions(place.context, { path: files[0] ?? '' }, quiet)).sessions;
  assert.equal(taken?.outcome, 'grown');
  const { reader } = await openSession(place.context, taken?.session_id ?? '');
  assert.deepEqual([...reader.live()].map(textOf), ['Paint it green.', 'It is green.', 'And the frame?']);
});

test('a store that lost the end of a file keeps the rest and its native bytes, also when the source is gone', async (t) => {
  const { place, path } = await diarySession(t);
  const { reader } = await openSession(place.context, '@last');
  const native = archivedBytes(reader.commit?.native['main'] ?? { generation: 0, frames: [], tailBytes: 0 });
  const messages = join(reader.folder, 'messages.jsonl');
  const firstLine = readFileSync(messages, 'utf8').indexOf('\n') + 1;
  truncateSync(messages, firstLine + 20);
  writeFileSync(path, line('me', 'A new page.', 5));
  await importSessions(place.context, { from: 'diary' }, quiet);
  const { reader: after } = await openSession(place.context, reader.id);
  assert.deepEqual(after.timeline().toArray().map(textOf), ['Paint it green.', 'A new page.']);
  assert.equal(after.manifest.stats?.message_count, 2);
  assert.equal(after.commit?.native['main']?.generation, 1, 'the older generation stays beside the new one');
  assert.ok(readFileSync(join(reader.folder, 'native', 'main', '0', 'tail.0')).length === native);
});

test('a commit of a newer version is refused by name and left alone', async (t) => {
  const { place, path } = await diarySession(t);
  const { reader } = await openSession(place.context, '@last');
  const commit = join(reader.folder, 'meta', 'commit.json');
  writeFileSync(commit, readFileSync(commit, 'utf8').replace('"version":1', '"version":2'));
  const before = readFileSync(commit, 'utf8');
  appendFileSync(path, line('me', 'More.', 4));
  const result = await importSessions(place.context, { from: 'diary' }, quiet);
  assert.deepEqual(
    result.sessions.map(({ outcome }) => outcome),
    ['failed'],
  );
  assert.match(result.problems[0]?.problem ?? '', /commit\.json is of version 2/);
  assert.equal(readFileSync(commit, 'utf8'), before);
  await assert.rejects(
    openSession(place.context, reader.id),
    (error) => error instanceof SessionFsError && error.code === 'newer-format',
  );
});

test('sections of one tool under several names count together, the one under its id most', async (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  await setConfig(place.context.store, `${adapter.aliases[0]}.enabled`, 'false');
  await setConfig(place.context.store, `${adapter.id.replaceAll('-', '_')}.home_dir`, '/somewhere');
  assert.equal(isEnabled(contextOf(place.context.machine, adapters), adapter), false);
});

test('a conversion under the session’s own id can be made again when its file is gone again', async (t) => {
  const { place, path } = await diarySession(t);
  const { writer } = diary;
  assert.ok(writer !== undefined);
  // A tool whose own bytes cannot be put back as they were.
  const context = {
    ...place.context,
    adapters: [...adapters, { ...diary, writer: { ...writer, restore: () => undefined } }],
  };
  for (let round = 0; round < 3; round += 1) {
    rmSync(path);
    const again = await resume(context, { session: 'door' });
    assert.deepEqual(
      [again.how, again.native_id, again.carried.user_texts, again.carried.assistant_texts],
      ['converted', 'door', 1, 1],
    );
    await importSessions(context, { from: 'diary' }, quiet);
  }
  const { reader } = await openSession(context, 'door');
  assert.deepEqual(timelineOf(reader).toArray().map(textOf), ['Paint it green.', 'It is green.']);
});
