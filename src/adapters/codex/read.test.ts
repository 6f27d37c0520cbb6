import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { reader } from './read.ts';
import type { Source } from '../adapter.ts';
import { contentId } from '../../model/ids.ts';
import {
  Session,
  bareMachine,
  brief,
  buildDatabase,
  linesOf,
  recording,
  scratchHome,
  sessionsOf,
} from './test-support.ts';

const hello = '39b088994bc9';
const tour = '4a2e63aca0d6';
const codeMode = '15f10a122b33';
const terminal = '6fad529e533a';
const terminalFork = '06fc01d0e5c6';
const execFork = '9a810fc2ff16';
const agents = 'b8435af208d6';
const picture = '9d5134ab8538';
const everyRecording = readdirSync(recording('.')).sort();

function sourcesOf(home: string): Source[] {
  return [...reader.discover(bareMachine(), home, (path, why) => assert.fail(`${path}: ${why}`))];
}

function named(sessions: Map<string, Session>, id: string): Session {
  const session = sessions.get(id);
  assert.ok(session !== undefined, `session ${id} was found`);
  return session;
}

const sessions = sessionsOf(recording('0.169.0'));

describe('discovery', () => {
  test('each thread with its segments, its sub-agents and what it was forked from', () => {
    const found = sourcesOf(recording('0.169.0')).map(({ nativeId, files }) => [
      nativeId.slice(-12),
      ...files.map(({ key, agentId, inherited }) =>
        [key.slice(-12), agentId?.slice(-12), inherited?.bytes].filter((part) => part !== undefined).join(' '),
      ),
    ]);
    assert.deepEqual(found, [
      [hello, hello],
      [tour, tour],
      [codeMode, codeMode],
      [terminal, terminal, '2726863beb35'],
      [terminalFork, `${terminal} 138600`, '2726863beb35 33146', terminalFork],
      [execFork, `${tour} 299819`, execFork],
      [agents, agents, 'a305a9ab911d a305a9ab911d'],
      [picture, picture],
    ]);
  });

  test('a file tells the same source', () => {
    for (const name of everyRecording) {
      const sources = sourcesOf(recording(name));
      for (const source of sources) {
        for (const file of source.files) {
          if (file.inherited !== undefined) continue;
          assert.deepEqual(reader.sourceAt(bareMachine(), file.path, assert.fail), source, file.path);
        }
      }
    }
    assert.equal(reader.sourceAt(bareMachine(), recording('0.169.0/session_index.jsonl'), assert.fail), undefined);
    assert.equal(reader.sourceAt(bareMachine(), '/nowhere/sessions/rollout.jsonl', assert.fail), undefined);
  });

  test('names come from the state database, else from the index, the last word counting', (t) => {
    const titles = (home: string): unknown[] =>
      sourcesOf(home).flatMap(({ nativeId, facts }) => (facts?.title ? [[nativeId.slice(-12), facts.title.text]] : []));
    const home = scratchHome(t, '0.169.0');
    assert.deepEqual(titles(home), [
      [terminal, 'My Renamed Session'],
      [terminalFork, 'My Renamed Session'],
    ]);
    buildDatabase(home);
    writeFileSync(
      join(home, 'session_index.jsonl'),
      `{"id":"01a206d9-a2fc-7973-9a17-6fad529e533a","thread_name":"in the index"}\n{"id":"01a206d5-b8e4-7341-86bc-39b088994bc9","thread_name":"first"}\n{"id":"01a206d5-b8e4-7341-86bc-39b088994bc9","thread_name":"last"}\n{"torn`,
    );
    assert.deepEqual(titles(home), [
      [hello, 'last'],
      [terminal, 'My Renamed Session'],
      [terminalFork, 'My Renamed Session'],
    ]);
  });

  test('archived threads, no links, nothing that is none', (t) => {
    const home = scratchHome(t, '0.140.0');
    const day = join(home, 'sessions/2026/11/23');
    const [name] = readdirSync(day);
    assert.ok(name !== undefined);
    mkdirSync(join(home, 'archived_sessions'));
    renameSync(join(day, name), join(home, 'archived_sessions', name));
    writeFileSync(join(day, name.replace('01a206f5', '01a206f6').concat('.zst')), 'zstd');
    writeFileSync(join(day, name.replace('01a206f5', '01a206f7')), 'no header\n');
    writeFileSync(join(day, name.replace('01a206f5', '01a206f8')), '');
    writeFileSync(join(day, 'notes.jsonl'), '{}\n');
    symlinkSync(recording('0.169.0/sessions/2026/11/23'), join(home, 'sessions/2026/12'));
    const problems: string[] = [];
    const found = [
      ...reader.discover(bareMachine(), home, (path, why) =>
        problems.push(`${path.slice(day.length + 29, day.length + 37)} ${why}`),
      ),
    ];
    assert.deepEqual(
      found.map(({ files }) => files.map(({ path }) => path)),
      [[join(home, 'archived_sessions', name)]],
    );
    assert.deepEqual(problems, ['01a206f7 does not begin with session metadata', '01a206f6 is damaged or cut off']);
  });

  test('a fork whose parent is gone is told and kept', (t) => {
    const home = scratchHome(t, '0.169.0');
    const day = join(home, 'sessions/2026/11/23');
    for (const name of readdirSync(day)) if (!name.includes(execFork)) rmSync(join(day, name));
    const problems: string[] = [];
    const found = [...reader.discover(bareMachine(), home, (_, why) => problems.push(why))];
    assert.deepEqual(
      found.map(({ files }) => files.length),
      [1],
    );
    assert.deepEqual(problems, [`goes on from rollout 01a206d7-8415-70d3-86c1-${tour}, which is not there`]);
    const [source] = found;
    assert.ok(source !== undefined);
    assert.deepEqual(Session.of(source).live.map(brief), [
      'user: S:hello exec fork',
      'assistant: thinking **Greeting**\n\nThe user says hello.',
      'assistant: Hello from the mock model.',
    ]);
  });
});

describe('older files', () => {
  test('of 0.98: prompts, calls and tokens, with no turn that has a start', () => {
    const [session] = sessionsOf(recording('0.98.0')).values();
    assert.deepEqual(session!.live.filter(({ is_meta: meta }) => meta !== true).map(brief), [
      'user: S:shell old 0.98.0',
      'assistant: thinking **Run ls**\n\nLook at files.',
      'assistant: I will list the files.',
      'assistant: call exec_command',
      'tool: result 0',
      'assistant: Listed the files. Done.',
      'user: S:patch old 0.98.0',
      'assistant: call apply_patch',
      'tool: result failed',
      'assistant: call apply_patch',
      'tool: result failed',
      'assistant: Patched the file.',
    ]);
    // The last total: 10841 in, of these 5420 cached; 210 out.
    assert.deepEqual(
      Object.values(session!.tally.models).map(({ responses, input_tokens: input, output_tokens: output }) => [
        responses,
        input,
        output,
      ]),
      [[5, 5421, 210]],
    );
  });

  test('of another program, which 0.140 went on with, interrupted and went back in', () => {
    const [source] = sourcesOf(recording('0.140.0-resumed'));
    assert.deepEqual(source!.facts, { title: { text: 'Old named', by: 'person' } });
    const session = Session.of(source!);
    assert.deepEqual(session.live.filter(({ is_meta: meta, role }) => meta !== true && role !== 'tool').map(brief), [
      'user: Please fix the QUOKKA bug\nwith details',
      'assistant: Looking at the QUOKKA files.',
      'assistant: call Bash',
      'assistant: call Grep',
      'assistant: call Edit',
      'assistant: call Bash',
      'assistant: QUOKKA is fixed.',
      'user: Here is a picture of a NARWHAL + image',
      'assistant: Nice NARWHAL picture.',
      'user: Now the interrupted WOMBAT task',
      'assistant: Starting WOMBAT',
      'assistant: call Bash',
      'user: one more edited',
      'assistant: ECHO: one more edited',
    ]);
    const interrupted = [...session.messages.values()].filter(({ stop_reason: reason }) => reason === 'interrupted');
    assert.deepEqual(interrupted.map(brief), ['assistant: call Bash']);
    assert.deepEqual([...session.messages.values()].filter((message) => !session.live.includes(message)).map(brief), [
      'user: one more',
      'assistant: ECHO: one more',
    ]);
  });

  test('that Codex has packed say what the plain ones say', () => {
    const [packed] = sourcesOf(recording('0.169.0-packed'));
    assert.deepEqual(
      packed!.files.map(({ key, packed: how }) => [key, how]),
      [['01a206d5-b8e4-7341-86bc-39b088994bc9', 'zstd']],
    );
    assert.deepEqual(Session.of(packed!).live.map(brief), named(sessions, hello).live.map(brief));
  });
});

describe('messages', () => {
  test('a person’s own command is injected, and goes along to another tool', () => {
    const carried = named(sessions, terminal).live.filter(({ metadata }) => metadata?.carried === true);
    assert.deepEqual(carried.map(brief), ['user (meta): <user_shell_command>\n<command>\necho from']);
    const session = new Session('t');
    const says = (text: string): string =>
      line('response_item', { type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
    session.read([says('<user_action>\n  <results>fine</results>'), says('<environment_context>')]);
    assert.deepEqual(
      session.live.map(({ metadata, is_meta: meta }) => [meta, metadata]),
      [
        [true, { carried: true }],
        [true, undefined],
      ],
    );
  });

  test('a plain session, field by field', () => {
    const session = named(sessions, hello);
    const [context, prompt, thinking, answer] = [...session.messages.values()];
    assert.equal(session.messages.size, 4);
    assert.equal(brief(context!).slice(0, 50), 'user (meta): # AGENTS.md instructions for /home/me');
    assert.deepEqual(prompt, {
      msg_id: contentId(context!.msg_id, 'user', [{ type: 'text', text: 'S:hello first prompt' }]),
      parent_msg_id: context!.msg_id,
      role: 'user',
      content: [{ type: 'text', text: 'S:hello first prompt' }],
      timestamp: '2026-11-23T05:16:39.645Z',
      turn_id: '01a206d5-b904-7460-99e0-01cc3077e036',
    });
    assert.deepEqual(thinking!.content, [{ type: 'thinking', text: '**Greeting**\n\nThe user says hello.' }]);
    assert.deepEqual(answer, {
      msg_id: 'msg_c390bc60c546408441b7716c',
      parent_msg_id: thinking!.msg_id,
      role: 'assistant',
      content: [{ type: 'text', text: 'Hello from the mock model.' }],
      timestamp: '2026-11-23T05:16:39.694Z',
      turn_id: '01a206d5-b904-7460-99e0-01cc3077e036',
      model: 'gpt-5.5',
      provider: 'openai',
      metadata: { response_id: thinking!.msg_id },
      usage: {
        input_tokens: 3471,
        output_tokens: 42,
        cache_read_tokens: 3470,
        cache_write_tokens: 0,
        reasoning_tokens: 7,
      },
    });
    assert.deepEqual(session.ops, [{ op: 'leaf', id: answer!.msg_id }]);
    assert.deepEqual(session.facts, {
      toolVersion: '0.169.0',
      interface: 'exec',
      cwd: '/home/me/codex/work',
      createdAt: '2026-11-23T05:16:39.541Z',
      git: {
        commit_sha: 'e13169162e5d15335ed622eb69487cddd05dc9d4',
        branch: 'master',
        remote_url: 'https://example.invalid/lab/repo.git',
      },
    });
  });

  test('parallel calls are a chain, each with its result; failures are seen', () => {
    const all = [...named(sessions, tour).messages.values()];
    const from = all.findIndex((message) => brief(message) === 'user: S:fail_shell now');
    const slice = all.slice(from, from + 12);
    assert.deepEqual(slice.map(brief), [
      'user: S:fail_shell now',
      'assistant: call exec_command',
      'tool: result failed 3',
      'assistant: The command failed with 3.',
      'user: S:parallel now',
      'assistant: call exec_command',
      'assistant: call exec_command',
      'assistant: call exec_command',
      'tool: result 0',
      'tool: result 0',
      'tool: result 0',
      'assistant: Ran three commands in parallel.',
    ]);
    for (const [index, message] of slice.entries()) {
      if (index > 0) assert.equal(message.parent_msg_id, slice[index - 1]!.msg_id);
    }
    assert.deepEqual(
      slice
        .map(({ usage, metadata }) => [usage?.output_tokens, metadata?.response_id === slice[5]!.msg_id])
        .slice(5, 9),
      [
        [undefined, true],
        [undefined, true],
        [42, true],
        [undefined, false],
      ],
    );
    assert.deepEqual(slice[2]!.content, [
      {
        type: 'tool_result',
        tool_use_id: 'call_mock0000let4',
        content:
          'Chunk ID: 872cb3\nWall time: 0.0000 seconds\nProcess exited with code 3\nOriginal token count: 2\nOutput:\noops\n',
        is_error: true,
        exit_code: 3,
        duration_ms: 0,
      },
    ]);
  });

  test('calls of every kind', () => {
    const calls = [...named(sessions, tour).messages.values()].flatMap(({ content }) =>
      content.flatMap((block) =>
        block.type === 'tool_use' && 'input' in block ? [[block.name, Object.keys(block.input as object)]] : [],
      ),
    );
    assert.deepEqual(calls.slice(2), [
      ['exec_command', ['cmd', 'yield_time_ms']],
      ['exec_command', ['cmd', 'yield_time_ms']],
      ['exec_command', ['cmd', 'yield_time_ms']],
      ['exec_command', ['cmd', 'yield_time_ms']],
      ['exec_command', ['cmd', 'yield_time_ms']],
      ['apply_patch', ['input']],
      ['apply_patch', ['input']],
      ['update_plan', ['explanation', 'plan']],
      ['view_image', ['path']],
      ['no_such_tool', ['a']],
      ['exec_command', ['nope']],
      ['exec_command', ['cmd', 'yield_time_ms']],
      ['exec_command', ['cmd', 'yield_time_ms']],
      ['write_stdin', ['session_id', 'chars', 'yield_time_ms']],
      ['web_search', ['type', 'query', 'queries']],
      ['image_generation', ['revised_prompt']],
    ]);
    const session = named(sessions, tour);
    assert.deepEqual(session.facts.files, [
      { path: '/home/me/codex/work/patched.txt', role: 'created' },
      { path: '/home/me/codex/work/pixel.png', role: 'read' },
    ]);
  });

  test('pictures keep their bytes, and the path of one a person gave', () => {
    const [, prompt] = [...named(sessions, picture).messages.values()];
    assert.deepEqual(
      prompt!.content.map(({ type }) => type),
      ['image', 'text'],
    );
    assert.deepEqual(prompt!.metadata, { image_paths: ['/home/me/codex/work/pixel.png'] });
    const shown = [...named(sessions, tour).messages.values()].filter(({ metadata }) => metadata?.result_images);
    assert.deepEqual(shown.map(brief), ['tool: result + image', 'tool: result + image']);
    assert.deepEqual(shown[0]!.metadata, { result_images: { '1': 'call_mock0000leu4' } });
    assert.deepEqual(shown[0]!.content[1], {
      type: 'image',
      source: {
        type: 'base64',
        media_type: 'image/png',
        data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      },
    });
  });

  test('a failed turn says why, beside the live view', () => {
    const session = named(sessions, tour);
    const errors = [...session.messages.values()].filter(({ role }) => role === 'system');
    assert.deepEqual(errors.map(brief), [
      'system (meta): stream disconnected before completion: m',
      'system (meta): {"error":{"message":"mock 400 invalid","',
    ]);
    assert.ok(errors.every((error) => !session.live.includes(error)));
  });

  test('what a script of code mode ran hangs beside the call of the script', () => {
    const session = named(sessions, codeMode);
    const all = [...session.messages.values()];
    assert.deepEqual(
      all.slice(1).map((message) => `${session.live.includes(message) ? '' : '· '}${brief(message)}`),
      [
        'user: S:codemode with gpt-6-sol',
        'assistant: thinking **JS**\n\nUse exec.',
        'assistant: call exec',
        '· assistant: call exec_command',
        '· tool: result 0',
        'tool: result',
        'assistant: call exec',
        '· assistant: call apply_patch',
        '· tool: result',
        'tool: result failed',
        'assistant: Code mode finished.',
      ],
    );
    const [, , , script, nested, result] = all;
    assert.deepEqual([nested!.parent_msg_id, result!.parent_msg_id], [script!.msg_id, nested!.msg_id]);
    assert.deepEqual(nested!.content, [
      {
        type: 'tool_use',
        tool_use_id: 'exec-c0603831-344d-4178-a065-3c6a2a66b5b4',
        name: 'exec_command',
        input: { cmd: 'echo hi-from-js; ls', workdir: '/home/me/codex/work' },
      },
    ]);
    assert.deepEqual(session.facts.files, [{ path: '/home/me/codex/work/patched.txt', role: 'created' }]);
  });

  test('a sub-agent speaks beside the main line, under the call that started it', () => {
    const session = named(sessions, agents);
    const side = [...session.messages.values()].filter(({ is_sidechain: isSide }) => isSide);
    assert.deepEqual(side.map(brief), [
      'user: Message Type: NEW_TASK\nTask name: /root/',
      'assistant: ECHO: Message Type: NEW_TASK\nTask name: ',
    ]);
    assert.deepEqual(
      side.map(({ agent_id: id }) => id?.slice(-12)),
      ['a305a9ab911d', 'a305a9ab911d'],
    );
    assert.deepEqual(session.facts.agentCalls, { '01a206dd-6b7e-7752-8db8-a305a9ab911d': 'call_mock0000lexr' });
    assert.equal(session.facts.parent, undefined);
    assert.deepEqual(session.live.slice(1).map(brief), [
      'user: S:agents with v2',
      'assistant: call collaboration.spawn_agent',
      'tool: result',
      'assistant: call collaboration.wait_agent',
      'tool: result',
      'user (meta): Message Type: FINAL_ANSWER\nTask name: /r',
      'assistant: ECHO: Message Type: FINAL_ANSWER\nTask na',
    ]);
    assert.deepEqual(session.losses, { 'encrypted-agent-message': 1 });
  });
});

describe('the live view', () => {
  test('after a compaction and a rewind is what Codex sends', () => {
    const session = named(sessions, terminal);
    assert.deepEqual(session.live.map(brief), [
      'user: S:shell interactive',
      'user (meta): # AGENTS.md instructions for /home/me/co + <environment_context>\n  <cwd>/home/me/co',
      'user: S:patch please',
      'user: summary Another language model started to solve ',
      'user: S:hello after compaction',
      'assistant: thinking **Greeting**\n\nThe user says hello.',
      'assistant: Hello from the mock model.',
      'user: S:slowtool now',
      'assistant: Starting slow tool.',
      'assistant: call exec_command',
      'tool: result failed',
      'user (meta): <turn_aborted>\nThe user interrupted the ',
      'user: S:slow stream',
      'assistant: Starting slow work.',
      'user (meta): <turn_aborted>\nThe user interrupted the ',
      'user (meta): <user_shell_command>\n<command>\necho from',
      'user: S:slowtool steer test',
      'assistant: Starting slow tool.',
      'assistant: call exec_command',
      'tool: result failed',
      'user (meta): <turn_aborted>\nThe user interrupted the ',
      'user: edited message after backtrack',
      'assistant: ECHO: edited message after backtrack',
    ]);
    const left = [...session.messages.values()].filter((message) => !session.live.includes(message)).map(brief);
    assert.deepEqual(left.slice(-2), [
      'user: this is a steering message',
      'assistant: ECHO: this is a steering message',
    ]);
    assert.deepEqual(
      session.ops.map(({ op }) => op),
      ['replace', 'leaf', 'rewind', 'leaf'],
    );
  });

  test('marks the answer that a person broke off', () => {
    const stopped = [...named(sessions, terminal).messages.values()].filter(
      ({ stop_reason: why }) => why !== undefined,
    );
    assert.deepEqual(
      stopped.map((message) => [brief(message), message.stop_reason, message.usage]),
      [['assistant: Starting slow work.', 'interrupted', undefined]],
    );
  });

  test('of a fork goes on from its parent, under the same ids', () => {
    const parent = named(sessions, terminal);
    const fork = named(sessions, terminalFork);
    assert.deepEqual(fork.live.slice(0, parent.live.length), parent.live);
    assert.deepEqual(fork.live.slice(parent.live.length).map(brief), [
      'user (meta): # AGENTS.md instructions for /home/me/co + <environment_context>\n  <cwd>/home/me/co',
      'user: S:agents go',
      'assistant: call spawn_agent',
      'tool: result failed',
      'assistant: call wait_agent',
      'tool: result failed',
      'assistant: Sub-agent finished.',
    ]);
    assert.deepEqual(fork.facts.parent, {
      nativeId: '01a206d9-a2fc-7973-9a17-6fad529e533a',
      msg: parent.live.at(-1)!.msg_id,
    });
    assert.equal(fork.facts.cwd, '/home/me/codex/home/.codex/worktrees/e7b2/work');
  });

  test('of an older file: a rollback takes the last turns away', () => {
    const [source] = sourcesOf(recording('0.140.0'));
    const lines = linesOf(source!.files[0]!.path);
    const session = new Session(source!.nativeId);
    const back = (turns: number): string =>
      JSON.stringify({
        timestamp: '2026-11-23T06:00:00Z',
        type: 'event_msg',
        payload: { type: 'thread_rolled_back', num_turns: turns },
      });
    const state = session.read([...lines, back(1)]);
    assert.deepEqual(session.live.slice(2).map(brief), [
      'user: S:shell old 0.140.0',
      'assistant: thinking **Run ls**\n\nLook at files.',
      'assistant: I will list the files.',
      'assistant: call exec_command',
      'tool: result 0',
      'assistant: Listed the files. Done.',
    ]);
    session.read([back(5)], session.nativeId, { state });
    assert.deepEqual(session.live, []);
    assert.deepEqual(
      session.ops.map(({ op }) => op),
      ['rewind', 'rewind'],
    );
  });

  test('of an older fork, which copied its parent: the copy ends where its own first turn starts', () => {
    const [source] = sourcesOf(recording('0.169.0-legacy'));
    const session = Session.of(source!);
    assert.deepEqual(session.live.map(brief), [
      'user: First handwritten question about ZEBRA',
      'user: Second handwritten question about YAK',
      'user: S:shell legacy',
      'user: S:patch legacy',
      'user: S:view legacy',
      'user: S:web legacy',
      'user: S:parallel legacy',
      'user: S:badtool legacy',
      'user: S:long legacy',
      'user (meta): # AGENTS.md instructions for /home/me/co + <environment_context>\n  <cwd>/home/me/co',
      'user: legacy rewound XERUS',
      'user: summary Another language model started to solve ',
      'user: legacy fork XERUS',
      'assistant: ECHO: legacy fork XERUS',
    ]);
    const shared = session.live.at(-3)!;
    assert.deepEqual(session.facts.parent, { nativeId: '01a206e4-0d88-72d2-8c2c-1d53d2fce50d', msg: shared.msg_id });
  });

  test('of a history sealed for OpenAI alone stays whole', () => {
    const session = new Session('t');
    session.read([
      line('response_item', { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'one' }] }),
      line('compacted', { message: '', replacement_history: [{ type: 'compaction', encrypted_content: 'gAAAA' }] }),
      line('response_item', { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'two' }] }),
    ]);
    assert.deepEqual(session.live.map(brief), ['user: one', 'user: two']);
    assert.deepEqual(session.losses, { 'sealed-compaction': 1 });
  });

  test('of a compaction without a history of its own: the prompts and the summary', () => {
    const session = new Session('t');
    const said = (role: string, text: string): string =>
      line('response_item', {
        type: 'message',
        role,
        content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
      });
    session.read([
      said('user', 'one'),
      said('assistant', 'ein'),
      said('user', 'two'),
      line('compacted', { message: 'sum' }),
      said('user', 'three'),
    ]);
    assert.deepEqual(session.live.map(brief), ['user: one', 'user: two', 'user: summary sum', 'user: three']);
  });
});

describe('versions without a recording, in the shapes they are described in', () => {
  const text = (role: string, words: string, more: object = {}): string =>
    line('response_item', {
      type: 'message',
      role,
      content: [{ type: role === 'user' ? 'input_text' : 'output_text', text: words }],
      ...more,
    });
  const event = (type: string, more: object = {}): string => line('event_msg', { type, ...more });
  const call = (id: string): string =>
    line('response_item', { type: 'function_call', name: 'shell', arguments: '{"command":["ls"]}', call_id: id });
  const output = (id: string, value: unknown): string =>
    line('response_item', { type: 'function_call_output', call_id: id, output: value });
  const tokens = (input: number, out: number): string =>
    event('token_count', {
      info: {
        total_token_usage: {
          input_tokens: input,
          cached_input_tokens: 0,
          output_tokens: out,
          reasoning_output_tokens: 0,
          total_tokens: input + out,
        },
        last_token_usage: {
          input_tokens: input,
          cached_input_tokens: 0,
          output_tokens: out,
          reasoning_output_tokens: 0,
          total_tokens: input + out,
        },
        model_context_window: 272_000,
      },
    });
  const meta = (version: string, more: object = {}): string =>
    line('session_meta', {
      id: 't',
      timestamp: '2026-11-23T05:59:00.000Z',
      cwd: '/w',
      originator: 'codex_cli_rs',
      cli_version: version,
      instructions: null,
      ...more,
    });
  const context = (model: string): string =>
    line('turn_context', { cwd: '/w', approval_policy: 'on-request', sandbox_policy: {}, model, summary: 'auto' });
  const prompt = [text('user', 'List it'), event('user_message', { message: 'List it', kind: 'plain' })];
  const answer = [event('agent_message', { message: 'Two files.' }), text('assistant', 'Two files.')];
  const injected = text('user', '<environment_context>\n  <cwd>/w</cwd>\n</environment_context>');

  for (const [version, lines, facts] of [
    [
      '0.42.0',
      [
        meta('0.42.0'),
        injected,
        ...prompt,
        context('gpt-5-codex'),
        call('c1'),
        output('c1', '{"output":"a\\nb\\n","metadata":{"exit_code":0,"duration_seconds":0.1}}'),
        tokens(100, 20),
        ...answer,
      ],
      { interface: undefined },
    ],
    [
      '0.77.0',
      [
        meta('0.77.0', { source: 'cli', model_provider: 'openai' }),
        injected,
        line('response_item', { type: 'ghost_snapshot', ghost_commit: { id: 'abc', parent: null } }),
        ...prompt,
        context('gpt-5-codex'),
        call('c1'),
        context('gpt-5-codex'),
        output('c1', 'Exit code: 0\nWall time: 0.1 seconds\nOutput:\na\nb\n'),
        tokens(100, 20),
        ...answer,
      ],
      { interface: 'cli' },
    ],
    [
      '0.118.0',
      [
        meta('0.118.0', { source: 'cli', model_provider: 'openai', base_instructions: { text: 'filler' } }),
        event('task_started', { turn_id: 'u1', model_context_window: 272_000, collaboration_mode_kind: 'default' }),
        injected,
        line('turn_context', { turn_id: 'u1', cwd: '/w', model: 'gpt-5-codex', summary: 'auto' }),
        ...prompt,
        call('c1'),
        event('exec_command_end', { call_id: 'c1', command: ['ls'], exit_code: 0, aggregated_output: 'a\nb\n' }),
        output('c1', 'Exit code: 0\nWall time: 0.1 seconds\nOutput:\na\nb\n'),
        tokens(100, 20),
        event('agent_message', { message: 'Two files.', phase: 'final_answer' }),
        text('assistant', 'Two files.', { phase: 'final_answer' }),
        event('task_complete', { turn_id: 'u1', last_agent_message: 'Two files.' }),
      ],
      { interface: 'cli' },
    ],
  ] as const) {
    test(version, () => {
      const session = new Session('t');
      session.read(lines);
      assert.deepEqual(session.live.map(brief), [
        'user (meta): <environment_context>\n  <cwd>/w</cwd>\n</',
        'user: List it',
        'assistant: call shell',
        'tool: result 0',
        'assistant: Two files.',
      ]);
      assert.deepEqual([session.losses, session.records['unknown']], [{}, undefined]);
      assert.deepEqual(
        [session.facts.toolVersion, session.facts.interface, session.facts.cwd],
        [version, facts.interface, '/w'],
      );
      const [usage] = Object.entries(session.tally.models).map(([model, sum]) => [model, sum.output_tokens]);
      assert.deepEqual(usage, ['gpt-5-codex', 20]);
    });
  }
});

describe('tokens', () => {
  test('are counted once a response, without what the cache gave', () => {
    const models = (id: string): unknown => {
      const { models: found } = named(sessions, id).tally;
      return Object.entries(found).map(([model, usage]) => [
        model,
        usage.responses,
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
      ]);
    };
    // The last total that Codex itself states: 321106 in, of these 160545 cached; 1134 out.
    assert.deepEqual(models(tour), [['gpt-5.5', 27, 160561, 160545, 1134, 189]]);
    assert.deepEqual(models(terminal), [['gpt-5.5', 11, 43933, 43928, 462, 77]]);
    assert.deepEqual(models(agents), [['gpt-6-sol', 4, 26273, 26271, 168, 28]]);
  });

  test('of older files come from running totals, stated before or behind the results', () => {
    const [session] = sessionsOf(recording('0.140.0')).values();
    // The last total: 11181 in, 5590 cached, 210 out.
    assert.deepEqual(
      Object.values(session!.tally.models).map(({ responses, input_tokens: input, output_tokens: output }) => [
        responses,
        input,
        output,
      ]),
      [[5, 5591, 210]],
    );
  });
});

describe('records', () => {
  test('every one is accounted for', () => {
    const count = (name: string): unknown =>
      [...sessionsOf(recording(name)).values()].map(({ records }) => [
        records.message,
        records.duplicate,
        records.fact,
        records.state,
        records.unknown,
      ]);
    assert.deepEqual(count('0.169.0'), [
      [4, 4, 3, 5, undefined],
      [70, 74, 43, 45, undefined],
      [10, 6, 5, 9, undefined],
      [35, 41, 22, 33, undefined],
      [40, 41, 25, 36, undefined],
      [73, 78, 46, 49, undefined],
      [10, 23, 10, 18, undefined],
      [4, 4, 3, 5, undefined],
    ]);
    assert.deepEqual(count('0.169.0-legacy'), [[46, 49, 30, 44, undefined]]);
    assert.deepEqual(count('0.140.0'), [[14, 8, 8, 5, undefined]]);
    assert.deepEqual(count('0.140.0-resumed'), [[26, 18, 6, 11, undefined]]);
    assert.deepEqual(count('0.169.0-packed'), [[4, 4, 3, 5, undefined]]);
    assert.deepEqual(count('0.98.0'), [[16, 11, 11, 2, undefined]]);
    assert.deepEqual(count('0.27.0'), [[8, undefined, 1, 6, undefined]]);
  });

  test('one that nobody has described is counted by its name', () => {
    const session = new Session('t');
    session.read([
      line('new_kind', {}),
      line('event_msg', { type: 'new_event' }),
      line('event_msg', { type: 'item_completed', item: { type: 'NewItem' } }),
      line('response_item', { type: 'new_item' }),
      '[]',
      line('event_msg', { type: 'toString' }),
    ]);
    assert.deepEqual(session.records, { unknown: 6 });
    assert.deepEqual(session.losses, {
      'unknown:new_kind': 1,
      'unknown:event_msg/new_event': 1,
      'unknown:item_completed/NewItem': 1,
      'unknown:response_item/new_item': 1,
      'unknown:line': 1,
      'unknown:event_msg/toString': 1,
    });
  });

  test('in two pieces say the same as at once, wherever they are cut', () => {
    for (const name of everyRecording) {
      for (const source of sourcesOf(recording(name))) {
        for (const file of source.files) {
          if (file.inherited !== undefined) continue;
          const lines = linesOf(file.path);
          const whole = new Session(source.nativeId);
          whole.read(lines, file.key, { agentId: file.agentId });
          for (let cut = 0; cut <= lines.length; cut += 1) {
            const split = new Session(source.nativeId);
            const state = split.read(lines, file.key, { agentId: file.agentId, cuts: [cut, Math.floor(cut / 2)] });
            assert.deepEqual(withoutUsage(split), withoutUsage(whole), `${file.key} cut at ${cut}`);
            assert.deepEqual(idsOf(split.live), idsOf(whole.live), `${file.key} cut at ${cut}`);
            assert.deepEqual(split.tally, whole.tally);
            assert.ok(JSON.stringify(state).length < 64 * 1024);
          }
        }
      }
    }
  });

  test('have the same ids when Codex writes the file anew in its newer form', () => {
    const file = sourcesOf(recording('0.140.0'))[0]!.files[0]!;
    const lines = linesOf(file.path);
    const before = new Session(file.key);
    before.read(lines);
    const after = new Session(file.key);
    after.read(
      lines.map((text, ordinal) => {
        const record = JSON.parse(text) as {
          type: string;
          payload: { type?: string; role?: string; content?: unknown[] };
        };
        const item = record.payload;
        const kinds = (item.content ?? []).map((part) =>
          /^(<env|# AGENTS)/.test((part as { text: string }).text)
            ? 'environments.environment_context'
            : item.role === 'user'
              ? 'user.text'
              : 'unknown',
        );
        const more =
          record.type === 'response_item'
            ? { id: `msg_${ordinal}`, internal_chat_message_metadata_passthrough: { content_item_kinds: kinds } }
            : {};
        return JSON.stringify({
          ...record,
          timestamp: '2027-01-01T00:00:00.000Z',
          ordinal,
          payload: { ...item, ...more },
        });
      }),
    );
    assert.deepEqual([...after.messages.keys()], [...before.messages.keys()]);
  });

  test('of any shape never throw', () => {
    const samples = everyRecording.flatMap((name) =>
      sourcesOf(recording(name)).flatMap(({ files }) =>
        files.flatMap(({ path }) =>
          linesOf(path)
            .slice(0, 40)
            .filter((text) => text.length < 5000),
        ),
      ),
    );
    const record = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(...samples).map((text) => JSON.parse(text) as unknown),
      fc.record({
        timestamp: fc.jsonValue(),
        ordinal: fc.jsonValue(),
        type: fc.constantFrom(
          'session_meta',
          'compacted',
          'turn_context',
          'token_usage_record',
          'response_item',
          'event_msg',
        ),
        payload: fc.jsonValue(),
      }),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        const session = new Session('t');
        const state = session.read(records.map((value) => JSON.stringify(value)));
        assert.ok(JSON.stringify(state).length < 64 * 1024);
      }),
      { numRuns: 300 },
    );
    const session = new Session('t');
    session.read([
      line('response_item', {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: '\ud800'.repeat(10) }],
      }),
      line('response_item', {
        type: 'function_call',
        name: 'f',
        call_id: 'c',
        arguments: `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
      }),
      line('response_item', {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'x'.repeat(2_000_000) }],
      }),
    ]);
    assert.equal(session.messages.size, 2);
    assert.deepEqual(session.losses, { 'too-deep': 1 });
  });

  test('that do not fit each other: each keeps what it says, in the order of the lines', () => {
    const said = (role: string, text: string): unknown => ({
      type: 'message',
      role,
      content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
    });
    const call = { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"ls"}', call_id: 'twice' };
    const output = (id: string, text: string): unknown => ({ type: 'function_call_output', call_id: id, output: text });
    const search = { type: 'web_search_call', action: { type: 'search', query: 'q' } };
    const lines = [
      ['2026-11-23T06:00:09.000Z', said('user', 'go')],
      ['2026-11-23T06:00:01.000Z', output('nobody', 'an orphan')],
      ['no time at all', call],
      ['2026-11-23T06:00:03.000Z', output('twice', 'first')],
      ['2026-11-23T06:00:02.000Z', call],
      ['2026-11-23T06:00:02.000Z', output('twice', 'second')],
      ['2026-11-23T06:00:02.000Z', output('twice', 'third')],
      ['2026-11-23T06:00:02.000Z', search],
      ['2026-11-23T06:00:02.000Z', search],
      ['2026-11-23T06:00:02.000Z', { ...call, call_id: 'unanswered' }],
      // The same words twice are two messages.
      ['2026-11-23T06:00:02.000Z', said('user', 'again')],
      ['2026-11-23T06:00:02.000Z', said('user', 'again')],
    ].map(([timestamp, payload]) => JSON.stringify({ timestamp, ordinal: 5, type: 'response_item', payload }));
    const session = new Session('t');
    session.read(lines);
    assert.deepEqual(session.live.map(brief), [
      'user: go',
      'tool: result',
      'assistant: call exec_command',
      'tool: result',
      'assistant: call exec_command',
      'tool: result',
      'tool: result',
      'assistant: call web_search',
      'assistant: call web_search',
      'assistant: call exec_command',
      'user: again',
      'user: again',
    ]);
    assert.deepEqual([session.records, session.losses], [{ message: 12 }, {}]);
    const ids = session.live.flatMap(({ content }) =>
      content.flatMap((block) => (block.type === 'tool_use' && 'tool_use_id' in block ? [block.tool_use_id] : [])),
    );
    assert.equal(new Set(ids).size, 4, 'searches without an id are not one');
    assert.deepEqual(
      session.live.slice(0, 4).map(({ timestamp }) => timestamp),
      ['2026-11-23T06:00:09.000Z', '2026-11-23T06:00:01.000Z', '2026-11-23T06:00:01.000Z', '2026-11-23T06:00:03.000Z'],
    );
  });

  test('of a huge answer stay out of the state; its tokens are told apart from it', () => {
    const session = new Session('t');
    const state = session.read([
      line('event_msg', { type: 'task_started', turn_id: 'a' }),
      line('turn_context', { model: 'gpt-5.5' }),
      line('response_item', {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'x'.repeat(100_000) }],
      }),
      line('token_usage_record', {
        response_id: 'r',
        usage: { input_tokens: 10, cached_input_tokens: 4, output_tokens: 2 },
      }),
    ]);
    assert.ok(JSON.stringify(state).length < 2000);
    const [answer] = [...session.messages.values()];
    assert.equal(answer!.usage, undefined);
    assert.equal(session.tally.models['gpt-5.5']?.output_tokens, 2);
  });
});

function idsOf(messages: readonly { readonly msg_id: string }[]): string[] {
  return messages.map(({ msg_id: id }) => id);
}

/** A part that was told before its tokens came does not state them; the session's totals are the same. */
function withoutUsage(session: Session): unknown[] {
  return [...session.messages.values()].map(({ usage: _usage, ...message }) => message);
}

function line(type: string, payload: unknown): string {
  return JSON.stringify({ timestamp: '2026-11-23T06:00:00.000Z', type, payload });
}
