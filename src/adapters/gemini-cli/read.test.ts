import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileContext, Source } from '../adapter.ts';
import type { Message } from '../../model/message.ts';
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
import type { Captured } from './test-support.ts';

const recordings = ['0.20.0', '0.61.0-headless', '0.61.0-interactive', '0.61.0-resumed'];
const log: FileContext = { nativeId: 'x', key: 'session-x.jsonl', kind: 'log', agentId: undefined };

function sourcesOf(name: string): Source[] {
  return [...reader.discover(machine, recording(name), (path, why) => assert.fail(`${path}: ${why}`))];
}

function sourceOf(name: string, id: string): Source {
  const source = sourcesOf(name).find((each) => each.nativeId.startsWith(id));
  assert.ok(source, id);
  return source;
}

/** A message with what it hangs on. */
function linked(captured: Captured): string[] {
  const short = (message: Message | undefined): string =>
    message === undefined ? 'root' : brief(message).slice(0, 30).trim();
  return [...captured.messages.values()].map(
    (message) => `${brief(message)} <- ${short(captured.messages.get(message.parent_msg_id ?? ''))}`,
  );
}

test('every record of every recording is accounted for', () => {
  for (const name of recordings) {
    for (const source of sourcesOf(name)) {
      const captured = capture(source);
      assert.equal(captured.dispositions.includes('unknown'), false, source.nativeId);
      assert.deepEqual([...captured.losses], [], source.nativeId);
      assert.deepEqual(captured.revisions, [], source.nativeId);
    }
  }
});

test('a headless session resumed twice is read once, its tools in order', () => {
  const captured = capture(sourceOf('0.61.0-headless', '0a5317aa'));
  const timeline = [...captured.messages.values()];
  assert.deepEqual(timeline.map(brief), [
    'user: T1 plain please',
    'assistant: thinking **Thinking about it** The user wants a plain answer. | Plain answer number one.',
    'user: T2 tools please',
    'assistant: thinking **Reading** I should read the notes. | Let me look at the notes.',
    'assistant: call read_file',
    'tool: result line one line two ',
    'assistant: call run_shell_command | call list_directory',
    'tool: result <untrusted_context> Output: from-shell n',
    'tool: result Directory listing for /home/me/gemini/re',
    'assistant: call write_file',
    'tool: result Successfully created and wrote to new fi',
    'assistant: call replace',
    'tool: result Successfully modified file: /home/me/gem',
    'assistant: call read_file',
    'tool: error File not found: /home/me/gemini/rec1/wor',
    'assistant: call no_such_tool',
    'tool: error Tool "no_such_tool" not found. Did you m',
    'assistant: thinking **Wrapping up** Done. | All tools done.',
    'user: T1 plain again by index',
    'assistant: thinking **Thinking about it** The user wants a plain answer. | Plain answer number one.',
  ]);
  assert.deepEqual(
    timeline.map((message) => message.parent_msg_id),
    [null, ...timeline.slice(0, -1).map((message) => message.msg_id)],
  );
  assert.deepEqual(liveView(captured), timeline);
  assert.deepEqual(
    captured.facts.filter((fact) => fact.files !== undefined).map((fact) => fact.files?.[0]),
    [
      { path: 'notes.txt', role: 'read' },
      { path: 'new.txt', role: 'created' },
      { path: 'new.txt', role: 'edited' },
    ],
  );
  assert.deepEqual(captured.facts.at(-1), { title: { text: 'Mock session title', by: 'model' } });
});

test('the whole message, and usage without what came from the cache', () => {
  const [, answer, , text, call, result] = capture(sourceOf('0.61.0-headless', '0a5317aa')).messages.values();
  assert.deepEqual(answer, {
    msg_id: 'msg_bdfcd5b709f2f6ee9e4ea0d7',
    parent_msg_id: 'msg_9fb09dce789d43225722b558',
    role: 'assistant',
    content: [
      { type: 'thinking', text: '**Thinking about it** The user wants a plain answer.' },
      { type: 'text', text: 'Plain answer number one.' },
    ],
    timestamp: '2026-11-23T06:23:08.851Z',
    model: 'gemini-2.5-pro',
    provider: 'google',
    usage: { input_tokens: 8048, output_tokens: 22, cache_read_tokens: 3, cache_write_tokens: 0, reasoning_tokens: 5 },
    metadata: { response_id: '304daa54-bb6b-4d36-8e7d-1d23dc5e19f5' },
  });
  assert.equal(text?.metadata?.response_id, call?.metadata?.response_id);
  assert.equal(call?.usage, undefined);
  assert.deepEqual(result?.content, [
    { type: 'tool_result', tool_use_id: 'read_file__read_file_1795414991146_0', content: 'line one\nline two\n' },
  ]);
  assert.equal(result?.timestamp, '2026-11-23T06:23:11.223Z');
});

test('an image a tool read stands in its result, one a prompt points to in the prompt', () => {
  const byTool = [...capture(sourceOf('0.61.0-headless', '88525a8c')).messages.values()][2];
  assert.deepEqual(
    byTool?.content.map((block) => block.type),
    ['tool_result', 'image'],
  );
  assert.deepEqual(byTool?.metadata?.result_images, { '1': 'read_file__read_file_1795415002627_0' });
  const [prompt] = capture(sourceOf('0.61.0-headless', '19f9385c')).messages.values();
  assert.deepEqual(
    prompt?.content.map((block) => (block.type === 'text' ? block.text : block.type)),
    ['T3 image @pic.png what is it', 'image'],
  );
});

test('cancel, interruption, error, shell mode, compression and rewind in one session', () => {
  const captured = capture(sourceOf('0.61.0-interactive', 'abc89a92'));
  const main = linked(captured).slice(0, 39);
  assert.deepEqual(main, [
    'user: I1 hello <- root',
    'assistant: thinking **Greeting** Say hi. | Hi from the model. <- user: I1 hello',
    'user: I2 write a file <- assistant: thinking **Greeting',
    'assistant: Writing a file. <- user: I2 write a file',
    'assistant: call write_file <- assistant: Writing a file.',
    'tool: result Successfully created and wrote to new fi <- assistant: call write_file',
    'assistant: File written OK. <- tool: result Successfully crea',
    'user: I3 reject this <- assistant: File written OK.',
    'assistant: call run_shell_command <- user: I3 reject this',
    'tool: error [Operation Cancelled] Reason: User denie <- assistant: call run_shell_comm',
    'system*: Request cancelled. <- tool: error [Operation Cancell',
    'user: I4 slow please <- assistant: File written OK.',
    'system*: Request cancelled. <- user: I4 slow please',
    'user: I7 image @pic.png look | image <- assistant: File written OK.',
    'assistant: Image seen in the TUI. <- user: I7 image @pic.png look |',
    'user: I6 topic <- assistant: Image seen in the T',
    'assistant: call update_topic <- user: I6 topic',
    'tool: result Current topic: "Topic Title A" Topic sum <- assistant: call update_topic',
    'assistant: Topic updated. <- tool: result Current topic: "T',
    'user: I5 agent go <- assistant: Topic updated.',
    'assistant: call invoke_agent <- user: I5 agent go',
    "tool: result Subagent 'generalist' finished. Terminat <- assistant: call invoke_agent",
    "assistant: Subagent finished, two files. <- tool: result Subagent 'general",
    'user: I8 err <- assistant: Subagent finished,',
    'system*: [API Error: {"error":{"code":400,"message":"mock error 400", <- assistant: Subagent finished,',
    'system*: This request failed. Press F12 for diagnostics, or run /sett <- system*: [API Error: {"error":',
    'user: I ran the following shell command: ```sh echo shellmode-out  <- system*: This request failed.',
    'system*: Conversation checkpoint saved with tag: mytag. <- user: I ran the following shel',
    'system*: Successfully added GEMINI.md files from the following direct <- system*: Conversation checkpoi',
    'developer*: - **Workspace Directories:**   - /home/me/gemini/rec2/work/b <- system*: Successfully added GE',
    'system*: Successfully added directories: - /home/me/gemini/rec2/work/ <- developer*: - **Workspace Dire',
    'user*: summary <state_snapshot> <overall_goal>MOCK-SNAPSHOT goal</overall_g <- system*: Successfully added di',
    'assistant*: Got it. Thanks for the additional context! <- user*: summary <state_snapshot',
    'user: I1 hello again after compress <- assistant*: Got it. Thanks for',
    'assistant: thinking **Greeting** Say hi. | Hi from the model. <- user: I1 hello again after com',
    'user: I1 hello post rewind <- assistant*: Got it. Thanks for',
    'assistant: thinking **Greeting** Say hi. | Hi from the model. <- user: I1 hello post rewind',
    'user: SUB1 list the files in this directory and report <- root',
    'assistant: thinking **Sub thinking** looking <- user: SUB1 list the files in t',
  ]);
  assert.deepEqual(liveView(captured).map(brief), [
    'user*: summary <state_snapshot> <overall_goal>MOCK-SNAPSHOT goal</overall_g',
    'assistant*: Got it. Thanks for the additional context!',
    'user: I ran the following shell command: ```sh echo shellmode-out ',
    'developer*: - **Workspace Directories:**   - /home/me/gemini/rec2/work/b',
    'user: I1 hello post rewind',
    'assistant: thinking **Greeting** Say hi. | Hi from the model.',
  ]);
  assert.deepEqual(
    captured.ops.map((op) => op.op),
    ['replace', 'rewind', 'leaf'],
  );
});

test('a sub-agent is in its session, linked to the call that started it', () => {
  const captured = capture(sourceOf('0.61.0-interactive', 'abc89a92'));
  const agent = '7e18a66e-e235-4917-84b0-b638fc050d6f';
  const said = [...captured.messages.values()].filter((message) => message.agent_id === agent);
  assert.equal(said.length, 6);
  assert.ok(said.every((message) => message.is_sidechain === true));
  assert.deepEqual(
    captured.facts.find((fact) => fact.agentCalls !== undefined),
    {
      agentCalls: { [agent]: 'invoke_agent__invoke_agent_1795415039458_0' },
    },
  );
});

test('a session placed here, then cancelled, compressed, rewound and resumed there', () => {
  const captured = capture(sourceOf('0.61.0-resumed', '821badd8'));
  assert.deepEqual(liveView(captured).map(brief), [
    'user*: summary <state_snapshot> <overall_goal>MOCK-SNAPSHOT goal</overall_g',
    'assistant*: Got it. Thanks for the additional context!',
    'user: Q1 hello five',
    'assistant: thinking **Greeting** Say hi. | Hi from the model.',
    'user: Q1 hello seven',
    'assistant: thinking **Greeting** Say hi. | Hi from the model.',
    'user: Q1 hello eight',
    'assistant: thinking **Greeting** Say hi. | Hi from the model.',
    'user: Q1 final 0',
    'assistant: MOCK-REPLY to <Q1 final 0>',
    'user: Q1 final 1',
    'assistant: MOCK-REPLY to <Q1 final 1>',
  ]);
  // Every prompt once, however often the CLI appended its history again.
  const prompts = [...captured.messages.values()]
    .filter((message) => message.role === 'user' && message.is_meta !== true)
    .map(brief);
  assert.deepEqual(prompts, [
    'user: OLD-Q1 use tools',
    'user: Q1 hello',
    'user: Q2 write a file',
    'user: Q8 par please',
    'user: Q3 reject this',
    'user: Q1 hello',
    'user: Q4 slow',
    'user: Q6 file @notes.txt look',
    'user: Q5 err',
    'user: Q1 hello three',
    'user: Q1 hello four',
    'user: Q3 reject again',
    'user: Q1 hello five',
    'user: Q1 hello six',
    'user: Q3 reject third',
    'user: Q1 hello seven',
    'user: Q1 hello eight',
    'user: Q1 final 0',
    'user: Q1 final 1',
  ]);
  const expansion = [...captured.messages.values()].find((message) => message.metadata?.['expands'] !== undefined);
  assert.equal(expansion?.is_meta, true);
  assert.equal(expansion?.metadata?.live_only, true);
});

test('a document of 0.20 is read the same however often it is rewritten', () => {
  const source = sourceOf('0.20.0', 'd8d20ebf');
  const whole = capture(source);
  assert.deepEqual([...whole.messages.values()].map(brief), [
    'user: T2 tools',
    'assistant: thinking **Reading** I should. | Let me look.',
    'assistant: call read_file',
    'tool: result line one line two ',
    'assistant: call run_shell_command',
    'tool: result Command: echo from-shell Directory: (roo',
    'assistant: call list_directory',
    'tool: result Directory listing for /home/me/gemini/re',
    'assistant: All done.',
  ]);
  const file = source.files[0];
  assert.ok(file);
  const [document] = recordsOf(file.path, 'document') as [{ messages: { toolCalls?: unknown[] }[] }];
  const grown = emptyCapture();
  const context: FileContext = { ...log, key: file.key, kind: 'document' };
  for (let count = 1; count <= document.messages.length; count++)
    readRecords(grown, context, [{ ...document, messages: document.messages.slice(0, count) }]);
  assert.deepEqual([...grown.messages.keys()], [...whole.messages.keys()]);
  assert.deepEqual(liveView(grown), liveView(whole));
});

const saved = [
  'user: I1 hello',
  'assistant: Hi from the model.',
  'user: I2 write a file',
  'assistant: Writing a file.',
  'assistant: call write_file',
  'tool: result Successfully created and wrote to new fi',
  'assistant: File written OK.',
  'user: I7 image @pic.png look | image',
  'assistant: Image seen in the TUI.',
  'user: I6 topic',
  'assistant: call update_topic',
  'tool: result Current topic: "Topic Title A" Topic sum',
  'assistant: Topic updated.',
  'user: I5 agent go',
  'assistant: call invoke_agent',
  "tool: result Subagent 'generalist' finished. Terminat",
  'assistant: Subagent finished, two files.',
  'user: I ran the following shell command: ```sh echo shellmode-out ',
];

test('a named snapshot is a session of its own, read the same when it is saved again with more', () => {
  const source = sourceOf('0.61.0-interactive', 'checkpoint:');
  const whole = capture(source);
  assert.deepEqual([...whole.messages.values()].map(brief), saved);
  assert.deepEqual(liveView(whole).map(brief), saved);
  assert.deepEqual([...whole.losses], []);
  const [file] = source.files;
  assert.ok(file);
  const context: FileContext = { nativeId: source.nativeId, key: file.key, kind: 'document', agentId: undefined };
  const [document] = recordsOf(file.path, 'document') as [{ history: unknown[] }];
  const grown = emptyCapture();
  for (let count = 1; count <= document.history.length; count++)
    readRecords(grown, context, [{ history: document.history.slice(0, count) }]);
  assert.deepEqual([...grown.messages.keys()], [...whole.messages.keys()]);
  assert.deepEqual(liveView(grown), liveView(whole));
  // Saved again under the same name in another conversation: both are kept, the newer one is live.
  readRecords(grown, context, [{ history: [{ role: 'user', parts: [{ text: 'something else' }] }] }]);
  assert.deepEqual(liveView(grown).map(brief), ['user: something else']);
  assert.equal(grown.messages.size, whole.messages.size + 1);
});

test('a home of 0.1 holds snapshots only: bare histories in a folder named by hash', () => {
  const home = mkdtempSync(join(tmpdir(), 'gemini-'));
  try {
    const hash = 'f5be742f68f5a1305e44b7a4e2477778b4951fd91525ffb110a3eb48e119b7a3';
    const document: unknown = recordsOf(
      join(recording('0.61.0-interactive'), 'tmp/beta/checkpoint-mytag.json'),
      'document',
    )[0];
    const { history } = document as { history: unknown[] };
    mkdirSync(join(home, 'tmp', hash), { recursive: true });
    const path = join(home, 'tmp', hash, 'checkpoint-before%20the%20move.json');
    writeFileSync(path, JSON.stringify(history, null, 2));
    const sources = [...reader.discover(machine, home, assert.fail)];
    assert.deepEqual(sources, [
      {
        nativeId: 'checkpoint:f5be742f68f5a130:before%20the%20move',
        files: [{ key: 'checkpoint-before_20the_20move.json', path, kind: 'document' }],
        facts: { title: { text: 'before the move', by: 'person' } },
      },
    ]);
    assert.deepEqual([...(sources[0] === undefined ? [] : capture(sources[0]).messages.values())].map(brief), saved);
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('what is in a snapshot and no entry of one is counted', () => {
  const captured = emptyCapture();
  readRecords(captured, { ...log, kind: 'document' }, [
    [{ role: 'user', parts: [{ text: 'hello' }] }, { role: 'narrator', parts: [] }, 7],
    [null],
    {},
  ]);
  assert.deepEqual([...captured.messages.values()].map(brief), ['user: hello']);
  assert.deepEqual(
    [...captured.losses],
    [
      ['unknown:message', 3],
      ['unknown:record', 1],
    ],
  );
  assert.deepEqual(captured.dispositions, ['message', 'unknown', 'unknown']);
});

test('reading in two pieces at any record, and reading again, changes nothing', () => {
  for (const name of recordings) {
    for (const source of sourcesOf(name)) {
      for (const file of source.files) {
        if (file.kind !== 'log') continue;
        const context: FileContext = { nativeId: source.nativeId, key: file.key, kind: 'log', agentId: file.agentId };
        const records = recordsOf(file.path, 'log');
        const whole = emptyCapture();
        readRecords(whole, context, records);
        for (let cut = 1; cut < records.length; cut++) {
          const pieces = emptyCapture();
          readRecords(pieces, context, records, [cut]);
          assert.deepEqual([...pieces.messages.values()], [...whole.messages.values()], `${file.key} cut at ${cut}`);
          assert.deepEqual(liveView(pieces), liveView(whole), `${file.key} cut at ${cut}`);
        }
        const view = liveView(whole);
        const before = whole.messages.size;
        readRecords(whole, context, records);
        assert.equal(whole.messages.size, before, file.key);
        assert.deepEqual(liveView(whole), view, file.key);
        assert.deepEqual(whole.revisions, []);
      }
    }
  }
});

const time = '2026-11-23T06:23:08.761Z';
const user = (id: string, ...texts: string[]): Record<string, unknown> => ({
  id,
  timestamp: time,
  type: 'user',
  content: texts.map((text) => ({ text })),
});
const gemini = (id: string, content: unknown, more: object = {}): Record<string, unknown> => ({
  id,
  timestamp: time,
  type: 'gemini',
  content,
  thoughts: [],
  tokens: null,
  model: 'gemini-2.5-pro',
  ...more,
});
const checkpoint = (...messages: unknown[]): unknown => ({ $set: { messages, lastUpdated: time } });

function read(...records: unknown[]): Captured {
  const captured = emptyCapture();
  readRecords(captured, log, [{ sessionId: 'x', projectHash: 'y', startTime: time }, ...records]);
  return captured;
}

test('the same words twice in a row are two messages', () => {
  assert.deepEqual([...read(user('1', 'yes'), user('2', 'yes'), gemini('3', 'ok')).messages.values()].map(brief), [
    'user: yes',
    'user: yes',
    'assistant: ok',
  ]);
});

test('context of hooks and of the session is no part of the prompt', () => {
  const captured = read(
    user(
      '1',
      '<session_context>\nWorkspace\n</session_context>',
      'first prompt',
      '<hook_context>from a hook</hook_context>',
    ),
    gemini('2', 'ok'),
  );
  assert.deepEqual(linked(captured), [
    'user: first prompt <- root',
    'developer*: from a hook <- user: first prompt',
    'assistant: ok <- developer*: from a hook',
  ]);
});

test('a custom command shows what was typed and keeps what was sent', () => {
  const captured = read(
    { ...user('1', 'Review the diff of main with care.'), displayContent: [{ text: '/review main' }] },
    gemini('2', 'ok'),
  );
  assert.deepEqual(linked(captured), [
    'user: /review main <- root',
    'user*: Review the diff of main with care. <- user: /review main',
    'assistant: ok <- user*: Review the diff of main',
  ]);
});

test('words of a person while the model works come after the results they were sent with', () => {
  const captured = read(
    user('1', 'go'),
    gemini('2', [{ functionCall: { id: 'c1', name: 'glob', args: { pattern: '*' } } }]),
    {
      ...user(
        '3',
        'User steering update:\n<user_input>\nonly text files\n</user_input>\nInternal instruction: re-evaluate.',
      ),
      content: [
        {
          text: 'User steering update:\n<user_input>\nonly text files\n</user_input>\nInternal instruction: re-evaluate.',
        },
        { functionResponse: { id: 'c1', name: 'glob', response: { output: 'a.txt' } } },
      ],
    },
  );
  assert.deepEqual([...captured.messages.values()].map(brief), [
    'user: go',
    'assistant: call glob',
    'tool: result a.txt',
    'user: only text files',
  ]);
});

test('an output masked later on is replaced in the live view only', () => {
  const turn = [
    user('1', 'go'),
    gemini('2', 'Looking.', {
      toolCalls: [
        {
          id: 'c1',
          name: 'glob',
          args: {},
          status: 'success',
          result: [{ functionResponse: { id: 'c1', name: 'glob', response: { output: 'a long output' } } }],
        },
      ],
    }),
  ];
  const masked = [
    user('1', 'go'),
    gemini('2', [{ text: 'Looking.' }, { functionCall: { id: 'c1', name: 'glob', args: {} } }]),
    {
      ...user('3'),
      content: [{ functionResponse: { id: 'c1', name: 'glob', response: { output: '<tool_output_masked>' } } }],
    },
    gemini('4', [{ text: 'Found.' }]),
  ];
  const captured = read(
    ...turn,
    gemini('4', 'Found.'),
    checkpoint(...masked),
    user('5', 'more'),
    checkpoint(...masked, user('5', 'more')),
  );
  assert.deepEqual([...captured.messages.values()].map(brief), [
    'user: go',
    'assistant: Looking.',
    'assistant: call glob',
    'tool: result a long output',
    'assistant: Found.',
    'tool*: result <tool_output_masked>',
    'user: more',
  ]);
  assert.deepEqual(liveView(captured).map(brief), [
    'user: go',
    'assistant: Looking.',
    'assistant: call glob',
    'tool*: result <tool_output_masked>',
    'assistant: Found.',
    'user: more',
  ]);
  assert.equal(captured.ops.filter((op) => op.op === 'replace').length, 1);
});

test('a late result is a message of its own', () => {
  const call = { id: 'c1', name: 'glob', args: { pattern: '*' }, status: 'executing' };
  const done = {
    ...call,
    status: 'success',
    result: [{ functionResponse: { id: 'c1', name: 'glob', response: { output: 'late' } } }],
  };
  const captured = read(
    user('1', 'go'),
    gemini('2', '', { toolCalls: [call] }),
    gemini('2', '', { toolCalls: [done] }),
  );
  assert.deepEqual([...captured.messages.values()].map(brief), [
    'user: go',
    'assistant: call glob',
    'tool: result late',
  ]);
  assert.deepEqual(captured.revisions, []);
});

test('a rewind goes back before the message; an unknown one before everything', () => {
  const turns = [user('1', 'one'), gemini('2', 'first'), user('3', 'two'), gemini('4', 'second')];
  assert.deepEqual(liveView(read(...turns, { $rewindTo: '3' }, user('5', 'three'))).map(brief), [
    'user: one',
    'assistant: first',
    'user: three',
  ]);
  assert.deepEqual(liveView(read(...turns, { $rewindTo: 'nobody' })), []);
  assert.deepEqual(liveView(read(...turns, checkpoint())), []);
});

test('a document that is read after the log that goes on from it leaves the live view alone; one that lost its end does not', () => {
  const turns = [user('1', 'one'), gemini('2', 'first')];
  const document: FileContext = { ...log, key: 'session-x.json', kind: 'document' };
  const captured = read(checkpoint(...turns), user('3', 'two'));
  const whole = { sessionId: 'x', projectHash: 'y', messages: turns };
  readRecords(captured, document, [whole]);
  assert.deepEqual(liveView(captured).map(brief), ['user: one', 'assistant: first', 'user: two']);
  readRecords(captured, document, [{ ...whole, summary: 'A name' }]);
  assert.deepEqual(liveView(captured).map(brief), ['user: one', 'assistant: first', 'user: two']);
  readRecords(captured, document, [{ ...whole, messages: turns.slice(0, 1) }]);
  assert.deepEqual(liveView(captured).map(brief), ['user: one']);
  assert.equal(captured.messages.size, 3);
  readRecords(captured, document, [{ ...whole, messages: [] }]);
  assert.deepEqual(liveView(captured), []);
});

test('an id that comes again with other words is a later form, at its first place', () => {
  const captured = read(user('1', 'one'), gemini('2', 'first'), user('1', 'one, please'), gemini('3', 'second'));
  assert.deepEqual([...captured.messages.values()].map(brief), ['user: one', 'assistant: first', 'assistant: second']);
  assert.deepEqual(captured.revisions.map(brief), ['user: one, please']);
  assert.equal(captured.revisions[0]?.msg_id, [...captured.messages.keys()][0]);
});

test('a clock that goes back changes no order', () => {
  const at = (record: Record<string, unknown>, minute: number): unknown => ({
    ...record,
    timestamp: `2026-11-23T06:${minute}:00.000Z`,
  });
  const captured = read(at(user('1', 'one'), 50), at(gemini('2', 'first'), 40), at(user('3', 'two'), 30), {
    ...gemini('4', 'second'),
    timestamp: 'yesterday',
  });
  assert.deepEqual(liveView(captured).map(brief), ['user: one', 'assistant: first', 'user: two', 'assistant: second']);
  assert.deepEqual(
    [...captured.messages.values()].map((message) => message.timestamp.slice(14, 16)),
    ['50', '40', '30', '30'],
  );
});

test('a call id that is used again belongs to its own answer', () => {
  const called = (id: string, output: string): Record<string, unknown> =>
    gemini(id, '', {
      toolCalls: [{ id: 'c', name: 'glob', args: {}, status: 'success', result: output }],
    });
  assert.deepEqual([...read(user('1', 'go'), called('2', 'one'), called('3', 'two')).messages.values()].map(brief), [
    'user: go',
    'assistant: call glob',
    'tool: result one',
    'assistant: call glob',
    'tool: result two',
  ]);
});

test('a rewind after a rewind goes back further', () => {
  const turns = [user('1', 'one'), gemini('2', 'first'), user('3', 'two'), gemini('4', 'second')];
  const captured = read(...turns, { $rewindTo: '4' }, { $rewindTo: '3' }, user('5', 'three'));
  assert.deepEqual(liveView(captured).map(brief), ['user: one', 'assistant: first', 'user: three']);
  assert.equal(captured.messages.size, 5);
});

test('records nobody has described are counted by name', () => {
  const captured = read({ id: '1', type: 'hologram', content: 'x' }, { something: 'else' }, null, [1]);
  assert.deepEqual(
    [...captured.losses],
    [
      ['unknown:hologram', 1],
      ['unknown:record', 3],
    ],
  );
  assert.deepEqual(captured.dispositions, ['fact', 'unknown', 'unknown', 'unknown', 'unknown']);
});

test('no value makes the decoder throw or its state grow beyond 64 KB', () => {
  const part = fc.oneof(
    fc.record(
      {
        text: fc.oneof(
          fc.string(),
          fc.constant('<session_context>'),
          fc.constant('\n--- Content from referenced files ---'),
          fc.jsonValue(),
        ),
      },
      { requiredKeys: [] },
    ),
    fc.record({
      functionCall: fc.record({ id: fc.string(), name: fc.string(), args: fc.jsonValue() }, { requiredKeys: [] }),
    }),
    fc.record({
      functionResponse: fc.record(
        { id: fc.string(), name: fc.string(), response: fc.jsonValue(), parts: fc.jsonValue() },
        { requiredKeys: [] },
      ),
    }),
    fc.record({ inlineData: fc.record({ data: fc.string(), mimeType: fc.constantFrom('image/png', 'text/plain') }) }),
    fc.jsonValue(),
  );
  const entry = fc.record(
    {
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      type: fc.constantFrom('user', 'gemini', 'info', 'other'),
      timestamp: fc.oneof(fc.constant(time), fc.jsonValue()),
      content: fc.oneof(fc.string(), fc.array(part), fc.jsonValue()),
      displayContent: fc.jsonValue(),
      thoughts: fc.jsonValue(),
      tokens: fc.jsonValue(),
      model: fc.jsonValue(),
      toolCalls: fc.array(
        fc.record(
          {
            id: fc.constantFrom('c1', 'c2', 'shown-c1'),
            name: fc.string(),
            args: fc.jsonValue(),
            result: fc.oneof(fc.array(part), fc.jsonValue()),
            status: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: [] },
  );
  const record = fc.oneof(
    entry,
    fc.record({
      $set: fc.record(
        { messages: fc.oneof(fc.array(entry), fc.jsonValue()), summary: fc.jsonValue() },
        { requiredKeys: [] },
      ),
    }),
    fc.record({ $rewindTo: fc.constantFrom('a', 'b', 'zz') }),
    fc.record({ sessionId: fc.string(), messages: fc.array(entry) }),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 12 }), (records) => {
      const all = records.map((_, index) => index + 1);
      const captured = emptyCapture();
      readRecords(captured, log, records, all);
      for (const message of captured.messages.values()) assert.ok(message.content.length > 0);
      liveView(captured);
    }),
    { numRuns: 300 },
  );
});

test('deep, long and broken values', () => {
  let deep: unknown = 'x';
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  const long = 'y'.repeat(1_000_000);
  const captured = read(
    user('1', '\uD800 lone'),
    gemini('2', [{ functionCall: { id: long, name: long, args: { deep } } }, { strange: deep }]),
    { ...user('3'), content: [{ functionResponse: { id: long, name: long, response: { deep } } }] },
  );
  assert.deepEqual([...captured.losses], [['input-nested-too-deep', 1]]);
  const given = givenFor(captured, log);
  const state = reader.start(log);
  const name = 'z'.repeat(5000);
  for (let index = 0; index < 300; index++)
    reader.decode(
      gemini(`${name}${index}`, '', { toolCalls: [{ id: `${name}c${index}`, name, args: {} }] }),
      state,
      given,
    );
  assert.ok(JSON.stringify(state).length < 64 * 1024);
});

test('discovery tells each session with its files', () => {
  assert.deepEqual(
    sourcesOf('0.61.0-interactive').map((source) => [
      source.nativeId,
      source.files.map((file) => [file.key, file.kind, file.agentId]),
      source.facts,
    ]),
    [
      [
        'abc89a92-f496-4cb2-9b32-e63bcec9bed7',
        [
          ['session-2026-11-23T06-23-abc89a92.jsonl', 'log', undefined],
          ['7e18a66e-e235-4917-84b0-b638fc050d6f.jsonl', 'log', '7e18a66e-e235-4917-84b0-b638fc050d6f'],
        ],
        { cwd: '/home/me/gemini/rec2/work/beta' },
      ],
      [
        'a2580c94-a58b-45b5-8eae-4879a74dc55b',
        [['session-2026-11-23T06-24-a2580c94.jsonl', 'log', undefined]],
        { cwd: '/home/me/gemini/rec2/work/beta' },
      ],
      [
        'checkpoint:f4ac069441295112:mytag',
        [['checkpoint-mytag.json', 'document', undefined]],
        { cwd: '/home/me/gemini/rec2/work/beta', title: { text: 'mytag', by: 'person' } },
      ],
    ],
  );
  const bigOutput = sourceOf('0.61.0-headless', 'f4731405');
  assert.deepEqual(
    bigOutput.files.map((file) => [file.key, file.kind]),
    [
      ['session-2026-11-23T06-23-f4731405.jsonl', 'log'],
      ['output.run_shell_command__run_shell_command_1795415004016_0.txt', 'attachment'],
    ],
  );
  // What a resume starts with lies beside the session and says nothing.
  assert.deepEqual(
    sourceOf('0.61.0-resumed', '821badd8').files.map((file) => file.key),
    [
      'session-2026-11-25T21-02-32c18eb5.jsonl',
      'session-2026-11-25T21-02-821badd8.jsonl',
      'session-2026-11-25T21-03-821badd8.jsonl',
    ],
  );
});

test('sub-agents whose folders name each other are each found once', () => {
  const home = mkdtempSync(join(tmpdir(), 'gemini-'));
  try {
    const put = (path: string, id: string): void => {
      mkdirSync(join(home, 'tmp/p/chats', path, '..'), { recursive: true });
      writeFileSync(join(home, 'tmp/p/chats', path), `${JSON.stringify({ sessionId: id, projectHash: 'x' })}\n`);
    };
    put('session-2026-11-23T06-23-abcdefab.jsonl', 's1');
    put('s1/a.jsonl', 'a');
    put('a/b.jsonl', 'b');
    put('b/a.jsonl', 'a');
    put('b/s1.jsonl', 's1');
    const [source, ...others] = [...reader.discover(machine, home, assert.fail)];
    assert.deepEqual(others, []);
    assert.deepEqual(
      source?.files.map((file) => [file.path.slice(join(home, 'tmp/p/chats/').length), file.agentId]),
      [
        ['session-2026-11-23T06-23-abcdefab.jsonl', undefined],
        ['s1/a.jsonl', 'a'],
        ['a/b.jsonl', 'b'],
        ['b/s1.jsonl', 's1'],
      ],
    );
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('a single file tells its whole session', () => {
  for (const name of recordings) {
    for (const source of sourcesOf(name)) {
      for (const file of source.files)
        assert.deepEqual(reader.sourceAt(machine, file.path, assert.fail), source, file.path);
    }
  }
  assert.equal(reader.sourceAt(machine, `${recording('0.61.0-interactive')}/projects.json`, assert.fail), undefined);
});

test('discovery follows no link, prefers the named folder to its older copy, and tells what it cannot read', () => {
  const home = mkdtempSync(join(tmpdir(), 'gemini-'));
  try {
    const hash = 'f5be742f68f5a1305e44b7a4e2477778b4951fd91525ffb110a3eb48e119b7a3';
    cpSync(recording('0.20.0'), home, { recursive: true });
    cpSync(join(home, 'tmp', hash), join(home, 'tmp/my-project-1'), { recursive: true });
    mkdirSync(join(home, 'elsewhere'));
    symlinkSync(join(home, 'elsewhere'), join(home, 'tmp/linked'));
    const torn = join(home, 'tmp/my-project-1/chats/session-2026-11-23T05-48-00000000.jsonl');
    writeFileSync(torn, '{"nothing":1}\n');
    const problems: string[] = [];
    const found = [...reader.discover(machine, home, (path) => problems.push(path))];
    assert.deepEqual(found.flatMap((source) => source.files.map((file) => file.path)).toSorted(), [
      join(home, 'tmp/my-project-1/chats/session-2026-11-23T05-48-2fd46b63.json'),
      join(home, 'tmp/my-project-1/chats/session-2026-11-23T05-48-d8d20ebf.json'),
    ]);
    assert.deepEqual(problems, [torn]);
  } finally {
    chmodSync(home, 0o700);
    rmSync(home, { recursive: true });
  }
});
