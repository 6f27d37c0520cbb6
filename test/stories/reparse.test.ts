/** An earlier reader's messages become what today's reader makes of the same bytes, also when the tool has deleted them. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { importDirectory } from '../../src/actions/import-directory.ts';
import { exportSession } from '../../src/actions/export.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { renameSession, setAlias, tagSession } from '../../src/actions/registers.ts';
import { reparseSessions } from '../../src/actions/reparse.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { deleteSession } from '../../src/actions/trash.ts';
import { homeOf } from '../../src/actions/tools.ts';
import type { Adapter, Sink } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import type { Message } from '../../src/model/message.ts';
import { storeAt } from '../../src/store/store.ts';
import type { Store } from '../../src/store/store.ts';
import { diary } from './diary/index.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { fixturesOf, installRecording, recordingsOf, scratch, writable } from '../support/scratch.ts';

/** Another store of the same person. */
function storeBelow(place: Scratch, name: string): Store {
  return storeAt({
    ...place.context.machine,
    env: { ...place.context.machine.env, SFS_HOME: join(place.folder, name) },
  });
}

const quiet = (): void => undefined;
const one = (session: string) => ({ session, all: false, dryRun: false });
const all = { all: true, dryRun: false } as const;

/** The tool as an earlier version read it: no results of calls, long texts cut, no tokens, another version of the tool. */
function earlier(adapter: Adapter): Adapter {
  const { reader } = adapter;
  return {
    ...adapter,
    reader: {
      ...reader,
      decode: (record, state, given) => reader.decode(record, state, { ...given, sink: earlierSink(given.sink) }),
    },
  };
}

function earlierSink(sink: Sink): Sink {
  return {
    message: (message) => {
      if (message.role !== 'tool') sink.message({ ...message, content: message.content.map(shortened) });
    },
    usage: quiet,
    live: (op) => sink.live(op),
    copied: quiet,
    fact: (facts) => sink.fact({ ...facts, toolVersion: 'guessed' }),
    key: (key, id) => sink.key(key, id),
    loss: (name) => sink.loss(`earlier-${name}`),
  };
}

function shortened(block: Message['content'][number]): Message['content'][number] {
  return block.type === 'text' && typeof block.text === 'string' && block.text.length > 40
    ? { ...block, text: block.text.slice(0, 40) }
    : block;
}

interface State {
  readonly live: readonly Message[];
  readonly timeline: ReadonlyMap<string, Message>;
  readonly manifest: Record<string, unknown>;
  readonly tools: unknown;
  readonly workspace: unknown;
  readonly counted: unknown;
}

async function stateOf(place: Scratch, id: string): Promise<State> {
  const { reader } = await openSession(place.context, id);
  const { commit, manifest } = reader;
  return {
    live: [...reader.live()],
    timeline: new Map(
      reader
        .timeline()
        .toArray()
        .map((message) => [message.msg_id, message]),
    ),
    manifest: { ...manifest },
    tools: reader.tools,
    workspace: reader.workspace,
    counted: [commit?.tally, commit?.records, commit?.losses, commit?.facts, commit?.cursors, commit?.promptTitle],
  };
}

async function statesOf(place: Scratch): Promise<Map<string, State>> {
  const { sessions } = await listSessions(place.context, {});
  const states = new Map<string, State>();
  for (const { session_id: id } of sessions) states.set(id, await stateOf(place, id));
  return states;
}

function filled(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([, bytes]) => bytes !== ''));
}

/** Every file of the store's sessions. */
function bytesOf(place: Scratch): Record<string, string> {
  const folder = place.context.store.sessions;
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, 'base64')]),
  );
}

for (const adapter of adapters) {
  describe(adapter.name, () => {
    for (const recording of recordingsOf(adapter)) {
      test(`${recording}: read by today's reader already, nothing changes`, async (t) => {
        const place = scratch(t);
        installRecording(place, adapter, recording);
        await importSessions(place.context, {}, quiet);
        const before = bytesOf(place);
        rmSync(homeOf(place.context, adapter), { recursive: true });
        for (const session of await reparseSessions(place.context, all, quiet))
          assert.equal(session.outcome, 'unchanged', `${session.session_id} ${JSON.stringify(session)}`);
        assert.deepEqual(bytesOf(place), before);
      });

      test(`${recording}: read by an earlier reader and deleted by its tool, it becomes what a fresh capture gives`, async (t) => {
        const place = scratch(t);
        const home = installRecording(place, adapter, recording);
        const fresh = { ...place, context: { ...place.context, store: storeBelow(place, 'fresh') } };
        await importSessions(fresh.context, {}, quiet);
        await importSessions({ ...place.context, adapters: [earlier(adapter)] }, {}, quiet);
        const old = await statesOf(place);
        renameSync(home, `${home}.gone`);
        const done = await reparseSessions(place.context, all, quiet);
        const now = await statesOf(place);
        for (const [id, state] of await statesOf(fresh)) {
          const ours = now.get(id);
          if (ours === undefined) continue; // Only tool results: the earlier reader found no session in it.
          assert.deepEqual(ours.live, state.live, id);
          for (const [message, form] of state.timeline) assert.deepEqual(ours.timeline.get(message), form);
          for (const message of old.get(id)?.timeline.keys() ?? []) assert.ok(ours.timeline.has(message), message);
          assert.deepEqual(ours.manifest, state.manifest);
          assert.deepEqual([ours.tools, ours.workspace, ours.counted], [state.tools, state.workspace, state.counted]);
        }
        assert.deepEqual(new Set(done.map(({ outcome }) => outcome)), new Set(['changed']));
        const bytes = bytesOf(place);
        const again = await reparseSessions(place.context, all, quiet);
        assert.deepEqual(new Set(again.map(({ outcome }) => outcome)), new Set(['unchanged']));
        renameSync(`${home}.gone`, home);
        const { sessions } = await importSessions(place.context, {}, quiet);
        assert.deepEqual(sessions, []);
        assert.deepEqual(bytesOf(place), bytes);
      });
    }
  });
}

/** Sessions of all tools, as the earlier version read them; the longest of them. */
async function capturedEarlier(place: Scratch): Promise<string> {
  for (const adapter of adapters) installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
  await importSessions({ ...place.context, adapters: adapters.map(earlier) }, {}, quiet);
  const { sessions } = await listSessions(place.context, { sort: 'messages' });
  return sessions[0]?.session_id ?? '';
}

test('what a person set stays; the list shows what was derived', async (t) => {
  const place = scratch(t);
  const id = await capturedEarlier(place);
  await renameSession(place.context, id, 'Mine');
  await tagSession(place.context, id, { add: ['kept'] });
  await setAlias(place.context, id, 'gate');
  const before = (await listSessions(place.context, {})).sessions.find(({ session_id: each }) => each === id);
  const [done] = await reparseSessions(place.context, one('gate'), quiet);
  assert.equal(done?.outcome, 'changed');
  const after = (await listSessions(place.context, {})).sessions.find(({ session_id: each }) => each === id);
  assert.deepEqual([after?.title, after?.tags], ['Mine', ['kept']]);
  const { reader } = await openSession(place.context, 'gate');
  assert.equal(after?.message_count, reader.manifest.stats?.message_count);
  assert.equal((after?.message_count ?? 0) - (before?.message_count ?? 0), done.added);
  await importSessions(place.context, {}, quiet);
  assert.equal((await openSession(place.context, id)).reader.manifest.title, 'Mine');
});

test('a dry run says what would change and changes no byte', async (t) => {
  const place = scratch(t);
  await capturedEarlier(place);
  const before = bytesOf(place);
  const said = await reparseSessions(place.context, { all: true, dryRun: true }, quiet);
  assert.deepEqual(filled(bytesOf(place)), filled(before));
  assert.deepEqual(await reparseSessions(place.context, all, quiet), said);
  assert.notDeepEqual(bytesOf(place), before);
});

test('of a file that was rewritten, what it lost is derived again too', async (t) => {
  const place = scratch(t, { adapters: [diary] });
  const lines = ['A first long line that an earlier reader cut off somewhere.', 'two', 'three', 'four'].map(
    (said) => `${JSON.stringify({ who: 'me', said, at: '2026-11-01T10:00:00.000Z' })}\n`,
  );
  const folder = join(place.home, '.diary');
  mkdirSync(folder);
  const old = { ...place.context, adapters: [earlier(diary)] };
  const fresh = { ...place.context, store: storeBelow(place, 'fresh') };
  for (const kept of [
    [0, 1],
    [1, 3],
    [1, 3, 2],
  ]) {
    writeFileSync(join(folder, 'a.jsonl'), kept.map((index) => lines[index]).join(''));
    await importSessions(old, {}, quiet);
    await importSessions(fresh, {}, quiet);
  }
  const { session_id: id = '' } = (await listSessions(fresh, {})).sessions[0] ?? {};
  const wanted = await stateOf({ ...place, context: fresh }, id);
  assert.equal(wanted.timeline.size, 5);
  rmSync(folder, { recursive: true });
  await reparseSessions(place.context, all, quiet);
  const now = await stateOf(place, id);
  for (const [message, form] of wanted.timeline) assert.deepEqual(now.timeline.get(message), form);
  assert.deepEqual([now.live, now.manifest, now.counted], [wanted.live, wanted.manifest, wanted.counted]);
});

test('of a document that was rewritten at each turn, all its generations are derived again', async (t) => {
  const gemini = adapters.find((adapter) =>
    recordingsOf(adapter).some((name) => documentsOf(adapter, name).length > 0),
  );
  assert.ok(gemini !== undefined);
  const recording = recordingsOf(gemini).find((name) => documentsOf(gemini, name).length > 0) ?? '';
  const place = scratch(t);
  const home = installRecording(place, gemini, recording);
  const fresh = { ...place.context, store: storeBelow(place, 'fresh') };
  const [name = ''] = documentsOf(gemini, recording);
  const path = join(home, name);
  const whole = JSON.parse(readFileSync(path, 'utf8')) as { messages: unknown[] };
  for (const count of [1, 2, whole.messages.length]) {
    writeFileSync(path, JSON.stringify({ ...whole, messages: whole.messages.slice(0, count) }));
    await importSessions({ ...place.context, adapters: [earlier(gemini)] }, { path }, quiet);
    await importSessions(fresh, { path }, quiet);
  }
  const { session_id: id = '' } = (await listSessions(fresh, {})).sessions[0] ?? {};
  const wanted = await stateOf({ ...place, context: fresh }, id);
  rmSync(home, { recursive: true });
  const [done] = await reparseSessions(place.context, one(id), quiet);
  assert.equal(done?.outcome, 'changed');
  assert.ok(existsSync(join(place.context.store.sessions, `${id}.sfs`, 'native', name.split('/').at(-1) ?? '', '2')));
  const now = await stateOf(place, id);
  assert.deepEqual([now.live, now.manifest, now.counted], [wanted.live, wanted.manifest, wanted.counted]);
  assert.deepEqual((await reparseSessions(place.context, one(id), quiet))[0]?.outcome, 'unchanged');
});

/** The sessions of a recording that are one document each. */
function documentsOf(adapter: Adapter, recording: string): string[] {
  const folder = join(fixturesOf(adapter), recording);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /chats\/session-[^/]*\.json$/.test(path),
  );
}

test('what a fork inherited is read from the session that archives it, and without that the fork is left', async (t) => {
  const place = scratch(t);
  for (const adapter of adapters)
    for (const recording of recordingsOf(adapter)) {
      installRecording(place, adapter, recording);
    }
  await importSessions(place.context, {}, quiet);
  const forks: { readonly id: string; readonly path: string }[] = [];
  for (const { session_id: id } of (await listSessions(place.context, {})).sessions) {
    const { reader } = await openSession(place.context, id);
    const inherited = Object.values(reader.commit?.cursors ?? {}).find((cursor) => cursor.inherited === true);
    if (inherited !== undefined) forks.push({ id, path: inherited.path });
  }
  assert.ok(forks.length > 0);
  for (const adapter of adapters) rmSync(homeOf(place.context, adapter), { recursive: true });
  for (const { id } of forks)
    assert.equal((await reparseSessions(place.context, one(id), quiet))[0]?.outcome, 'unchanged', id);
  const forked = new Set(forks.map(({ id }) => id));
  for (const { session_id: id } of (await listSessions(place.context, {})).sessions)
    if (!forked.has(id)) await deleteSession(place.context, id);
  const [left] = await reparseSessions(place.context, one(forks[0]?.id ?? ''), quiet);
  assert.deepEqual(
    [left?.outcome, left?.why],
    ['left', `what it goes on from, ${forks[0]?.path}, is not in the store`],
  );
});

describe('a child that a resume placed', () => {
  for (const target of writable)
    test(`${target.name}: what the resume copied stays, and nothing is added`, async (t) => {
      const place = scratch(t);
      const source = adapters.find((adapter) => adapter !== target) ?? target;
      installRecording(place, source, recordingsOf(source).at(-1) ?? '');
      await importSessions(place.context, {}, quiet);
      const { sessions } = await listSessions(place.context, { sort: 'messages' });
      const request = { session: sessions[0]?.session_id ?? '', in: target.id, project: place.project };
      const { session_id: child } = await resume(place.context, request);
      const before = await stateOf(place, child);
      const [done] = await reparseSessions(place.context, one(child), quiet);
      // The manifest says where its source lies, as after its next capture.
      assert.deepEqual([done?.outcome, done?.added, done?.revised], ['changed', 0, 0]);
      const after = await stateOf(place, child);
      assert.deepEqual([after.live, after.timeline, after.counted], [before.live, before.timeline, before.counted]);
      assert.deepEqual(after.manifest['stats'], before.manifest['stats']);
      assert.equal((await reparseSessions(place.context, one(child), quiet))[0]?.outcome, 'unchanged');
      assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
    });

  test('what was said after is derived again, what was placed stays the parent’s', async (t) => {
    const place = scratch(t, { adapters: [...adapters, diary] });
    const source = adapters[0];
    assert.ok(source !== undefined);
    installRecording(place, source, recordingsOf(source)[0] ?? '');
    await importSessions(place.context, {}, quiet);
    const { session_id: parent = '' } = (await listSessions(place.context, { sort: 'messages' })).sessions[0] ?? {};
    const child = await resume(place.context, { session: parent, in: 'diary', project: place.project });
    const placed = (await stateOf(place, child.session_id)).live.length;
    const said = 'A long line that an earlier reader cut off somewhere behind its fortieth letter.';
    appendFileSync(child.files[0] ?? '', `${JSON.stringify({ who: 'me', said, at: '2026-11-26T10:00:00.000Z' })}\n`);
    cpSync(place.context.store.root, join(place.folder, 'fresh'), { recursive: true });
    const fresh = { ...place.context, store: storeBelow(place, 'fresh') };
    await importSessions(fresh, { from: 'diary' }, quiet);
    await importSessions({ ...place.context, adapters: [earlier(diary)] }, {}, quiet);
    rmSync(child.files[0] ?? '');
    const [done] = await reparseSessions(place.context, one(child.session_id), quiet);
    assert.equal(done?.outcome, 'changed');
    const now = await stateOf(place, child.session_id);
    const wanted = await stateOf({ ...place, context: fresh }, child.session_id);
    assert.equal(now.live.length, placed + 1);
    assert.deepEqual([now.live, now.manifest, now.counted], [wanted.live, wanted.manifest, wanted.counted]);
    assert.equal((await reparseSessions(place.context, one(child.session_id), quiet))[0]?.outcome, 'unchanged');
  });
});

describe('left as it is, with the reason', () => {
  test('one that was taken in, and a child whose resume is not in the ledger', async (t) => {
    const place = scratch(t);
    const id = await capturedEarlier(place);
    const tool = (await openSession(place.context, id)).reader.manifest.source.tool;
    const target = adapters.find((adapter) => adapter.id !== tool)?.id ?? '';
    const child = await resume(place.context, { session: id, in: target, project: place.project });
    rmSync(place.context.store.ledger, { recursive: true });
    const folder = join(place.folder, 'out');
    await exportSession(place.context, { session: id, format: 'sfs', output: folder });
    const taken = await importDirectory(place.context, join(folder, `${id}.sfs`));
    const before = bytesOf(place);
    for (const [session, why] of [
      [child.session_id, 'what a resume placed of it, and what was said after, cannot be told apart any more'],
      [taken.sessions[0]?.session_id ?? '', 'it has no native bytes to derive it from'],
    ] as const) {
      const [done] = await reparseSessions(place.context, one(session), quiet);
      assert.deepEqual([done?.outcome, done?.why], ['left', why]);
    }
    assert.deepEqual(filled(bytesOf(place)), filled(before));
  });

  test('one whose archive is damaged, and only that one', async (t) => {
    const place = scratch(t);
    const id = await capturedEarlier(place);
    const { reader } = await openSession(place.context, id);
    const frames = join(reader.folder, 'native', Object.keys(reader.commit?.native ?? {})[0] ?? '', '0', 'frames.zst');
    const bytes = readFileSync(frames);
    bytes[100] = (bytes[100] ?? 0) ^ 255;
    writeFileSync(frames, bytes);
    const before = await stateOf(place, id);
    const done = await reparseSessions(place.context, all, quiet);
    assert.deepEqual(
      done
        .filter(({ outcome }) => outcome !== 'changed')
        .map(({ session_id: session, outcome, why }) => [session, outcome, why]),
      [[id, 'failed', `${frames} is damaged at byte 0`]],
    );
    assert.deepEqual(await stateOf(place, id), before);
  });

  test('one whose tail is damaged', async (t) => {
    const place = scratch(t, { adapters: [diary] });
    mkdirSync(join(place.home, '.diary'));
    writeFileSync(join(place.home, '.diary', 'a.jsonl'), '{"who":"me","said":"one","at":"2026-11-01T10:00:00.000Z"}\n');
    await importSessions({ ...place.context, adapters: [earlier(diary)] }, {}, quiet);
    const { reader } = await openSession(place.context, '@last');
    const tail = join(reader.folder, 'native', 'main', '0', 'tail.0');
    writeFileSync(tail, readFileSync(tail, 'utf8').replace('one', 'two'));
    const [done] = await reparseSessions(place.context, all, quiet);
    assert.equal(done?.outcome, 'failed');
    assert.match(done.why ?? '', /^the archive of main in .*\.sfs does not hold what was read$/);
  });
});

test('on the command line: what is said, exit codes', async (t) => {
  const place = scratch(t);
  const id = await capturedEarlier(place);
  const dry = sfs(place, ['reparse', id, '--dry-run']);
  assert.match(
    dry.out,
    new RegExp(`^${id}: \\d+ messages new, \\d+ in a newer form\n1 session: 1 would change, 0 unchanged.\n$`),
  );
  const [done] = JSON.parse(sfs(place, ['reparse', id, '--json']).out) as { outcome: string; session_id: string }[];
  assert.deepEqual([done?.session_id, done?.outcome], [id, 'changed']);
  assert.equal(sfs(place, ['reparse', id]).out, '1 session: 0 changed, 1 unchanged.\n');
  assert.match(sfs(place, ['reparse', '--from', 'codex']).out, /sessions?: \d+ changed, \d+ unchanged\.\n$/);
  assert.equal(sfs(place, ['reparse', '--all']).status, 0);
  assert.match(sfs(place, ['reparse']).err, /^sfs: no session was named\nhint: type one of: sfs reparse ID/);
  assert.deepEqual(
    [['reparse'], ['reparse', id, '--all'], ['reparse', '--from', 'emacs'], ['reparse', 'nobody']].map(
      (args) => sfs(place, args).status,
    ),
    [2, 2, 2, 3],
  );
  const commit = join(place.context.store.sessions, `${id}.sfs`, 'meta', 'commit.json');
  writeFileSync(
    commit,
    readFileSync(commit, 'utf8').replace('"version":1', '"version":2').replace('"version": 1', '"version": 2'),
  );
  const newer = sfs(place, ['reparse', id]);
  assert.match(newer.out, /failed: .*commit\.json is of version 2; this program reads 1/);
  assert.equal(newer.status, 1);
});
