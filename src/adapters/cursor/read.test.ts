import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { importSessions } from '../../actions/import.ts';
import type { ImportResult } from '../../actions/import.ts';
import { listSessions } from '../../actions/list.ts';
import { reparseSessions } from '../../actions/reparse.ts';
import { openSession } from '../../actions/show.ts';
import type { Message } from '../../model/message.ts';
import { textOf } from '../../model/message.ts';
import { archivedBytes, wholeArchive } from '../../store/archive.ts';
import type { SessionReader } from '../../store/session-reader.ts';
import { installRecording, scratch } from '../../../test/support/scratch.ts';
import type { Scratch } from '../../../test/support/scratch.ts';
import { adapter } from './index.ts';
import { Editor, call, chatOf } from './test-support.ts';

const quiet = (): void => undefined;

async function captured(place: Scratch): Promise<ImportResult> {
  return importSessions(place.context, { from: 'cursor' }, quiet);
}

/** The one session there is, or the one with this native id. */
async function sessionOf(place: Scratch, nativeId?: string): Promise<SessionReader> {
  const { sessions } = await listSessions(place.context, {});
  const found = sessions.filter(({ native_id: id }) => nativeId === undefined || id === nativeId);
  assert.equal(found.length, 1, JSON.stringify(sessions.map(({ native_id: id }) => id)));
  return (await openSession(place.context, found[0]?.session_id ?? '')).reader;
}

function saidIn(messages: Iterable<Message>): string[] {
  return [...messages].map((message) => {
    const [block] = message.content;
    const text = textOf(message);
    if (block?.type === 'tool_result') return `result ${String(block.content)}`;
    const last = message.content.at(-1);
    return last?.type === 'tool_use' ? `${text}call ${String(last.name)}` : text;
  });
}

function archiveOf(reader: SessionReader): string {
  return Object.entries(reader.commit?.native ?? {})
    .map(([key, file]) => wholeArchive(reader.folder, key, file).toString('utf8'))
    .join('');
}

const at = (second: number): string => new Date(Date.parse('2026-09-10T10:00:00Z') + second * 1000).toISOString();
const turn = [
  { id: 'b1', type: 1, text: 'Why is it slow?', createdAt: at(1) },
  { id: 'b2', text: 'Let me look.', createdAt: at(2) },
] as const;

describe('a chat beside its editor', () => {
  test('it grows by what was said, while the editor has it open', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    editor.chat('c1', turn);
    assert.deepEqual(
      (await captured(place)).sessions.map(({ outcome, messages }) => [outcome, messages]),
      [['new', 2]],
    );
    const before = (await sessionOf(place)).commit?.native['main'];
    editor.say('c1', { id: 'b3', text: 'Found it.', createdAt: at(3) });
    editor.put('composerData:c1', chatOf('c1', ['b1', 'b2', 'b3']));
    const grown = await captured(place);
    assert.deepEqual(
      grown.sessions.map(({ outcome, messages }) => [outcome, messages]),
      [['grown', 1]],
    );
    const reader = await sessionOf(place);
    assert.deepEqual(saidIn(reader.live()), ['Why is it slow?', 'Let me look.', 'Found it.']);
    assert.deepEqual((await captured(place)).sessions, []);
    // The chat's own record and the new message, not what was there.
    const after = reader.commit?.native['main'];
    assert.ok(before !== undefined && after !== undefined);
    assert.equal(archivedBytes(after) - archivedBytes(before), grown.bytes);
    assert.equal(archiveOf(reader).trimEnd().split('\n').length, 5);
  });

  test('text that grows in place is a newer form of the message', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    editor.chat('c1', turn);
    await captured(place);
    editor.change('bubbleId:c1:b2', { _v: 3, type: 2, bubbleId: 'b2', text: 'Let me look closer.', createdAt: at(2) });
    await captured(place);
    const reader = await sessionOf(place);
    assert.deepEqual(saidIn(reader.live()), ['Why is it slow?', 'Let me look closer.']);
    assert.equal([...reader.lines()].length, 3);
  });

  test('what comes after a call that runs waits for its result', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    const now = { status: 'generating', lastUpdatedAt: Date.now() };
    const running = {
      id: 'b3',
      toolFormerData: call('t1', 'run_terminal_cmd', { command: 'ls' }, { status: 'loading' }),
    };
    const done = {
      id: 'b4',
      toolFormerData: call('t2', 'read_file', { targetFile: 'a' }, { result: '{"contents":"A"}' }),
    };
    editor.chat('c1', [...turn, running, done], now);
    await captured(place);
    assert.deepEqual(saidIn((await sessionOf(place)).live()).slice(2), ['call run_terminal_cmd']);
    editor.say('c1', {
      ...running,
      toolFormerData: call('t1', 'run_terminal_cmd', { command: 'ls' }, { result: '{"output":"a\\n","exitCodeV2":0}' }),
    });
    // A list that names a message whose row is not written yet.
    editor.put('composerData:c1', chatOf('c1', ['b1', 'b2', 'b3', 'b4', 'b5'], now));
    await captured(place);
    editor.say('c1', { id: 'b5', text: 'Done.' });
    editor.put('composerData:c1', chatOf('c1', ['b1', 'b2', 'b3', 'b4', 'b5']));
    await captured(place);
    const reader = await sessionOf(place);
    assert.deepEqual(saidIn(reader.live()), [
      'Why is it slow?',
      'Let me look.',
      'call run_terminal_cmd',
      'result a\n',
      'call read_file',
      'result A',
      'Done.',
    ]);
    assert.deepEqual(reader.manifest.metadata?.losses, undefined);
    const answers = [...reader.live()]
      .filter(({ role }) => role === 'assistant')
      .map(({ metadata }) => metadata?.response_id);
    assert.deepEqual(answers, ['b2', 'b2', 'b2', 'b5']);
  });

  test('an editor that broke off in the middle does not hold anything back for ever', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    const running = {
      id: 'b3',
      toolFormerData: call('t1', 'run_terminal_cmd', { command: 'ls' }, { status: 'loading' }),
    };
    editor.chat('c1', [...turn, running, { id: 'b4', text: 'Hm.' }], {
      status: 'generating',
      lastUpdatedAt: Date.now(),
    });
    await captured(place);
    assert.equal(saidIn((await sessionOf(place)).live()).length, 3);
    const later = { ...place.context.machine, now: () => new Date(Date.now() + 700_000) };
    await importSessions({ ...place.context, machine: later }, { from: 'cursor' }, quiet);
    assert.deepEqual(saidIn((await sessionOf(place)).live()).slice(2), ['call run_terminal_cmd', 'Hm.']);
  });

  test('an answer that is made again is a branch; the earlier one stays', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    editor.chat('c1', turn);
    await captured(place);
    editor.say('c1', { id: 'b9', text: 'It is the loop.' });
    editor.put('composerData:c1', chatOf('c1', ['b1', 'b9']));
    await captured(place);
    const reader = await sessionOf(place);
    assert.deepEqual(saidIn(reader.live()), ['Why is it slow?', 'It is the loop.']);
    assert.deepEqual(saidIn(reader.timeline()).toSorted(), ['It is the loop.', 'Let me look.', 'Why is it slow?']);
    editor.put('composerData:c1', chatOf('c1', ['b1']));
    await captured(place);
    assert.deepEqual(saidIn((await sessionOf(place)).live()), ['Why is it slow?']);
  });

  test('a list cut to its last 1,000 messages never shrinks ours; one met late brings what is left of the older ones', async (t) => {
    const said = Array.from({ length: 1200 }, (_, index) => ({
      id: `b${index}`,
      type: index % 2 === 0 ? (1 as const) : (2 as const),
      text: `word ${index}`,
      createdAt: at(index),
    }));
    const kept = said.slice(200).map(({ id }) => id);
    for (const isMetLate of [false, true]) {
      const place = scratch(t);
      const editor = new Editor(place);
      editor.chat('c1', said);
      if (!isMetLate) await captured(place);
      editor.put('composerData:c1', chatOf('c1', kept));
      await captured(place);
      editor.exec("delete from cursorDiskKV where key in ('bubbleId:c1:b0', 'bubbleId:c1:b1')");
      editor.put('composerData:c1', chatOf('c1', kept, { name: 'Renamed' }));
      await captured(place);
      const reader = await sessionOf(place);
      assert.deepEqual(
        saidIn(reader.live()),
        said.map(({ text }) => text),
        String(isMetLate),
      );
      assert.equal([...reader.lines()].length, 1200);
      assert.equal(
        [...reader.lines()].filter(({ metadata }) => metadata?.['recovered'] === true).length,
        isMetLate ? 200 : 0,
      );
      editor.close();
    }
  });

  test('nothing is written beside the database, and nothing is opened while nothing changed', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    editor.chat('c1', turn);
    editor.close();
    const names = readdirSync(dirname(editor.path));
    const bytes = readFileSync(editor.path);
    await captured(place);
    assert.deepEqual([readdirSync(dirname(editor.path)), readFileSync(editor.path)], [names, bytes]);
    const { context } = place;
    let opened = 0;
    const machine: typeof context.machine = {
      ...context.machine,
      now: () => new Date(statSync(editor.path).mtimeMs + 60_000),
      snapshot: (path, read) => {
        opened += 1;
        return context.machine.snapshot(path, read);
      },
    };
    for (const times of [1, 1, 1]) {
      const again = await importSessions({ ...context, machine }, { from: 'cursor' }, quiet);
      assert.deepEqual([again.sessions, again.bytes, opened], [[], 0, times]);
    }
  });
});

describe('values as they come', () => {
  test('text, bytes, hexadecimal text, NULL, no JSON, and rows that are missing', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    const as = (id: string): string => JSON.stringify({ type: 2, bubbleId: id, text: `said ${id}` });
    editor.put('bubbleId:c1:text', as('text'));
    editor.put('bubbleId:c1:bytes', Buffer.from(as('bytes')));
    editor.put('bubbleId:c1:hex', Buffer.from(as('hex')).toString('hex'));
    editor.put('bubbleId:c1:null', null);
    editor.put('bubbleId:c1:torn', as('torn').slice(0, 20));
    const ids = ['text', 'bytes', 'null', 'hex', 'torn', 'missing', 'text'];
    editor.put('composerData:c1', Buffer.from(JSON.stringify(chatOf('c1', ids))).toString('hex'));
    editor.put('composerData:gone', null);
    editor.put('composerData:empty', chatOf('empty', []));
    const result = await captured(place);
    assert.deepEqual(result.problems, []);
    const reader = await sessionOf(place);
    assert.deepEqual(saidIn(reader.live()), ['said text', 'said bytes', 'said hex']);
    assert.deepEqual(reader.manifest.metadata?.losses, { 'missing-message': 2, 'unreadable-message': 1 });
  });

  test('calls are joined with results by chat and message, whatever their ids', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    for (const chat of ['c1', 'c2'])
      editor.chat(chat, [
        { id: 'b1', type: 1, text: 'List.' },
        { id: 'b2', toolFormerData: call('same\nfc_1', 'list_dir', { directoryPath: '.' }, { result: `of ${chat}` }) },
        {
          id: 'b3',
          toolFormerData: call(
            't2',
            'run_terminal_cmd',
            { command: 'x' },
            { status: 'error', error: 'no such program' },
          ),
        },
        {
          id: 'b4',
          toolFormerData: call('t3', 'edit_file', {}, { params: '{"cut', rawArgs: '', status: 'cancelled' }),
        },
        { id: 'b5', toolFormerData: { additionalData: { status: 'error' } } },
        { id: 'b6', text: '', serviceStatusUpdate: { message: 'busy' } },
      ]);
    await captured(place);
    for (const chat of ['c1', 'c2']) {
      const messages = [...(await sessionOf(place, chat)).live()];
      assert.deepEqual(
        messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool_result')),
        [
          { type: 'tool_result', tool_use_id: 'same\nfc_1', content: `of ${chat}` },
          { type: 'tool_result', tool_use_id: 't2', content: 'no such program', is_error: true },
          { type: 'tool_result', tool_use_id: 't3', content: 'cancelled', is_error: true },
        ],
      );
      assert.equal(messages.length, 7);
      assert.deepEqual(messages[5]?.content, [
        { type: 'tool_use', tool_use_id: 't3', name: 'edit_file', input: { input: '{"cut' } },
      ]);
    }
  });

  test('times that are not told are those of what came before, and marked; pictures are taken along', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    const png = Buffer.from('89504e470d0a1a0a0000', 'hex');
    const picture = join(place.project, 'a.png');
    writeFileSync(picture, png);
    const secret = join(place.project, 'secret.txt');
    writeFileSync(secret, 'no picture');
    editor.chat(
      'c1',
      [
        {
          id: 'b1',
          type: 1,
          text: '',
          richText: JSON.stringify({
            root: {
              children: [{ type: 'paragraph', children: [{ text: 'Look' }, { type: 'linebreak' }, { text: 'here' }] }],
            },
          }),
          images: [{ path: picture }, { path: secret }],
        },
        { id: 'b2', text: 'A dot.', timingInfo: { clientStartTime: 1234.5 }, modelInfo: { modelName: 'default' } },
        { id: 'b3', type: 1, text: 'And?', createdAt: at(9) },
        {
          id: 'b4',
          text: 'Green.',
          timingInfo: { clientStartTime: Date.parse(at(12)) },
          modelInfo: { modelName: 'grok-4' },
        },
      ],
      {
        modelConfig: { modelName: 'composer-2' },
        workspaceIdentifier: { uri: { scheme: 'file', fsPath: place.project } },
        activeBranch: { branchName: 'dots' },
      },
    );
    await captured(place);
    const reader = await sessionOf(place);
    const messages = [...reader.live()];
    assert.deepEqual(
      messages.map(({ timestamp, model, metadata }) => [
        timestamp,
        model ?? null,
        metadata?.['timestamp_estimated'] ?? false,
      ]),
      [
        [at(0), null, true],
        [at(0), 'composer-2', true],
        [at(9), null, false],
        [at(12), 'grok-4', false],
      ],
    );
    assert.deepEqual(messages[0]?.content, [
      { type: 'text', text: 'Look\nhere' },
      { type: 'image', source: { type: 'base64', data: png.toString('base64'), media_type: 'image/png' } },
    ]);
    assert.deepEqual(reader.manifest.metadata?.losses, { 'image-file-missing': 1 });
    assert.deepEqual([reader.workspace?.root_path, reader.workspace?.git?.branch], [place.project, 'dots']);
    assert.ok(!archiveOf(reader).includes('no picture'));
  });
});

describe('chats of one database', () => {
  test('all forms side by side, sub-agents with their chat, secrets left where they are', async (t) => {
    const place = scratch(t);
    for (const recording of ['0.45', '2.6', '3.19']) {
      installRecording(place, adapter, recording);
      await captured(place);
    }
    const { sessions } = await listSessions(place.context, {});
    assert.deepEqual(
      sessions.map(({ title, project, message_count: count, model }) => [title, project, count, model]).toSorted(),
      [
        ['Add a test', '/home/dev/acme-api', 9, 'composer-2'],
        ['Add retries', '/home/dev/acme-api', 2, 'gpt-4'],
        ['Ephemeral window chat', null, 1, null],
        ['Fix the login bug', '/home/dev/acme-api', 10, 'claude-4.5-sonnet-thinking'],
        ['Inline composer', '/home/dev/acme-api', 4, null],
        ['Remote chat', null, 1, null],
      ],
    );
    const parent = await sessionOf(place, '00000300-0000-4000-8000-000000000300');
    assert.deepEqual(parent.manifest.metadata?.agent_calls, { '00000301-0000-4000-8000-000000000301': 'toolu_g3_2' });
    assert.deepEqual(saidIn(parent.timeline().filter((message) => message.is_sidechain === true)), [
      'Find test setup',
      'vitest in /test',
    ]);
    const old = await sessionOf(place, '00000200-0000-4000-8000-000000000200');
    assert.deepEqual(old.manifest.metadata?.agent_calls, { 'task-toolu_synthetic0001': 'toolu_synthetic0001' });
    for (const { session_id: id } of sessions) {
      const { reader } = await openSession(place.context, id);
      assert.ok(!/DO-NOT-READ|REDACTED-synthetic|EncryptionKey|conversationState/.test(archiveOf(reader)), id);
    }
  });

  test('one that cannot be read is named, and the other databases are read', async (t) => {
    const place = scratch(t);
    const home = installRecording(place, adapter, '0.45');
    const other = join(home, 'workspaceStorage', 'b');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'state.vscdb'), Buffer.alloc(4096, 7));
    const broken = await captured(place);
    assert.deepEqual(broken.problems, [
      {
        path: join(other, 'state.vscdb'),
        problem: `cannot read ${join(other, 'state.vscdb')}: it is encrypted, or no SQLite database`,
      },
    ]);
    assert.equal(broken.sessions.length, 2);
    rmSync(other, { recursive: true });
    const editor = new Editor(place, 'delete');
    editor.exec('drop table cursorDiskKV; drop table ItemTable; create table chats (id text)');
    editor.close();
    const { problems, tools } = await captured(place);
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      [
        `cannot read ${editor.path}: it has no table cursorDiskKV; its schema is another than that of Cursor 0.3 to 3.23`,
      ],
    );
    assert.equal(tools[0]?.unchanged, 1);
  });

  test('a chat whose row is no JSON is named, and the others are captured', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    editor.chat('c1', turn);
    editor.say('c2', turn[0]);
    editor.put('composerData:c2', '{"_v":');
    const { problems, sessions } = await captured(place);
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      [`${editor.path}/c2 is no chat: its row is no JSON object`],
    );
    assert.deepEqual(sessions.map(({ outcome }) => outcome).toSorted(), ['failed', 'new']);
  });

  test('a chat of a later form is read, and that is said', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    t.after(() => editor.close());
    editor.chat('c1', turn, { _v: 40 });
    await captured(place);
    const reader = await sessionOf(place);
    assert.deepEqual(saidIn(reader.live()), ['Why is it slow?', 'Let me look.']);
    assert.deepEqual(reader.manifest.metadata?.losses, { 'newer-version:chat': 1 });
  });

  test('a chat outlives its database, and is derived again from what is kept', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    editor.chat('c1', turn);
    await captured(place);
    editor.say('c1', { id: 'b3', text: 'Found it.', createdAt: at(3) });
    editor.put('composerData:c1', chatOf('c1', ['b1', 'b2', 'b3']));
    await captured(place);
    editor.close();
    // The editor's own settings lie beside it; a home that is empty may be one that is not mounted.
    writeFileSync(join(editor.home, 'settings.json'), '{}');
    rmSync(dirname(editor.path), { recursive: true });
    assert.deepEqual((await captured(place)).problems, []);
    const { sessions } = await listSessions(place.context, {});
    assert.deepEqual(
      sessions.map(({ ghost, message_count: count }) => [ghost, count]),
      [[true, 3]],
    );
    const before = [...(await sessionOf(place)).lines()];
    const request = { session: sessions[0]?.session_id ?? '', all: false, dryRun: false };
    const done = await reparseSessions(place.context, request, quiet);
    assert.deepEqual(
      done.map(({ outcome }) => outcome),
      ['unchanged'],
    );
    assert.deepEqual([...(await sessionOf(place)).lines()], before);
  });
});

describe('transcripts', () => {
  const line = (role: string, ...content: readonly object[]): string =>
    `${JSON.stringify({ role, message: { content } })}\n`;
  const text = (said: string): object => ({ type: 'text', text: said });
  const prompt = line('user', text('<user_query>\nWhy is it slow?\n</user_query>'));
  const answer = line('assistant', text('Let me look.\n\n[REDACTED]'), {
    type: 'tool_use',
    name: 'Read',
    input: { path: 'a' },
  });
  const end = '{"type":"turn_ended","status":"success"}\n';

  function transcript(place: Scratch, id: string, ...lines: readonly string[]): string {
    const path = join(place.home, '.cursor', 'projects', 'home-dev-api', 'agent-transcripts', id, `${id}.jsonl`);
    mkdirSync(join(dirname(path), 'subagents'), { recursive: true });
    writeFileSync(path, lines.join(''));
    return path;
  }

  test('one without its database is a session, with its sub-agents and its folder', async (t) => {
    const place = scratch(t);
    const path = transcript(place, 'c1', prompt, answer, end);
    writeFileSync(
      join(dirname(path), 'subagents', 's1.jsonl'),
      line('user', text('Find it.')) + line('assistant', text('Found.')),
    );
    const workspace = join(new Editor(place).home, 'workspaceStorage', 'w');
    mkdirSync(workspace, { recursive: true });
    writeFileSync(join(workspace, 'workspace.json'), '{"folder":"file:///home/dev/api"}');
    await captured(place);
    writeFileSync(path, prompt + answer + end + line('user', text('And?')));
    await captured(place);
    assert.deepEqual((await captured(place)).sessions, []);
    const reader = await sessionOf(place);
    assert.deepEqual(saidIn(reader.live()), ['Why is it slow?', 'Let me look.call Read', 'And?']);
    assert.deepEqual(saidIn(reader.timeline().filter((message) => message.is_sidechain === true)), [
      'Find it.',
      'Found.',
    ]);
    assert.equal(reader.workspace?.root_path, '/home/dev/api');
    assert.deepEqual(reader.manifest.metadata?.losses, { 'result-not-in-transcript': 1 });
  });

  test('beside a database, and after it was lost, it adds nothing', async (t) => {
    const place = scratch(t);
    const editor = new Editor(place);
    editor.chat('c1', turn);
    transcript(place, 'c1', prompt, answer, end);
    await captured(place);
    const before = [...(await sessionOf(place)).lines()];
    assert.equal(before.length, 2);
    editor.close();
    writeFileSync(join(editor.home, 'settings.json'), '{}');
    rmSync(dirname(editor.path), { recursive: true });
    await captured(place);
    const reader = await sessionOf(place);
    assert.deepEqual([...reader.lines()], before);
    assert.equal((await listSessions(place.context, {})).sessions[0]?.ghost, true);
    const request = { session: reader.id, all: false, dryRun: false };
    assert.deepEqual(
      (await reparseSessions(place.context, request, quiet)).map(({ outcome }) => outcome),
      ['unchanged'],
    );
  });
});
