import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { exportSession } from '../../actions/export.ts';
import { importSessions } from '../../actions/import.ts';
import { listSessions } from '../../actions/list.ts';
import { reparseSessions } from '../../actions/reparse.ts';
import { resume } from '../../actions/resume.ts';
import type { Resumed } from '../../actions/resume.ts';
import { openSession } from '../../actions/show.ts';
import { isObject, listAt, objectAt, stringAt } from '../../model/json.ts';
import { textOf } from '../../model/message.ts';
import type { Message } from '../../model/message.ts';
import { sfs } from '../../../test/support/command-line.ts';
import { fixturesOf, installProgram, installRecording, scratch } from '../../../test/support/scratch.ts';
import type { Scratch } from '../../../test/support/scratch.ts';
import { adapter as claudeCode } from '../claude-code/index.ts';
import { faultsOf } from './check.ts';
import { adapter } from './index.ts';
import { jsonOf } from './native.ts';
import { bytesField, Fields, message, numberField } from './protobuf.ts';
import { root as numbers } from './stores.ts';
import { call, Editor, Store } from './test-support.ts';

const quiet = (): void => undefined;
const begin = Date.parse('2026-09-10T12:00:00Z');

const user = (text: string): object => ({
  role: 'user',
  content: [{ type: 'text', text: `<user_query>\n${text}\n</user_query>` }],
});
const answer = (...content: object[]): object => ({ role: 'assistant', content });
const said = (text: string): object => ({ type: 'text', text });
const hidden = { type: 'redacted-reasoning', data: 'aGlkZGVu' };
const thought = { type: 'reasoning', text: 'A listing, then.', signature: 'c2ln' };
const ls = { type: 'tool-call', toolCallId: 'toolu_1\nfc_1', toolName: 'Shell', args: { command: 'ls', b: 1, a: 2 } };
const listed = {
  role: 'tool',
  id: 'toolu_1',
  content: [
    {
      type: 'tool-result',
      toolCallId: 'toolu_1\nfc_1',
      toolName: 'Shell',
      result: 'a\nb\n',
      isError: true,
      experimental_content: [said('a\nb\n'), { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' }],
    },
  ],
};

/** A chat of `cursor-agent` with everything one holds, captured and resumed in another folder: a child, written anew. */
async function chatElsewhere(t: TestContext): Promise<{ readonly place: Scratch; readonly resumed: Resumed }> {
  const place = scratch(t);
  const store = new Store(place, 'c1', { cwd: place.project, title: 'Look around' });
  t.after(() => store.close());
  store.state(
    [user('List the files.'), answer(hidden, thought, said('Looking.'), ls), listed, answer(said('Two.'))],
    [],
    [[begin + 4000, 4000]],
  );
  await importSessions(place.context, {}, quiet);
  const elsewhere = join(place.folder, 'elsewhere');
  mkdirSync(elsewhere);
  const resumed = await resume(place.context, { session: '@last', project: elsewhere });
  return { place, resumed };
}

interface Graph {
  readonly meta: Record<string, unknown>;
  readonly root: Uint8Array;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

function graphIn(path: string): Graph {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const meta = jsonOf(database.prepare("select value from meta where key = '0'").get()?.['value']);
    assert.ok(isObject(meta));
    const blobs = new Map<string, Uint8Array>();
    for (const { id, data } of database.prepare('select id, data from blobs').all()) {
      assert.ok(typeof id === 'string' && data instanceof Uint8Array);
      blobs.set(id, data);
    }
    const root = blobs.get(stringAt(meta, 'latestRootBlobId') ?? '');
    assert.ok(root !== undefined);
    blobs.delete(stringAt(meta, 'latestRootBlobId') ?? '');
    return { meta, root, blobs };
  } finally {
    database.close();
  }
}

function messagesIn({ root, blobs }: Graph): unknown[] {
  return new Fields(root).get(numbers.messages).bytes.map((id) => jsonOf(blobs.get(Buffer.from(id).toString('hex'))));
}

/** Goes on as Cursor does: its own messages in front, what was there written anew in another order, a turn more. */
function goOn(path: string, ...more: object[]): void {
  const graph = graphIn(path);
  const database = new DatabaseSync(path);
  const put = (data: Buffer): Buffer => {
    const id = createHash('sha256').update(data).digest();
    database.prepare('insert or ignore into blobs values (?, ?)').run(id.toString('hex'), data);
    return id;
  };
  const json = (value: unknown): Buffer => put(Buffer.from(JSON.stringify(value)));
  const backwards = (value: unknown): unknown =>
    isObject(value) ? Object.fromEntries(Object.entries(value).toReversed()) : value;
  const before = new Fields(graph.root);
  const context = { role: 'user', content: [said('<user_info>\nOS: linux\n</user_info>')] };
  const prompt = put(message(bytesField(1, 'And now?'), numberField(25, begin + 60_000)));
  const root = message(
    ...[
      { role: 'system', content: 'You are an agent.' },
      context,
      ...messagesIn(graph).map((one) => ({
        ...(backwards(one) as object),
        content: listAt(one, 'content').map(backwards),
      })),
      ...more,
    ].map((one) => bytesField(1, json(one))),
    ...before.get(8).bytes.map((id) => bytesField(8, id)),
    bytesField(8, put(bytesField(1, message(bytesField(1, prompt))))),
    ...before.get(14).bytes.map((timing) => bytesField(14, timing)),
  );
  const meta = { ...graph.meta, latestRootBlobId: put(root).toString('hex') };
  database.prepare("update meta set value = ? where key = '0'").run(Buffer.from(JSON.stringify(meta)).toString('hex'));
  database.close();
}

const saidIn = (messages: Iterable<Message>): string[] => [...messages].map(textOf);

function storeOf(resumed: Resumed): string {
  return resumed.files.find((file) => file.endsWith('/store.db')) ?? '';
}

describe('a chat for cursor-agent', () => {
  test('lies where the folder’s chats lie, whole by itself, with what lists it', async (t) => {
    const { place, resumed } = await chatElsewhere(t);
    const md5 = createHash('md5').update(resumed.cwd).digest('hex');
    const folder = join(place.home, '.cursor', 'chats', md5, resumed.native_id);
    assert.deepEqual(readdirSync(folder).toSorted(), ['meta.json', 'store.db']);
    assert.deepEqual(resumed.files.toSorted(), [join(folder, 'meta.json'), join(folder, 'store.db')]);
    assert.deepEqual(resumed.command, ['cursor-agent', '--resume', resumed.native_id]);
    const { createdAtMs, updatedAtMs, ...listing } = JSON.parse(
      readFileSync(join(folder, 'meta.json'), 'utf8'),
    ) as Record<string, unknown>;
    assert.deepEqual(listing, { schemaVersion: 1, hasConversation: true, cwd: resumed.cwd, title: 'Look around' });
    assert.equal(createdAtMs, updatedAtMs);
    const graph = graphIn(storeOf(resumed));
    assert.deepEqual(faultsOf(graph.root, graph.blobs), []);
    assert.deepEqual(
      [graph.meta['agentId'], graph.meta['name'], graph.meta['mode']],
      [resumed.native_id, 'Look around', 'default'],
    );
    const state = new Fields(graph.root);
    assert.deepEqual(
      [state.get(8).bytes.length, Buffer.from(state.get(9).bytes[0] ?? []).toString(), state.get(10).numbers],
      [1, `file://${resumed.cwd}`, [1]],
    );
    const database = new DatabaseSync(storeOf(resumed), { readOnly: true });
    assert.deepEqual({ ...database.prepare('pragma user_version').get() }, { user_version: 1 });
    assert.deepEqual({ ...database.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' });
    database.close();
    assert.equal(statSync(storeOf(resumed)).mode & 0o777, 0o600);
  });

  test('gives Cursor back what its models made: thinking, ids and images, and leaves its own system prompt to it', async (t) => {
    const { resumed } = await chatElsewhere(t);
    assert.deepEqual(messagesIn(graphIn(storeOf(resumed))), [
      user('List the files.'),
      {
        id: '1',
        role: 'assistant',
        content: [hidden, thought, said('Looking.'), ls],
        providerOptions: { cursor: { modelName: 'composer-2' } },
      },
      { ...listed, id: 'toolu_1\nfc_1' },
      {
        id: '2',
        role: 'assistant',
        content: [said('Two.')],
        providerOptions: { cursor: { modelName: 'composer-2' } },
      },
    ]);
    assert.deepEqual(resumed.losses, {});
  });

  test('goes on there, and only what is said next is captured', async (t) => {
    const { place, resumed } = await chatElsewhere(t);
    const before = (await openSession(place.context, resumed.session_id)).reader;
    const placed = before.commit?.native;
    assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
    goOn(storeOf(resumed), user('And now?'), answer(said('Now nothing.')));
    const { sessions } = await importSessions(place.context, {}, quiet);
    assert.deepEqual(
      sessions.map(({ session_id: id, outcome }) => [id, outcome]),
      [[resumed.session_id, 'grown']],
    );
    const { reader, shown } = await openSession(place.context, resumed.session_id);
    assert.deepEqual(saidIn(reader.live()), ['List the files.', 'Looking.', '', 'Two.', 'And now?', 'Now nothing.']);
    assert.equal(
      [...reader.lines()].length,
      [...before.lines()].length + 3,
      'the context that Cursor adds is one more',
    );
    assert.equal(shown.message_count, 3);
    assert.deepEqual(reader.manifest.metadata?.base, before.manifest.metadata?.base);
    assert.equal(reader.timeline().find((one) => textOf(one) === 'And now?')?.timestamp, '2026-09-10T12:01:00.000Z');
    assert.notDeepEqual(reader.commit?.native, placed);
    const done = await reparseSessions(place.context, { session: reader.id, all: false, dryRun: false }, quiet);
    assert.deepEqual(
      done.map(({ outcome }) => outcome),
      ['unchanged'],
    );
  });

  test('that its tool has lost is written anew under its own id; one that is there is opened', async (t) => {
    const { place, resumed } = await chatElsewhere(t);
    const opened = await resume(place.context, { session: resumed.session_id });
    assert.deepEqual([opened.how, opened.files], ['opened', [storeOf(resumed)]]);
    rmSync(dirname(storeOf(resumed)), { recursive: true });
    await importSessions(place.context, {}, quiet);
    assert.equal(
      (await listSessions(place.context, {})).sessions.find(({ ghost }) => ghost)?.session_id,
      resumed.session_id,
    );
    const again = await resume(place.context, { session: resumed.session_id });
    assert.deepEqual(
      [again.how, again.native_id, again.session_id],
      ['converted', resumed.native_id, resumed.session_id],
    );
    assert.deepEqual(messagesIn(graphIn(storeOf(again))).length, 4);
    assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
  });

  test('of the editor goes on as a child: cursor-agent does not know the editor’s chats', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    editor.chat('e1', [
      { id: 'b1', type: 1, text: 'Test it.' },
      { id: 'b2', thinking: { text: 'A test.', signature: 'c2ln' }, capabilityType: 30 },
      {
        id: 'b3',
        toolFormerData: call('t1', 'run_terminal_cmd', { command: 'npm test' }, { result: '{"output":"ok"}' }),
      },
    ]);
    await importSessions(place.context, {}, quiet);
    const resumed = await resume(place.context, { session: '@last', project: place.project });
    assert.deepEqual([resumed.how, resumed.losses], ['converted', {}]);
    const { reader } = await openSession(place.context, resumed.session_id);
    assert.equal(reader.manifest.parent_session_id, resumed.parent_session_id);
    const [, made] = messagesIn(graphIn(storeOf(resumed)));
    assert.deepEqual(
      listAt(made, 'content').map((part) => stringAt(part, 'type')),
      ['reasoning', 'tool-call'],
    );
  });

  test('of another tool speaks Cursor’s words; thinking that only its vendor can use is shown and not sent', async (t) => {
    const place = scratch(t);
    installRecording(place, claudeCode, '2.0.76');
    await importSessions(place.context, {}, quiet);
    const resumed = await resume(place.context, { session: '@last', in: 'cursor', project: place.project });
    const graph = graphIn(storeOf(resumed));
    assert.deepEqual(faultsOf(graph.root, graph.blobs), []);
    const parts = messagesIn(graph).flatMap((one) => listAt(one, 'content'));
    const names = parts.flatMap((part) => (stringAt(part, 'type') === 'tool-call' ? [stringAt(part, 'toolName')] : []));
    assert.ok(names.includes('Shell') && names.includes('Read') && !names.includes('Bash'), names.join(' '));
    assert.ok(parts.every((part) => stringAt(part, 'type') !== 'reasoning'));
    assert.ok(
      messagesIn(graph).every((one) => objectAt(one, 'providerOptions') === undefined),
      'no model is forced',
    );
  });

  test('of another tool, moved on in Cursor, gives nobody what another vendor sealed', async (t) => {
    const place = scratch(t);
    installRecording(place, claudeCode, '2.1.330');
    await importSessions(place.context, {}, quiet);
    const { sessions } = await listSessions(place.context, {});
    for (const { session_id: session } of sessions) {
      const first = await resume(place.context, { session, in: 'cursor', project: place.project });
      const elsewhere = join(place.folder, `${session}-elsewhere`);
      mkdirSync(elsewhere);
      const second = await resume(place.context, { session: first.session_id, project: elsewhere });
      assert.equal(second.parent_session_id, first.session_id);
      const sent = messagesIn(graphIn(storeOf(second)));
      const kinds = new Set(sent.flatMap((one) => listAt(one, 'content')).map((part) => stringAt(part, 'type')));
      assert.ok(!kinds.has('reasoning') && !kinds.has('redacted-reasoning'), [...kinds].join(' '));
      assert.ok(sent.every((one) => objectAt(objectAt(one, 'providerOptions'), 'cursor') === undefined));
    }
  });

  test('goes where CURSOR_DATA_DIR says', async (t) => {
    const place = scratch(t);
    const data = join(place.folder, 'data');
    const machine = { ...place.context.machine, env: { ...place.context.machine.env, CURSOR_DATA_DIR: data } };
    mkdirSync(data);
    installRecording(place, claudeCode, '2.0.76');
    const context = { ...place.context, machine };
    await importSessions(context, {}, quiet);
    const resumed = await resume(context, { session: '@last', in: 'cursor', project: place.project });
    assert.ok(storeOf(resumed).startsWith(`${data}/chats/`), storeOf(resumed));
    assert.equal(existsSync(join(place.home, '.cursor')), false);
    assert.deepEqual((await importSessions(context, {}, quiet)).sessions, []);
  });
});

describe('a file for the editor', () => {
  test('holds together, is not replaced, and comes with what to do with it', async (t) => {
    const { place, resumed } = await chatElsewhere(t);
    const session = resumed.parent_session_id ?? '';
    const request = { session, format: 'cursor', output: join(place.folder, 'out') };
    const { files, next, losses } = await exportSession(place.context, request);
    assert.deepEqual([files.length, next?.length, losses], [1, 3, {}]);
    const [path = ''] = files;
    assert.ok(next?.[1]?.includes(path));
    const file = parsed(path);
    assert.deepEqual(faultsOf(file.root, file.blobs), []);
    assert.deepEqual([file.value['version'], file.value['name']], [1, 'Look around']);
    assert.equal(messagesIn({ ...file, meta: {} }).length, 4);
    await assert.rejects(exportSession(place.context, request), { code: 'already-exists' });
  });

  test('of another’s making is found whole by the same check', () => {
    const { root, blobs } = parsed(join(fixturesOf(adapter), 'exchange', 'import.json'));
    assert.deepEqual(faultsOf(root, blobs), []);
  });

  test('is what a person is pointed to where only the editor is installed', async (t) => {
    const place = scratch(t);
    installRecording(place, claudeCode, '2.0.76');
    assert.equal(sfs(place, ['import']).status, 0);
    const args = ['resume', '@last', '--in', 'cursor', '--project', place.project, '--no-launch'];
    assert.match(sfs(place, args).out, /Cursor is not installed here; the command works where it is\./);
    installProgram(place, { ...adapter, install: { ...adapter.install, command: 'cursor' } }, '3.22.0');
    const env = { PATH: `${join(place.folder, 'bin')}:/usr/bin:/bin` };
    assert.match(sfs(place, ['tools'], { env }).out, /^cursor +3\.22\.0 /m);
    const pointed = sfs(place, args, { env });
    assert.equal(pointed.status, 0);
    const hint =
      /cursor-agent is not installed here, and Cursor takes a session in as a file: (sfs export (ses_\w+) --format cursor)/.exec(
        pointed.out,
      );
    assert.ok(hint !== null, pointed.out);
    const exported = sfs(place, [...(hint[1] ?? '').split(' ').slice(1), '--output', place.folder], { env });
    assert.equal(exported.out, `${join(place.folder, `${hint[2]}.cursor.json`)}\n`);
    assert.match(exported.err, /^1\. Open .* in Cursor: .*\n2\. .*“Import Chat”.*\n3\. It appears with “\(1\)”/);
  });
});

describe('the check of a chat’s graph', () => {
  const damaged: readonly (readonly [
    what: string,
    damage: (blobs: Map<string, Uint8Array>, root: Uint8Array) => Uint8Array,
    fault: RegExp,
  ])[] = [
    [
      'a blob that says something else',
      (blobs, root) => {
        const [id] = blobs.keys();
        blobs.set(id ?? '', Buffer.from('{"role":"user","content":[]}'));
        return root;
      },
      /^the hash of blob \w+ is another one$/,
    ],
    [
      'a blob that is missing',
      (blobs, root) => {
        const [id] = blobs.keys();
        blobs.delete(id ?? '');
        return root;
      },
      /^blob \w+ is missing$/,
    ],
    [
      'a blob that nobody lists',
      (blobs, root) => {
        const data = Buffer.from('{"role":"user"}');
        blobs.set(createHash('sha256').update(data).digest('hex'), data);
        return root;
      },
      /^nothing refers to blob \w+$/,
    ],
    [
      'a message that only the model is sent',
      (_blobs, root) => message(bytesField(1, new Fields(root).get(1).bytes[0] ?? ''), root),
      /^what the model is sent and what the screen shows differ at 1: /,
    ],
    [
      'fields in another order',
      (_blobs, root) => message(root, bytesField(9, 'file:///x')),
      /^the fields of the root do not ascend$/,
    ],
  ];
  for (const [what, damage, fault] of damaged) {
    test(`tells of ${what}`, () => {
      const { root, blobs } = parsed(join(fixturesOf(adapter), 'exchange', 'import.json'));
      const other = new Map(blobs);
      const faults = faultsOf(
        damage(other, what === 'fields in another order' ? message(root, numberField(10, 1)) : root),
        other,
      );
      assert.ok(
        faults.some((one) => fault.test(one)),
        faults.join('\n'),
      );
    });
  }
});

function parsed(path: string): {
  readonly value: Record<string, unknown>;
  readonly root: Uint8Array;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
} {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  assert.ok(isObject(value));
  const blobs = Object.entries(objectAt(value, 'blobs') ?? {}).map(
    ([id, data]) => [id, Buffer.from(String(data), 'base64')] as const,
  );
  return { value, root: Buffer.from(stringAt(value, 'conversationState') ?? '', 'base64'), blobs: new Map(blobs) };
}
