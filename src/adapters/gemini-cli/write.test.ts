import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Message } from '../../model/message.ts';
import type { FileContext, LiveSession, WriteGiven, WrittenLine } from '../adapter.ts';
import { reader } from './read.ts';
import {
  brief,
  capture,
  emptyCapture,
  givenFor,
  liveView,
  machine,
  readRecords,
  recording,
  recordsOf,
} from './test-support.ts';
import { vocabulary } from './vocabulary.ts';
import { conversation } from '../shared/conversation.ts';
import { translate } from '../shared/vocabulary.ts';
import { writer } from './write.ts';

const png = 'iVBORw0KGgo=';

function session(messages: readonly Message[], origin = 'claude-code'): LiveSession {
  return {
    sessionId: 'ses_0123456789abcdef',
    origin: { tool: origin, name: 'Claude Code', nativeId: 'abc' },
    title: 'Converted title',
    git: undefined,
    messages,
  };
}

/** Messages in a row, a second apart. */
function row(...drafts: readonly Partial<Message>[]): Message[] {
  return drafts.map((draft, index): Message => ({
    msg_id: `orig_${index + 1}`,
    parent_msg_id: index === 0 ? null : `orig_${index}`,
    role: 'user',
    content: [],
    timestamp: new Date(Date.parse('2025-03-01T10:00:01Z') + index * 1000).toISOString(),
    ...draft,
  }));
}

const given: WriteGiven = {
  home: '/home/me/.gemini',
  cwd: '/home/me/gemini/resumed/work/beta',
  version: '0.61.0',
  nativeId: '821badd8-048a-4a17-9118-3d68b9341f09',
  now: '2026-11-25T21:02:32.918Z',
  toolVersion: '0.61.0',
  extra: { slug: 'beta', directory: '/home/me/gemini/resumed/work/beta' },
};

/** The lines of the session's own file. */
function linesOf(
  live: LiveSession,
  toolVersion = given.toolVersion,
): { lines: WrittenLine[]; losses: [string, number][] } {
  const written = writer.write(live, { ...given, toolVersion });
  const log = written.files.find((file) => file.path.endsWith('.jsonl'));
  const lines = [...(log?.lines ?? [])];
  return { lines, losses: [...written.losses] };
}

function records(live: LiveSession): Record<string, unknown>[] {
  return linesOf(live)
    .lines.slice(1)
    .map((line): Record<string, unknown> => JSON.parse(line.text));
}

const placed = row(
  { content: [{ type: 'text', text: 'OLD-Q1 use tools' }] },
  { role: 'assistant', content: [{ type: 'text', text: 'OLD-A1 reading **bold**.' }], metadata: { response_id: 'r1' } },
  {
    role: 'assistant',
    content: [{ type: 'tool_use', tool_use_id: 'toolu_01A', name: 'read_file', input: { file_path: 'a.txt' } }],
    metadata: { response_id: 'r1' },
  },
  { role: 'tool', content: [{ type: 'tool_result', tool_use_id: 'toolu_01A', content: 'OLD-R1 content' }] },
  { role: 'assistant', content: [{ type: 'text', text: 'OLD-A2 done.' }], metadata: { response_id: 'r3' } },
);

test('the files are those the recording began with, byte for byte', () => {
  const written = writer.write(session(placed), given);
  assert.deepEqual(
    written.files.map((file) => [file.key, file.path, file.kind, file.exists]),
    [
      ['tmp.beta.project_root', 'tmp/beta/.project_root', 'text', 'keep'],
      ['history.beta.project_root', 'history/beta/.project_root', 'text', 'keep'],
      [
        'session-2026-11-25T21-02-32c18eb5.jsonl',
        'tmp/beta/chats/session-2026-11-25T21-02-32c18eb5.jsonl',
        undefined,
        undefined,
      ],
    ],
  );
  assert.deepEqual([...(written.files[0]?.lines ?? [])], [{ text: '/home/me/gemini/resumed/work/beta' }]);
  const { lines, losses } = linesOf(session(placed));
  const recorded = readFileSync(
    join(recording('0.61.0-resumed'), 'tmp/beta/chats/session-2026-11-25T21-02-32c18eb5.jsonl'),
    'utf8',
  ).split('\n');
  assert.deepEqual(
    lines.map((line) => line.text),
    recorded.slice(0, lines.length),
  );
  assert.deepEqual(
    lines.map((line) => line.from),
    [undefined, 'orig_1', 'orig_2', 'orig_3', 'orig_4', 'orig_5'],
  );
  assert.deepEqual(losses, []);
});

test('what the CLI appends to a placed session hangs on it and repeats nothing', () => {
  const file: FileContext = { nativeId: given.nativeId, key: 'session.jsonl', kind: 'log', agentId: undefined };
  const captured = emptyCapture();
  const all = givenFor(captured, file);
  let state = reader.start(file);
  const origin = new Map<string, string>();
  for (const line of linesOf(session(placed)).lines) {
    const before = captured.messages.size;
    reader.decode(JSON.parse(line.text), state, all);
    const fresh = [...captured.messages.keys()].slice(before);
    assert.equal(fresh.length, line.from === undefined ? 0 : 1);
    for (const id of fresh) origin.set(id, line.from ?? '');
  }
  reader.settle(state, all);
  state = JSON.parse(JSON.stringify(state));
  const count = captured.messages.size;
  const recorded = recordsOf(
    join(recording('0.61.0-resumed'), 'tmp/beta/chats/session-2026-11-25T21-02-32c18eb5.jsonl'),
    'log',
  );
  for (const record of recorded.slice(6)) reader.decode(record, state, all);
  reader.settle(state, all);
  const fresh = [...captured.messages.values()].slice(count);
  assert.equal(fresh[0]?.parent_msg_id === null ? undefined : origin.get(fresh[0]?.parent_msg_id ?? ''), 'orig_5');
  assert.equal(
    fresh.some((message) => brief(message).includes('OLD-')),
    false,
  );
  assert.equal(fresh.length, 53);
});

test('calls are in the content and shown apart; each result in a line of its own', () => {
  const [, call, result] = records(
    session(
      row(
        { content: [{ type: 'text', text: 'go' }] },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', tool_use_id: 'c1', name: 'Bash Tool!', input: { command: 'ls' } }],
        },
        {
          role: 'tool',
          content: [
            { type: 'tool_result', tool_use_id: 'c1', content: 'no', is_error: true },
            { type: 'image', source: { type: 'base64', data: png, media_type: 'image/png' } },
          ],
          metadata: { result_images: { '1': 'c1' } },
        },
      ),
    ),
  );
  assert.deepEqual(call?.['content'], [{ functionCall: { id: 'c1', name: 'Bash_Tool_', args: { command: 'ls' } } }]);
  assert.equal(call?.['displayContent'], ' ');
  assert.deepEqual(call?.['toolCalls'], [
    {
      id: 'shown-c1',
      name: 'Bash_Tool_',
      args: { command: 'ls' },
      status: 'error',
      timestamp: '2025-03-01T10:00:03.000Z',
      resultDisplay: 'no',
      description: 'ls',
      displayName: 'Bash Tool!',
      renderOutputAsMarkdown: false,
    },
  ]);
  assert.deepEqual(result?.['content'], [
    { functionResponse: { id: 'c1', name: 'Bash_Tool_', response: { error: 'no' } } },
    { inlineData: { mimeType: 'image/png', data: png } },
  ]);
});

test('calls of one answer stay one answer, though each has a line of its own', () => {
  const call = (id: string): Partial<Message> => ({
    role: 'assistant',
    content: [{ type: 'tool_use', tool_use_id: id, name: 'glob', input: {} }],
    metadata: { response_id: 'r1' },
  });
  const result = (id: string): Partial<Message> => ({
    role: 'tool',
    content: [{ type: 'tool_result', tool_use_id: id, content: `of ${id}` }],
  });
  const live = session(
    row({ content: [{ type: 'text', text: 'go' }] }, call('a'), call('b'), result('a'), result('b')),
  );
  const back = emptyCapture();
  const file: FileContext = { nativeId: given.nativeId, key: 'k', kind: 'log', agentId: undefined };
  const state = reader.start(file);
  for (const record of records(live)) reader.decode(record, state, givenFor(back, file));
  const losses = new Map<string, number>();
  const steps = [...conversation(back.messages.values(), losses)];
  assert.deepEqual([...losses], []);
  assert.deepEqual(
    steps.map((step) =>
      step.kind === 'prompt'
        ? 'prompt'
        : step.parts.map((part) => (part.type === 'call' ? part.result.text : part.type)),
    ),
    ['prompt', ['of a', 'of b']],
  );
});

test('a CLI that sends each record as a turn gets an answer in one and its results in the next', () => {
  const live = session(
    row(
      { content: [{ type: 'text', text: 'go' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Both.' }], metadata: { response_id: 'r1' } },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', tool_use_id: 'a', name: 'glob', input: {} }],
        metadata: { response_id: 'r1' },
      },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', tool_use_id: 'b', name: 'glob', input: {} }],
        metadata: { response_id: 'r1' },
      },
      { role: 'tool', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'of a' }] },
      { role: 'tool', content: [{ type: 'tool_result', tool_use_id: 'b', content: 'of b' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Done.' }], metadata: { response_id: 'r2' } },
    ),
  );
  const { lines } = linesOf(live, '0.52.0');
  const [, answer, results, last] = lines.slice(1).map((line): Record<string, unknown> => JSON.parse(line.text));
  const call = (id: string): object => ({ functionCall: { id, name: 'glob', args: {} } });
  assert.deepEqual(answer?.['content'], [{ text: 'Both.' }, call('a'), call('b')]);
  assert.equal(answer?.['displayContent'], 'Both.');
  const shown: unknown = answer?.['toolCalls'];
  assert.deepEqual(Array.isArray(shown) ? shown.map(({ id }) => id) : undefined, ['shown-a', 'shown-b']);
  const response = (id: string): object => ({
    functionResponse: { id, name: 'glob', response: { output: `of ${id}` } },
  });
  assert.deepEqual(results?.['content'], [response('a'), response('b')]);
  assert.equal(results?.['displayContent'], ' ');
  assert.equal(last?.['content'], 'Done.');
  // Each message the reader tells of a line stands for one that the line names, in that order.
  const file: FileContext = { nativeId: given.nativeId, key: 'k', kind: 'log', agentId: undefined };
  const state = reader.start(file);
  const back = emptyCapture();
  const told = lines.map((line) => {
    const before = back.messages.size;
    reader.decode(JSON.parse(line.text), state, givenFor(back, file));
    return [...back.messages.values()].slice(before).map(({ role, content }) => `${role} ${content[0]?.type}`);
  });
  assert.deepEqual(
    lines.map(({ from, also }, index) => [from, ...(also ?? [])].map((id, at) => [id, told[index]?.[at]])),
    [
      [[undefined, undefined]],
      [['orig_1', 'user text']],
      [
        ['orig_2', 'assistant text'],
        ['orig_3', 'assistant tool_use'],
      ],
      [
        ['orig_5', 'tool tool_result'],
        ['orig_6', 'tool tool_result'],
      ],
      [['orig_7', 'assistant text']],
    ],
  );
});

test('no character ends a line of the file, and none is half of one', () => {
  const text = 'one\u2028two\u2029three \uD83C.';
  const { lines } = linesOf(session(row({ content: [{ type: 'text', text }] })));
  const [, prompt] = lines.map((line) => line.text);
  assert.equal(/[\u2028\u2029]/.test(prompt ?? ''), false);
  assert.deepEqual(JSON.parse(prompt ?? '')['content'], [{ text: 'one\u2028two\u2029three \uFFFD.' }]);
});

test('prompts the CLI would drop are protected, and read back as they were', () => {
  for (const text of ['/home/me/x is broken', '? what now', '  <hook_context>not a hook']) {
    const [prompt] = records(session(row({ content: [{ type: 'text', text }] })));
    assert.deepEqual(prompt?.['content'], [{ text: 'User message: ' }, { text }]);
    assert.deepEqual(prompt?.['displayContent'], [{ text }]);
    const captured = emptyCapture();
    reader.decode(
      prompt,
      reader.start({ nativeId: 'x', key: 'k', kind: 'log', agentId: undefined }),
      givenFor(captured, { nativeId: 'x', key: 'k', kind: 'log', agentId: undefined }),
    );
    assert.deepEqual(
      [...captured.messages.values()].map((message) => message.content),
      [[{ type: 'text', text }]],
    );
  }
});

test('a summary is written as the snapshot the CLI knows', () => {
  const [prompt] = records(session(row({ content: [{ type: 'summary', text: 'So far so good.' }], is_meta: true })));
  assert.deepEqual(prompt?.['content'], [{ text: '<state_snapshot>\nSo far so good.\n</state_snapshot>' }]);
});

test('thinking of other vendors and images the API refuses are counted losses', () => {
  const messages = row(
    {
      content: [
        { type: 'text', text: 'look' },
        { type: 'image', source: { type: 'base64', data: 'R0lG', media_type: 'image/gif' } },
        { type: 'image', source: { type: 'url', data: 'https://example.com/a.png' } },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', text: '**Plan** look first', signature: 's' },
        { type: 'text', text: 'seen' },
      ],
      model: 'claude-opus-4',
    },
  );
  const foreign = linesOf(session(messages));
  assert.deepEqual(foreign.losses, [
    ['image:image/gif', 1],
    ['image:url', 1],
    ['thinking', 1],
  ]);
  const [prompt, answer] = records(session(messages));
  assert.deepEqual(prompt?.['content'], [
    { text: 'look' },
    { text: '[image left out: image/gif]' },
    { text: '[image left out: https://example.com/a.png]' },
  ]);
  assert.deepEqual(answer?.['thoughts'], []);
  assert.equal('model' in (answer ?? {}), false);
  const [, own] = records(session(messages, 'gemini-cli'));
  assert.deepEqual(own?.['thoughts'], [
    { subject: 'Plan', description: 'look first', timestamp: '2025-03-01T10:00:02.000Z' },
  ]);
});

test('a call nobody answered gets a result that says so, under the call', () => {
  const { lines, losses } = linesOf(
    session(
      row(
        { content: [{ type: 'text', text: 'go' }] },
        { role: 'assistant', content: [{ type: 'tool_use', tool_use_id: 'c1', name: 'glob', input: {} }] },
      ),
    ),
  );
  assert.deepEqual(losses, [['call-without-result', 1]]);
  assert.deepEqual(
    lines.map((line) => line.from),
    [undefined, 'orig_1', 'orig_2', 'orig_2'],
  );
});

/** What is carried of a message. Ids, usage and the marks of a replaced history are not (README, “Writing”). */
function carriedOf({ role, content, model, metadata }: Message): unknown {
  return { role, content, model, resultImages: metadata?.result_images };
}

/** Results behind the last call of their response, where the API wants them; documents before 0.39 tell them call by call. */
function resultsLast(messages: readonly Message[]): Message[] {
  const ordered: Message[] = [];
  let held: Message[] = [];
  let response: unknown;
  for (const message of messages) {
    if (message.role === 'tool') {
      held.push(message);
      continue;
    }
    if (message.role !== 'assistant' || message.metadata?.response_id !== response) ordered.push(...held.splice(0));
    if (message.role === 'assistant') response = message.metadata?.response_id;
    ordered.push(message);
  }
  return [...ordered, ...held];
}

test('a recorded session that is written and read back differs by exactly the losses that are counted', () => {
  const counted = new Map<string, [string, number][]>();
  for (const name of ['0.20.0', '0.61.0-headless', '0.61.0-interactive', '0.61.0-resumed']) {
    for (const source of reader.discover(machine, recording(name), assert.fail)) {
      const before = liveView(capture(source));
      const { lines, losses } = linesOf(session(before, 'gemini-cli'));
      if (losses.length > 0) counted.set(source.nativeId, losses);
      const injected = before.filter(({ role }) => role === 'system' || role === 'developer');
      assert.equal(injected.length, new Map(losses).get('injected-context') ?? 0);
      const back = emptyCapture();
      const file: FileContext = { nativeId: given.nativeId, key: 'k', kind: 'log', agentId: undefined };
      const state = reader.start(file);
      for (const line of lines) reader.decode(JSON.parse(line.text), state, givenFor(back, file));
      reader.settle(state, givenFor(back, file));
      assert.deepEqual([...back.losses], []);
      assert.deepEqual(
        liveView(back).map(carriedOf),
        resultsLast(before.filter((message) => !injected.includes(message))).map(carriedOf),
        source.nativeId,
      );
    }
  }
  assert.deepEqual([...counted], [['abc89a92-f496-4cb2-9b32-e63bcec9bed7', [['injected-context', 1]]]]);
});

test('the folder is the one the CLI resolves', async () => {
  const home = mkdtempSync(join(tmpdir(), 'gemini-'));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  const slug = async (cwd: string): Promise<unknown> =>
    (await writer.prepare(machine, { home, cwd, version: undefined, nativeId: undefined })).extra['slug'];
  try {
    assert.equal(await slug('/work/My Project_1'), 'my-project-1');
    assert.equal(await slug('/work/日本'), 'project');
    // A folder without a marker is adopted, one of another directory is not.
    mkdirSync(join(home, 'tmp/beta'), { recursive: true });
    assert.equal(await slug('/work/beta'), 'beta');
    put('tmp/beta/.project_root', '/elsewhere/beta');
    assert.equal(await slug('/work/beta'), 'beta-1');
    put('history/beta-1/.project_root', '/work/beta\n');
    assert.equal(await slug('/work/beta'), 'beta-1');
    put(
      'projects.json',
      JSON.stringify({ projects: { '/work/gamma': 'named', '/work/delta': 'beta', '/work/x': 'epsilon' } }),
    );
    assert.equal(await slug('/work/gamma'), 'named');
    // Registered, but the folder is another's by now.
    assert.equal(await slug('/work/delta'), 'delta');
    assert.equal(await slug('/work/epsilon'), 'epsilon-1');
    // One bad name voids the registry.
    put('projects.json', JSON.stringify({ projects: { '/work/gamma': 'named', '/work/x': 'Not a slug' } }));
    assert.equal(await slug('/work/gamma'), 'gamma');
    const prepared = await writer.prepare(machine, { home, cwd: '/work/a', version: '0.50.0', nativeId: 'kept' });
    assert.equal(prepared.nativeId, 'kept');
    assert.equal(prepared.toolVersion, '0.50.0');
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('the file never ends like the one a resume starts with', () => {
  for (const id of ['821badd8-048a-4a17-9118-3d68b9341f09', 'claude_01/abc def', '12345678']) {
    const file = writer.write(session(placed), { ...given, nativeId: id }).files.at(-1);
    assert.match(file?.key ?? '', /^session-2026-11-25T21-02-[0-9a-f]{8}\.jsonl$/);
    assert.equal(file?.key.includes(id.slice(0, 8)), false);
  }
});

test('resume is typed with the id, and the model only when one is asked for', () => {
  assert.deepEqual(writer.launch('id', { cwd: '/work', model: undefined }), ['gemini', '--resume', 'id']);
  assert.deepEqual(writer.launch('id', { cwd: '/work', model: 'gemini-2.5-pro' }), [
    'gemini',
    '--resume',
    'id',
    '-m',
    'gemini-2.5-pro',
  ]);
});

test('every word reads what it writes', () => {
  const calls = [
    { name: 'run_shell_command', input: { command: 'ls', description: 'list', dir_path: 'src' } },
    { name: 'read_file', input: { file_path: 'a.txt', start_line: 3, end_line: 9 } },
    { name: 'write_file', input: { file_path: 'a.txt', content: 'x' } },
    {
      name: 'replace',
      input: {
        file_path: 'a.txt',
        instruction: 'Replace the text.',
        old_string: 'a',
        new_string: 'b',
        allow_multiple: true,
      },
    },
    { name: 'grep_search', input: { pattern: 'x', dir_path: 'src', include_pattern: '*.ts' } },
    { name: 'list_directory', input: { dir_path: '.' } },
    { name: 'glob', input: { pattern: '**/*.ts', dir_path: 'src' } },
    { name: 'web_fetch', input: { prompt: 'Read https://example.com/a' } },
    { name: 'google_web_search', input: { query: 'x' } },
    { name: 'write_todos', input: { todos: [{ description: 'a', status: 'in_progress' }] } },
    { name: 'invoke_agent', input: { agent_name: 'generalist', prompt: 'x' } },
  ];
  for (const call of calls) assert.deepEqual(translate(call, vocabulary, vocabulary), call);
});

test('inputs that say more than the common call keep their own name', () => {
  const inputs = [
    ['run_shell_command', { command: 'sleep 9', is_background: true }],
    ['grep_search', { pattern: 'x', fixed_strings: true }],
    ['invoke_agent', { agent_name: 'codebase_investigator', prompt: 'x' }],
    ['write_todos', { todos: [{ description: 'a', status: 'blocked' }] }],
    ['web_fetch', { prompt: 'Compare https://a.example and https://b.example' }],
  ] as const;
  for (const [name, input] of inputs) assert.equal(translate({ name, input }, vocabulary, vocabulary), undefined, name);
  assert.deepEqual(
    translate({ name: 'search_file_content', input: { pattern: 'x', path: 'src' } }, vocabulary, vocabulary),
    {
      name: 'grep_search',
      input: { pattern: 'x', dir_path: 'src' },
    },
  );
});

/** What the reader finds in a written session. */
function readAgain(live: LiveSession): Message[] {
  const captured = emptyCapture();
  const file: FileContext = { nativeId: given.nativeId, key: 'session.jsonl', kind: 'log', agentId: undefined };
  readRecords(
    captured,
    file,
    linesOf(live).lines.map(({ text }): unknown => JSON.parse(text)),
  );
  return liveView(captured);
}

test('a call with a long id is one call, with its result', () => {
  const id = 'a'.repeat(130);
  const found = readAgain(
    session(
      row(
        { role: 'assistant', content: [{ type: 'tool_use', tool_use_id: id, name: 'glob', input: {} }] },
        { role: 'tool', content: [{ type: 'tool_result', tool_use_id: id, content: 'found' }] },
      ),
    ),
  );
  assert.deepEqual(found.map(brief), ['assistant: call glob', 'tool: result found']);
});

test('the screen shows a call by its own name, whatever objects are made of', () => {
  const called = { role: 'assistant' as const };
  const shown = ['toString', '__proto__', 'glob'].flatMap((name) =>
    records(session(row({ ...called, content: [{ type: 'tool_use', tool_use_id: 'c', name, input: {} }] }))).slice(
      0,
      1,
    ),
  );
  assert.deepEqual(
    shown.map((record) => JSON.stringify(record['toolCalls']).match(/"displayName":"([^"]*)"/)?.[1]),
    ['toString', '__proto__', 'FindFiles'],
  );
});

test('a prompt is read as it was written: pictures between words, and what looks like the CLI’s own', () => {
  const image = { type: 'image', source: { type: 'base64', data: png, media_type: 'image/png' } } as const;
  const text = (said: string): Message['content'][number] => ({ type: 'text', text: said });
  const prompts = [
    [text('before'), image, text('after')],
    [text('User message: '), image],
    [text('see'), text('<session_context>mine</session_context>')],
    [text('<state_snapshot>\nmine\n</state_snapshot>')],
  ];
  const found = readAgain(session(row(...prompts.map((content) => ({ content })))));
  assert.deepEqual(
    found.map(({ content }) => content),
    [prompts[0], prompts[1], [text('see<session_context>mine</session_context>')], prompts[3]],
  );
});

test('an answer is read as it was written', () => {
  const said = ' <!-- a comment --> kept\u200b \n';
  const found = readAgain(session(row({ role: 'assistant', content: [{ type: 'text', text: said }] })));
  assert.deepEqual(
    found.map(({ content }) => content),
    [[{ type: 'text', text: said }]],
  );
});
