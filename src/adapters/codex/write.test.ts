import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { LiveSession, WriteGiven, Written } from '../adapter.ts';
import { translate } from '../shared/vocabulary.ts';
import type { Vocabulary } from '../shared/vocabulary.ts';
import type { Machine, RunOptions, RunResult } from '../../io/machine.ts';
import { isKnown } from '../../model/block.ts';
import { isHuman } from '../../model/message.ts';
import type { Message } from '../../model/message.ts';
import { addPatch, parsePatch, sidesOf, unifiedDiff, updatePatch } from './patch.ts';
import { rolloutName } from './native.ts';
import { reader } from './read.ts';
import { Session, bareMachine, brief, linesOf, recording, scratchHome, sessionsOf } from './test-support.ts';
import { vocabulary } from './vocabulary.ts';
import { writer } from './write.ts';

/**
 * A session of another tool in all its shapes, and what became of it: the first lines of the rollout were written by this
 * module, the others by Codex 0.169.0, which resumed it twice, compacted it and resumed it again.
 */
const story = JSON.parse(readFileSync(join(recording('0.169.0-resumed'), 'story.json'), 'utf8')) as Message[];
const [resumed] = [...reader.discover(bareMachine(), recording('0.169.0-resumed'), assert.fail)];
assert.ok(resumed !== undefined);
const rollout = resumed.files[0]!;
const recorded = linesOf(rollout.path);
const header = JSON.parse(recorded[0]!) as { payload: { id: string; timestamp: string; cwd: string } };
const placedLines = 50;

function session(messages: Iterable<Message>, over: Partial<LiveSession> = {}): LiveSession {
  return {
    sessionId: 'ses_0123456789abcdef',
    origin: { tool: 'claude-code', name: 'Claude Code', nativeId: '11111111-2222-4333-8444-555555555555' },
    title: 'Pears',
    git: { branch: 'main', commit_sha: 'e13169162e5d15335ed622eb69487cddd05dc9d4' },
    messages,
    ...over,
  };
}

const given: WriteGiven = {
  home: '/home/me/.codex',
  cwd: header.payload.cwd,
  version: '0.169.0',
  nativeId: header.payload.id,
  now: header.payload.timestamp,
  toolVersion: '0.169.0',
  extra: { provider: 'lab', path: 'sessions/2026/11/25/rollout.jsonl' },
};

function textsOf(written: Written): string[] {
  return [...written.files[0]!.lines].map(({ text }) => text);
}

interface Line {
  readonly timestamp: string;
  readonly ordinal: number;
  readonly type: string;
  readonly payload: { readonly type?: string; readonly item?: { readonly type: string } } & Record<string, unknown>;
}

function linesIn(written: Written): Line[] {
  return textsOf(written).map((text) => JSON.parse(text) as Line);
}

/** The kind of each line behind the header. */
function kindsIn(written: Written): string[] {
  return linesIn(written)
    .slice(1)
    .map(
      ({ type, payload }) =>
        payload.item?.type ?? (type === 'response_item' ? String(payload.type) : (payload.type ?? type)),
    );
}

let clock = 0;
function message(role: Message['role'], content: Message['content'], over: Partial<Message> = {}): Message {
  clock += 1;
  return {
    msg_id: `m${clock}`,
    parent_msg_id: null,
    role,
    content,
    timestamp: new Date(Date.parse('2026-11-20T10:00:00Z') + clock * 1000).toISOString(),
    ...over,
  };
}
const text = (words: string): Message['content'] => [{ type: 'text', text: words }];

describe('what is written', () => {
  test('is what the real Codex resumed, byte for byte', () => {
    const written = writer.write(session(story), given);
    assert.deepEqual(textsOf(written), recorded.slice(0, placedLines));
    assert.deepEqual(
      [...written.losses],
      [
        ['half-character', 1],
        ['thinking', 1],
        ['failure-mark', 1],
        ['injected-context', 1],
        ['call-without-result', 1],
        ['call-name', 1],
      ],
    );
    assert.deepEqual(textsOf(written), recorded.slice(0, placedLines), 'a second time too');
    assert.deepEqual(
      [...written.losses],
      [
        ['half-character', 1],
        ['thinking', 1],
        ['failure-mark', 1],
        ['injected-context', 1],
        ['call-without-result', 1],
        ['call-name', 1],
      ],
    );
  });

  test('has a turn for each prompt, every call with its result, and no empty words', () => {
    assert.deepEqual(kindsIn(writer.write(session(story), given)), [
      'task_started',
      'message',
      'ContextCompaction',
      'task_complete',
      'task_started',
      'message',
      'UserMessage',
      'Reasoning',
      'AgentMessage',
      'message',
      'function_call',
      'function_call',
      'CommandExecution',
      'McpToolCall',
      'function_call_output',
      'function_call_output',
      'custom_tool_call',
      'FileChange',
      'custom_tool_call_output',
      'function_call',
      'CommandExecution',
      'function_call_output',
      'AgentMessage',
      'message',
      'task_complete',
      'task_started',
      'message',
      'UserMessage',
      'task_complete',
      'task_started',
      'message',
      'UserMessage',
      'function_call',
      'ImageView',
      'function_call_output',
      'AgentMessage',
      'message',
      'task_complete',
      'task_started',
      'message',
      'UserMessage',
      'AgentMessage',
      'message',
      'function_call',
      'McpToolCall',
      'function_call_output',
      'message',
      'turn_aborted',
      'token_count',
    ]);
  });

  test('counts on without a gap, never goes back in time, and asks for nothing but the person’s provider', () => {
    const lines = linesIn(writer.write(session(story), given));
    for (const [index, line] of lines.entries()) {
      assert.equal(line.ordinal, index);
      if (index > 0) assert.ok(line.timestamp >= lines[index - 1]!.timestamp);
    }
    assert.deepEqual(lines[0]!.payload, {
      session_id: given.nativeId,
      id: given.nativeId,
      timestamp: given.now,
      cwd: '/home/me/work',
      originator: 'sessionfs',
      cli_version: '0.169.0',
      source: 'cli',
      thread_source: 'user',
      model_provider: 'lab',
      history_mode: 'paginated',
      git: { commit_hash: 'e13169162e5d15335ed622eb69487cddd05dc9d4', branch: 'main' },
      imported_from: {
        session: 'ses_0123456789abcdef',
        tool: 'claude-code',
        id: '11111111-2222-4333-8444-555555555555',
      },
    });
    assert.equal(lines.filter(({ type }) => type === 'turn_context').length, 0);
    assert.deepEqual(lines.at(-1)!.payload, {
      type: 'token_count',
      info: {
        total_token_usage: {
          input_tokens: 0,
          cached_input_tokens: 0,
          output_tokens: 0,
          reasoning_output_tokens: 0,
          total_tokens: 3115,
        },
        last_token_usage: {
          input_tokens: 0,
          cached_input_tokens: 0,
          output_tokens: 0,
          reasoning_output_tokens: 0,
          total_tokens: 3115,
        },
        model_context_window: null,
      },
      rate_limits: null,
    });
  });

  test('shows a lone summary as the prompt, for Codex lists no thread in which nobody speaks', () => {
    const summary = message('user', [{ type: 'summary', text: 'All was well.' }]);
    assert.deepEqual(kindsIn(writer.write(session([summary]), given)), [
      'task_started',
      'message',
      'UserMessage',
      'task_complete',
      'token_count',
    ]);
  });

  test('begins with an answer where the view does', () => {
    const written = writer.write(session([message('assistant', text('So.'))]), given);
    assert.deepEqual(kindsIn(written), ['task_started', 'AgentMessage', 'message', 'task_complete', 'token_count']);
  });

  test('of nothing is a header alone', () => {
    assert.deepEqual(kindsIn(writer.write(session([]), given)), ['token_count']);
  });

  test('leaves out what Codex cannot take, and counts it', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as never;
    const written = writer.write(
      session([
        message('user', [{ type: 'image', source: { type: 'path', data: 'a.png' } }]),
        message('user', text('hello')),
        message('assistant', [{ type: 'tool_use', tool_use_id: 'c', name: 'n', input: deep }]),
        message('tool', [{ type: 'tool_result', tool_use_id: 'c', content: 'r' }]),
        message('assistant', text('side'), { is_sidechain: true }),
      ]),
      given,
    );
    assert.deepEqual(kindsIn(written), [
      'task_started',
      'message',
      'UserMessage',
      'task_complete',
      'task_started',
      'message',
      'UserMessage',
      'function_call',
      'McpToolCall',
      'function_call_output',
      'task_complete',
      'token_count',
    ]);
    assert.deepEqual(
      [...written.losses],
      [
        ['image:path', 1],
        ['call-input', 1],
        ['sub-agent-message', 1],
      ],
    );
  });

  test('of one of Codex’s own sessions keeps its calls as they were', () => {
    const own = session(
      [
        message('user', text('hello')),
        message('assistant', [
          { type: 'tool_use', tool_use_id: 'ws_1', name: 'web_search', input: { type: 'search', query: 'q' } },
        ]),
        message('assistant', [
          { type: 'tool_use', tool_use_id: 'call_1', name: 'mcp__docs.lookup', input: { q: 'tapir' } },
        ]),
        message('tool', [{ type: 'tool_result', tool_use_id: 'call_1', content: 'found' }]),
        message('assistant', [{ type: 'tool_use', tool_use_id: 'call_2', name: 'exec', input: { input: 'text(1)' } }]),
        message('tool', [{ type: 'tool_result', tool_use_id: 'call_2', content: 'one' }]),
      ].map((one, index) => ({ ...one, metadata: { response_id: index < 4 ? 'a' : 'b' } })),
      { origin: { tool: 'codex', name: 'Codex CLI', nativeId: 'x' } },
    );
    const items = linesIn(writer.write(own, given)).filter(({ type }) => type === 'response_item');
    assert.deepEqual(
      items.slice(1).map(({ payload }) => payload),
      [
        { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'q' } },
        {
          type: 'function_call',
          name: 'lookup',
          namespace: 'mcp__docs',
          arguments: '{"q":"tapir"}',
          call_id: 'call_1',
        },
        { type: 'function_call_output', call_id: 'call_1', output: 'found' },
        { type: 'custom_tool_call', status: 'completed', call_id: 'call_2', name: 'exec', input: 'text(1)' },
        { type: 'custom_tool_call_output', call_id: 'call_2', output: 'one' },
      ],
    );
  });

  test('holds one step in memory', () => {
    let pulled = 0;
    const endless = {
      *[Symbol.iterator]() {
        for (;;) {
          pulled += 1;
          yield message('user', text(`prompt ${pulled}`));
        }
      },
    };
    const lines = writer.write(session(endless), given).files[0]!.lines[Symbol.iterator]();
    for (let line = 0; line < 400; line += 1) assert.equal(lines.next().done, false);
    assert.ok(pulled < 110, `${pulled} messages were read for 400 lines`);
  });
});

describe('the round trip', () => {
  test('every line that was made from a message is read back as one, in order', () => {
    const written = [...writer.write(session(story), given).files[0]!.lines];
    const back = new Session(given.nativeId);
    let state = reader.start({ nativeId: given.nativeId, key: given.nativeId, kind: 'log', agentId: undefined });
    const pairs: string[] = [];
    for (const { text: line, from } of written) {
      const known = new Set(back.messages.keys());
      state = back.read([line], given.nativeId, { state });
      const said = [...back.messages.values()].filter(({ msg_id: id }) => !known.has(id));
      assert.equal(said.length, from === undefined ? 0 : 1, line);
      if (from !== undefined) pairs.push(`${from} ${brief(said[0]!)}`);
    }
    assert.deepEqual(pairs, [
      'm1 user: Earlier: the apple tree was pruned.',
      'm2 user: Please count the pears\nand say how',
      'm4 assistant: Looking for pears. \ufffd half',
      'm5 assistant: call exec_command',
      'm6 assistant: call Grep',
      'm7 tool: result',
      'm8 tool: result',
      'm9 assistant: call apply_patch',
      'm10 tool: result',
      'm11 assistant: call exec_command',
      'm12 tool: result',
      'm13 assistant: Two pears.',
      'm15 user: first of two prompts',
      'm16 user: Here is a picture + image',
      'm17 assistant: call view_image',
      'm18 tool: result + image',
      'm19 assistant: A nice picture.',
      'm20 user: Now the long task',
      'm21 assistant: Starting.',
      'm21 assistant: call Weird_Name_',
      'm21 tool: result',
      'm21 user (meta): <turn_aborted>\nThe user interrupted the ',
    ]);
  });

  test('what Codex appended is all that is new, and hangs on what was placed', () => {
    const back = new Session(given.nativeId);
    const state = back.read(recorded.slice(0, placedLines));
    const placed = new Set(back.messages.keys());
    const last = back.live.at(-1)!;
    assert.equal(placed.size, 22);
    back.read(recorded.slice(placedLines), given.nativeId, { state });
    const fresh = [...back.messages.values()].filter(({ msg_id: id }) => !placed.has(id));
    assert.equal(fresh[0]!.parent_msg_id, last.msg_id);
    assert.deepEqual(fresh.map(brief), [
      'user (meta): <environment_context>\n  <cwd>/home/me/wo',
      'user: go on please',
      'assistant: ECHO: go on please',
      'user: S:shell again',
      'assistant: thinking **Run ls**\n\nLook at files.',
      'assistant: I will list the files.',
      'assistant: call exec_command',
      'tool: result 0',
      'assistant: Listed the files. Done.',
      'user (meta): Here is a picture',
      'user (meta): <environment_context>\n  <cwd>/home/me/wo',
      'user: summary Another language model started to solve ',
      'user: after the summary',
      'assistant: ECHO: after the summary',
    ]);
    assert.deepEqual(fresh.filter(isHuman).map(brief), [
      'user: go on please',
      'user: S:shell again',
      'user: after the summary',
    ]);
    // What the request after the compaction held (0.169.0), instructions apart.
    assert.deepEqual(back.live.map(brief), [
      'user: Earlier: the apple tree was pruned.',
      'user: Please count the pears\nand say how',
      'user: first of two prompts',
      'user (meta): Here is a picture',
      'user: Now the long task',
      'user: go on please',
      'user (meta): <environment_context>\n  <cwd>/home/me/wo',
      'user: S:shell again',
      'user: summary Another language model started to solve ',
      'user: after the summary',
      'assistant: ECHO: after the summary',
    ]);
    assert.deepEqual(back.losses, {});
    assert.equal(back.records.unknown, undefined);
  });
});

describe('a session that is written and read again', () => {
  /**
   * What a model sees, and what a writer is to leave out, by the name it gives that. Calls are numbered: one that the provider
   * made gets no id again. Results stand behind the response, so they are kept apart.
   */
  function told(messages: readonly Message[]): {
    readonly said: unknown[];
    readonly results: unknown[][];
    readonly losses: Record<string, number>;
  } {
    const said: unknown[] = [];
    const results: unknown[][] = [];
    const losses: Record<string, number> = {};
    const lose = (name: string): void => void (losses[name] = (losses[name] ?? 0) + 1);
    const calls: string[] = [];
    for (const { role, is_meta: meta, metadata, content } of messages) {
      const isKept = metadata?.carried === true || metadata?.live_only === true;
      if (role !== 'assistant' && role !== 'tool' && meta === true && !isKept) {
        lose('injected-context');
        continue;
      }
      let of = -1;
      for (const block of content) {
        assert.ok(isKnown(block));
        if (block.type === 'thinking') lose('thinking');
        else if (block.type === 'text' || block.type === 'summary')
          said.push([role === 'assistant' ? 'answer' : 'prompt', block.text]);
        else if (block.type === 'tool_use') {
          said.push(['call', calls.push(block.tool_use_id), block.name, block.input]);
          results.push([]);
        } else if (block.type === 'tool_result') {
          of = calls.lastIndexOf(block.tool_use_id);
          results[of]?.push(block.content, block.is_error ?? false, block.exit_code ?? null);
        } else if (role === 'tool') results[of]?.push(block.source);
        else said.push(['image', block.source]);
      }
    }
    for (const result of results) if (result.length === 0) lose('call-without-result');
    return { said, results, losses };
  }

  for (const name of readdirSync(recording('.')).sort()) {
    test(`${name}: differs by the losses that are counted, and by nothing else`, () => {
      for (const [id, source] of sessionsOf(recording(name))) {
        const before = told(source.live);
        const origin = { tool: 'codex', name: 'Codex CLI', nativeId: source.nativeId };
        const written = writer.write(session(source.live, { origin }), given);
        const back = new Session(given.nativeId);
        back.read(textsOf(written));
        const after = told(back.live);
        assert.deepEqual(Object.fromEntries(written.losses), before.losses, id);
        assert.deepEqual(after.said, before.said, id);
        assert.deepEqual(after.results, before.results, id);
        // What is written anew is the mark of a turn that was broken off.
        const broken = source.live.filter(({ stop_reason: reason }) => reason === 'interrupted').length;
        assert.equal(after.losses['injected-context'] ?? 0, broken, id);
        assert.deepEqual([back.losses, back.records.unknown], [{}, undefined], id);
      }
    });
  }
});

describe('preparing and placing', () => {
  const request = { home: '/home/me/.codex', cwd: '/w', version: undefined, nativeId: undefined };

  test('a new thread lies where Codex would put it today, under the provider of the person', async (t) => {
    const home = scratchHome(t, '0.169.0');
    const now = new Date(2026, 0, 5, 3, 4, 9);
    const machine: Machine = { ...bareMachine(), now: () => now, uuid7: () => '019b8c7e-0000-7000-8000-000000000001' };
    const prepared = await writer.prepare(machine, { ...request, home });
    assert.deepEqual(prepared, {
      ...request,
      home,
      nativeId: '019b8c7e-0000-7000-8000-000000000001',
      now: now.toISOString(),
      toolVersion: '0.169.0',
      extra: {
        provider: 'lab',
        path: 'sessions/2026/01/05/rollout-2026-01-05T03-04-09-019b8c7e-0000-7000-8000-000000000001.jsonl',
      },
    });
    const [file] = writer.write(session(story), prepared).files;
    assert.equal(file!.path, prepared.extra['path']);
    assert.equal(file!.key, prepared.nativeId);
    assert.equal(rolloutName(file!.path.split('/').at(-1)!)?.threadId, prepared.nativeId);
  });

  test('the provider of a chosen profile, of none, of a broken file', async (t) => {
    const home = scratchHome(t, '0.169.0');
    const providerOf = async (config: string): Promise<unknown> => {
      writeFileSync(join(home, 'config.toml'), config);
      return (await writer.prepare(bareMachine(), { ...request, home })).extra['provider'];
    };
    assert.equal(await providerOf('model_provider = "a"\nprofile = "p"\n[profiles.p]\nmodel_provider = "b"\n'), 'b');
    assert.equal(await providerOf('model_provider = "a"\nprofile = "q"\n'), 'a');
    assert.equal(await providerOf(''), 'openai');
    assert.equal(await providerOf('model_provider ='), 'openai');
  });

  test('an archived file goes back where it was, out of Codex’s own archive too', () => {
    const id = '01a206d9-a2fc-7973-9a17-6fad529e533a';
    const segment = '01a206db-df0c-7373-a217-2726863beb35';
    const files = [
      { key: id, path: `/elsewhere/.codex/archived_sessions/rollout-2026-11-23T05-20-56-${id}.jsonl` },
      {
        key: segment,
        path: `C:\\Users\\me\\.codex\\sessions\\2026\\11\\23\\rollout-2026-11-23T05-23-22-${id}_${segment}.jsonl`,
      },
    ];
    assert.deepEqual(
      [...writer.restore(files, { ...given, nativeId: id })!],
      [
        [id, `sessions/2026/11/23/rollout-2026-11-23T05-20-56-${id}.jsonl`],
        [segment, `sessions/2026/11/23/rollout-2026-11-23T05-23-22-${id}_${segment}.jsonl`],
      ],
    );
    assert.equal(writer.restore(files.slice(1), { ...given, nativeId: id }), undefined);
    assert.equal(
      writer.restore([{ key: id, path: '/x/sessions/2026/11/23/../../evil.jsonl' }], { ...given, nativeId: id }),
      undefined,
    );
    assert.equal(writer.restore([{ key: 'other', path: files[0]!.path }], { ...given, nativeId: id }), undefined);
  });

  test('a thread is live while its writer’s lock lies there', (t) => {
    const home = scratchHome(t, '0.169.0');
    assert.equal(writer.live(bareMachine(), home, 'id'), false);
    mkdirSync(join(home, 'thread-writer-locks'));
    writeFileSync(join(home, 'thread-writer-locks/id.lock'), '');
    assert.equal(writer.live(bareMachine(), home, 'id'), true);
    assert.equal(writer.live(bareMachine(), home, 'other'), false);
  });

  test('what a person types next', () => {
    assert.deepEqual(writer.launch('id', { cwd: '/w', model: undefined }), ['codex', 'resume', 'id']);
    assert.deepEqual(writer.launch('id', { cwd: '/w', model: 'gpt-5.5' }), ['codex', 'resume', 'id', '-m', 'gpt-5.5']);
  });
});

describe('registering', () => {
  function machineWith(answer: (options: RunOptions) => RunResult): Machine {
    return {
      ...bareMachine({ PATH: '/bin' }),
      which: () => '/opt/codex',
      run: async (_argv, options) => answer(options),
    };
  }
  const placed = { nativeId: 'id', title: 'Pears', files: [] };

  test('asks Codex’s own server to read the thread and to name it', async () => {
    let asked: RunOptions | undefined;
    const machine = machineWith((options) => {
      asked = options;
      return {
        status: undefined,
        stdout: '{"id":"sessionfs-start","result":{}}\n{"id":"sessionfs-name","result":{}}\n{"id":',
        stderr: '',
      };
    });
    assert.deepEqual(await writer.register!(machine, placed, given), { listed: true, how: 'codex app-server' });
    assert.deepEqual(
      asked?.input
        ?.trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { method: string }).method),
      ['initialize', 'initialized', 'thread/read', 'thread/name/set'],
    );
    assert.equal(asked?.env?.['CODEX_HOME'], given.home);
    assert.equal(asked?.until, '"id":"sessionfs-name"');
  });

  test('says why it is not listed, and what lists it', async () => {
    const hint = 'codex resume id';
    assert.deepEqual(await writer.register!(bareMachine({ PATH: '/nowhere' }), placed, given), {
      listed: false,
      why: 'codex is not in PATH, and only it can enter a thread into its list',
      hint,
    });
    const refusing = machineWith(() => ({
      status: 0,
      stdout: '{"id":"sessionfs-name","error":{"message":"no such thread"}}\n',
      stderr: '',
    }));
    assert.deepEqual(await writer.register!(refusing, placed, given), { listed: false, why: 'no such thread', hint });
    const silent = machineWith(() => ({ status: 1, stdout: '', stderr: 'broken' }));
    assert.deepEqual(await writer.register!(silent, placed, given), {
      listed: false,
      why: 'codex app-server did not answer',
      hint,
    });
  });
});

describe('the vocabulary', () => {
  /** A language in which every common call is a call of its own name. */
  const plain: Vocabulary = (
    ['shell', 'read', 'write', 'edit', 'search', 'list', 'fetch', 'web-search', 'plan', 'agent'] as const
  ).map((verb) => ({
    verb,
    name: verb,
    read: (input) => ({ verb, ...input }) as never,
    write: (call) => ({ ...call }) as never,
  }));
  const write = (name: string, input: object): unknown => translate({ name, input: input as never }, plain, vocabulary);
  const read = (name: string, input: object): unknown => translate({ name, input: input as never }, vocabulary, plain);

  test('writes commands, patches and pictures; what it has no word for keeps its name', () => {
    assert.deepEqual(write('shell', { command: 'ls', cwd: '/w', timeoutMs: 5 }), {
      name: 'exec_command',
      input: { cmd: 'ls', workdir: '/w' },
    });
    assert.deepEqual(write('read', { path: "it's.txt" }), {
      name: 'exec_command',
      input: { cmd: "cat 'it'\\''s.txt'" },
    });
    assert.deepEqual(write('read', { path: 'a.txt', offset: 5, limit: 3 }), {
      name: 'exec_command',
      input: { cmd: "sed -n '5,7p' a.txt" },
    });
    assert.deepEqual(write('read', { path: 'a.png' }), { name: 'view_image', input: { path: 'a.png' } });
    assert.deepEqual(write('search', { pattern: 'a b', glob: '*.ts', path: 'src' }), {
      name: 'exec_command',
      input: { cmd: "rg -n -g '*.ts' -e 'a b' src" },
    });
    assert.deepEqual(write('list', { path: 'src' }), { name: 'exec_command', input: { cmd: 'ls src' } });
    assert.deepEqual(write('write', { path: 'a.txt', content: 'one\ntwo\n' }), {
      name: 'apply_patch',
      input: { input: '*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch\n' },
    });
    assert.deepEqual(write('edit', { path: 'a.txt', before: 'old', after: 'new\nmore' }), {
      name: 'apply_patch',
      input: { input: '*** Begin Patch\n*** Update File: a.txt\n@@\n-old\n+new\n+more\n*** End Patch\n' },
    });
    assert.equal(write('edit', { path: 'a.txt', before: 'old', after: 'new', all: true }), undefined);
    assert.equal(write('edit', { path: 'a\n*** Delete File: b', before: 'old', after: 'new' }), undefined);
    for (const verb of ['fetch', 'web-search', 'plan', 'agent'])
      assert.equal(write(verb, { url: 'u', query: 'q', steps: [], prompt: 'p' }), undefined);
  });

  test('reads what all versions call by other names', () => {
    const shell = { name: 'shell', input: { verb: 'shell', command: 'ls -l' } };
    assert.deepEqual(read('exec_command', { cmd: 'ls -l', yield_time_ms: 5 }), shell);
    assert.deepEqual(read('shell_command', { command: 'ls -l' }), shell);
    assert.deepEqual(read('shell', { command: ['bash', '-lc', 'ls -l'] }), shell);
    assert.deepEqual(read('local_shell', { command: ['ls', '-l'], working_directory: '/w' }), {
      name: 'shell',
      input: { ...shell.input, cwd: '/w' },
    });
    assert.deepEqual(read('apply_patch', { input: updatePatch('a.txt', 'old', 'new') }), {
      name: 'edit',
      input: { verb: 'edit', path: 'a.txt', before: 'old', after: 'new' },
    });
    assert.deepEqual(read('apply_patch', { input: addPatch('a.txt', 'x\n') }), {
      name: 'write',
      input: { verb: 'write', path: 'a.txt', content: 'x\n' },
    });
    assert.deepEqual(read('view_image', { path: 'a.png' }), { name: 'read', input: { verb: 'read', path: 'a.png' } });
    assert.deepEqual(read('update_plan', { plan: [{ step: 'First', status: 'completed' }] }), {
      name: 'plan',
      input: { verb: 'plan', steps: [{ text: 'First', status: 'completed' }] },
    });
    assert.deepEqual(read('web_search', { type: 'search', query: 'q' }), {
      name: 'web-search',
      input: { verb: 'web-search', query: 'q' },
    });
    for (const [name, input] of [
      ['exec', { input: 'text(1)' }],
      ['exec_command', { nope: 1 }],
      ['apply_patch', { input: 'no patch' }],
      ['apply_patch', { input: '*** Begin Patch\n*** Delete File: a\n*** End Patch' }],
    ] as const) {
      assert.equal(read(name, input), undefined);
    }
  });

  test('a patch of several files and hunks', () => {
    const patch = parsePatch(
      '*** Begin Patch\n*** Update File: a.ts\n*** Move to: b.ts\n@@ class A\n kept\n-old\n+new\n@@\n+more\n*** Delete File: c\n*** Add File: d\n+x\n*** End of File\n*** End Patch',
    )!;
    assert.deepEqual(
      patch.map(({ path, kind, moveTo }) => [path, kind, moveTo]),
      [
        ['a.ts', 'update', 'b.ts'],
        ['c', 'delete', undefined],
        ['d', 'add', undefined],
      ],
    );
    assert.deepEqual(sidesOf(patch[0]!.hunks[0]!), { before: 'kept\nold', after: 'kept\nnew' });
    assert.equal(unifiedDiff(patch[0]!), '@@ -1,2 +1,2 @@\n kept\n-old\n+new\n@@ -3,0 +3,1 @@\n+more\n');
  });
});
