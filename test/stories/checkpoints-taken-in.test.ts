/** Checkpoints come along with a session that is taken in: they stand where they stood, and none can do harm. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { listCheckpoints, makeCheckpoint } from '../../src/actions/checkpoint.ts';
import { exportSession } from '../../src/actions/export.ts';
import { forkSession } from '../../src/actions/fork.ts';
import { importSessions } from '../../src/actions/import.ts';
import { openSession } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { tar } from '../../src/io/tar.ts';
import { textOf } from '../../src/model/message.ts';
import { SessionReader } from '../../src/store/session-reader.ts';
import { readerAt } from '../../src/store/checkpoints.ts';
import { schemas } from '../support/schemas.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';
import { diary } from './diary/index.ts';

const quiet = (): void => undefined;
const at = (second: number): string => `2026-11-01T10:00:0${second}.000Z`;

interface Made extends Scratch {
  readonly id: string;
  say(said: string, second: number): void;
  exported(name: string): Promise<string>;
}

/** A session with two checkpoints: after two messages, and after a step back and another way. */
async function withCheckpoints(t: TestContext): Promise<Made> {
  const place = scratch(t, { adapters: [...adapters, diary] });
  mkdirSync(join(place.home, '.diary'));
  const path = join(place.home, '.diary', 'door.jsonl');
  writeFileSync(path, `${JSON.stringify({ title: 'Paint the door', where: place.project })}\n`);
  const say = (said: string, second: number): void =>
    appendFileSync(path, `${JSON.stringify({ who: second % 2 === 1 ? 'me' : 'it', said, at: at(second) })}\n`);
  say('Paint it green.', 1);
  say('It is green.', 2);
  await importSessions(place.context, { from: 'diary' }, quiet);
  const id = (await openSession(place.context, '@last')).reader.id;
  await makeCheckpoint(place.context, { session: id, name: 'green' });
  say('And the frame.', 3);
  await makeCheckpoint(place.context, { session: id, name: 'frame' });
  say('Done.', 4);
  await importSessions(place.context, { from: 'diary' }, quiet);
  const exported = async (name: string): Promise<string> => {
    const output = join(place.folder, 'out', name);
    const { files } = await exportSession(place.context, { session: id, format: 'sfs', output });
    return files[0] ?? '';
  };
  return { ...place, id, say, exported };
}

async function takenIn(place: Scratch, path: string): Promise<string> {
  const { sessions } = await importSessions(place.context, { path }, quiet);
  return sessions[0]?.session_id ?? '';
}

async function stood(place: Scratch, id: string): Promise<Record<string, readonly string[]>> {
  const { reader } = await openSession(place.context, id);
  const shown: Record<string, readonly string[]> = {};
  for (const { name } of await listCheckpoints(place.context, id))
    shown[name] = [...readerAt(reader, place.context.machine, name).live()].map(textOf);
  return shown;
}

const green = ['Paint it green.', 'It is green.'];

for (const name of ['folder', 'packed.tar.gz']) {
  test(`as ${name}: they stand where they stood, can be forked from, and come in once`, async (t) => {
    const place = await withCheckpoints(t);
    const path = await place.exported(name);
    const there = scratch(t, { adapters: [...adapters, diary] });
    const id = await takenIn(there, path);
    assert.deepEqual(await stood(there, id), { green, frame: [...green, 'And the frame.'] });
    const { reader } = await openSession(there.context, id);
    assert.equal(reader.manifest.checkpoint_count, 2);
    assert.deepEqual(schemas.manifest(reader.manifest), []);
    const forked = await forkSession(there.context, { session: id, name: 'Green', checkpoint: 'green' });
    assert.deepEqual([...(await openSession(there.context, forked.session_id)).reader.live()].map(textOf), green);

    await makeCheckpoint(there.context, { session: id, name: 'mine' });
    place.say('No, blue.', 5);
    await makeCheckpoint(place.context, { session: place.id, name: 'blue' });
    await importSessions(there.context, { path: await place.exported(`again-${name}`) }, quiet);
    const whole = [...green, 'And the frame.', 'Done.'];
    assert.deepEqual(await stood(there, id), {
      green,
      frame: [...green, 'And the frame.'],
      mine: whole,
      blue: [...whole, 'No, blue.'],
    });
    assert.equal((await openSession(there.context, id)).reader.manifest.checkpoint_count, 4);
  });
}

for (const adapter of adapters) {
  test(`${adapter.name}: in every recording a checkpoint is the same session there as here`, async (t) => {
    const place = scratch(t);
    installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
    await importSessions(place.context, {}, quiet);
    const there = scratch(t);
    const folders = readdirSync(place.context.store.sessions).map((name) => join(place.context.store.sessions, name));
    for (const folder of folders) {
      const own = SessionReader.at(folder);
      await makeCheckpoint(place.context, { session: own.id, name: 'now' });
      const path = join(place.folder, `${own.id}.tar.gz`);
      await exportSession(place.context, { session: own.id, format: 'sfs', output: path });
      const { reader } = await openSession(there.context, await takenIn(there, path));
      const taken = readerAt(reader, there.context.machine, 'now');
      assert.deepEqual([...taken.live()], [...own.live()]);
      assert.deepEqual(taken.timeline().toArray(), own.timeline().toArray());
    }
  });
}

test('copies, as 0.1.0 made them, are taken in as the session is: hung in a line, what does not fit left out', async (t) => {
  const place = scratch(t);
  const folder = join(place.folder, 'old.sfs');
  const copy = join(folder, 'checkpoints', 'v1');
  mkdirSync(copy, { recursive: true });
  const manifest = { sfs_version: '0.1.0', session_id: 'ses_old12345', created_at: at(0), source: { tool: 'codex' } };
  const said = (id: string, words: string): string =>
    `${JSON.stringify({ msg_id: id, role: 'user', content: [{ type: 'text', text: words }], turn_id: 5 })}\n`;
  for (const [where, lines] of [
    [folder, said('a', 'one') + said('b', 'two') + said('c', 'three')],
    [copy, `${said('a', 'one')}x\n${said('b', 'two')}`],
  ] as const) {
    writeFileSync(join(where, 'manifest.json'), JSON.stringify(manifest));
    writeFileSync(join(where, 'messages.jsonl'), lines);
  }
  const id = await takenIn(place, folder);
  assert.deepEqual(await stood(place, id), { v1: ['one', 'two'] });
  const kept = SessionReader.at(join(place.context.store.sessions, `${id}.sfs`, 'checkpoints', 'v1'));
  assert.deepEqual([...kept.lines()].flatMap(schemas.message), []);
  assert.equal((await importSessions(place.context, { path: folder }, quiet)).tools[0]?.unchanged, 1);
});

describe('what is no checkpoint is left out and counted', () => {
  const good = { name: 'x', created_at: at(1), leaf: null, message_count: 1, messages_bytes: 10, live_bytes: 0 };

  test('in a directory', async (t) => {
    const place = await withCheckpoints(t);
    const path = await place.exported('folder');
    const folder = join(path, 'checkpoints');
    const put = (name: string, text: string): void => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'checkpoint.json'), text);
    };
    for (const name of ['..x', 'a..b', '-x', ' x', 'ü', 'a\nb', 'x'.repeat(101), '\u001B[2J'])
      put(name, JSON.stringify(good));
    for (const [index, text] of [
      '{',
      '[]',
      JSON.stringify({ ...good, created_at: '\u001B[2J' }),
      JSON.stringify({ ...good, leaf: 5 }),
      JSON.stringify({ ...good, messages_bytes: -1 }),
      JSON.stringify({ ...good, live_bytes: 1.5 }),
    ].entries())
      put(`bad${index}`, text);
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'green'), join(folder, 'link'));
    mkdirSync(join(folder, 'half'));
    symlinkSync('/etc/hostname', join(folder, 'half', 'checkpoint.json'));
    // Beyond the end it stands at the end; within a line, before it.
    put('far', JSON.stringify({ ...good, messages_bytes: 1e15, live_bytes: 1e15 }));
    put('within', JSON.stringify(good));
    const id = await takenIn(place, path);
    const { reader } = await openSession(place.context, id);
    assert.deepEqual(reader.manifest.metadata?.losses, { 'checkpoint-name': 8, 'malformed-checkpoint': 10 });
    const whole = [...green, 'And the frame.', 'Done.'];
    assert.deepEqual(await stood(place, id), { green, frame: whole.slice(0, 3), far: whole, within: [] });
  });

  test('in an archive, where a name that leads out refuses the whole', async (t) => {
    const place = await withCheckpoints(t);
    const path = await place.exported('folder');
    const members = [...SessionReader.at(path).rawLines()].join('\n');
    const archive = (names: readonly string[]): string => {
      const files = [
        ['s/manifest.json', JSON.stringify(SessionReader.at(path).manifest)],
        ['s/messages.jsonl', `${members}\n`],
        ...names.map((name) => [name, JSON.stringify({ ...good, messages_bytes: 1e6 })]),
      ] as const;
      const packed = files.map(([name = '', text = '']) => {
        const bytes = Buffer.from(text);
        return { name, sizeBytes: bytes.length, chunks: [bytes] };
      });
      const to = join(place.folder, 'made.tar.gz');
      writeFileSync(to, gzipSync(Buffer.concat([...tar(packed)])));
      return to;
    };
    const odd = ['a..b', '-x', 'ü', ' x', 'x'.repeat(101)].map((name) => `s/checkpoints/${name}/checkpoint.json`);
    const id = await takenIn(
      place,
      archive([...odd, 's/checkpoints/a..b/messages.jsonl', 's/checkpoints/ok/checkpoint.json', 's/checkpoints/x/y/z']),
    );
    const { reader } = await openSession(place.context, id);
    assert.deepEqual(reader.manifest.metadata?.losses, { 'checkpoint-name': 5 });
    assert.deepEqual(Object.keys(await stood(place, id)), ['ok']);
    for (const name of ['../x', '..', 'a/../../x', 'a\0b', '/x'])
      await assert.rejects(
        importSessions(place.context, { path: archive([`s/checkpoints/${name}/checkpoint.json`]) }, quiet),
        (error) => error instanceof SessionFsError && error.code === 'invalid-session',
        name,
      );
    assert.ok(!existsSync(join(place.context.store.root, 'incoming')));
  });

  test('beyond a hundred', async (t) => {
    const place = await withCheckpoints(t);
    const path = await place.exported('folder');
    for (let count = 0; count < 103; count += 1)
      cpSync(join(path, 'checkpoints', 'green'), join(path, 'checkpoints', `z${count}`), { recursive: true });
    const id = await takenIn(place, path);
    const { reader } = await openSession(place.context, id);
    assert.deepEqual(
      [reader.manifest.checkpoint_count, reader.manifest.metadata?.losses],
      [100, { 'checkpoint-too-many': 5 }],
    );
    rmSync(path, { recursive: true });
  });
});
