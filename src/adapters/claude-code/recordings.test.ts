/** Writing every recorded conversation and reading it back: what is not the same is a loss that was declared. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Block } from '../../model/block.ts';
import type { Message } from '../../model/message.ts';
import { systemMachine } from '../../io/system.ts';
import { discover } from './discover.ts';
import { reader } from './read.ts';
import { MemorySession, Script } from './test-support.ts';
import { writer } from './write.ts';

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));
const machine = systemMachine({ env: {}, homeDir: '/nowhere' });
const nativeId = '0123abcd-0000-4000-8000-000000000002';

describe('read(write(session)) is the session but for what is declared lost', () => {
  for (const version of ['2.1.330', '2.0.76', '1.0.24']) {
    for (const source of discover(machine, join(fixtures, version), (path) => assert.fail(path))) {
      it(`${version} ${source.nativeId}`, () => {
        const session = new MemorySession(source.nativeId);
        for (const file of source.files) {
          if (file.kind === 'attachment') continue;
          session.readFile(file, file.kind === 'log' ? linesOf(file.path) : [readFileSync(file.path, 'utf8')]);
        }
        checkRoundTrip(session.live());
      });
    }
  }

  for (const name of readdirSync(join(fixtures, 'handwritten'))) {
    it(`handwritten ${name}`, () => {
      const session = new MemorySession(nativeId);
      session.readFile({ key: 'main', kind: 'log' }, linesOf(join(fixtures, 'handwritten', name)));
      checkRoundTrip(session.live());
    });
  }

  it('0.2: a row holds a whole answer', () => {
    checkRoundTrip(oldest().read().live());
  });

  it('an answer that was interrupted', () => {
    const script = new Script().prompt('1');
    script.row(
      { type: 'assistant', message: answer('m', [{ type: 'text', text: 'half' }]), isAbortedMidStream: true },
      '2',
      '1',
    );
    const back = checkRoundTrip(script.read().live());
    assert.deepEqual(
      back.map((message) => message.stop_reason),
      [undefined, 'interrupted'],
    );
  });
});

describe('sessions of 0.2', () => {
  it('whole answers, money, a sub-agent in the main file, a title in front', () => {
    const script = oldest();
    const session = script.read();
    assert.deepEqual(
      [...session.messages.values()].map((message) => [
        message.msg_id,
        message.role,
        message.content.map((block) => block.type).join('+'),
        message.agent_id,
        message.usage?.output_tokens,
      ]),
      [
        ['row-1', 'user', 'text', undefined, undefined],
        ['row-2', 'assistant', 'thinking+text+tool_use+tool_use', undefined, 40],
        ['row-s1', 'user', 'text', 'row-s1', undefined],
        ['row-s2', 'assistant', 'text', 'row-s1', 5],
        ['row-3', 'tool', 'tool_result', undefined, undefined],
        ['row-4', 'tool', 'tool_result', undefined, undefined],
        ['row-5', 'assistant', 'text', undefined, 7],
      ],
    );
    assert.deepEqual(script.names(session.live()), '1 2 3 4 5');
    assert.deepEqual(session.facts.title, { text: 'Looking around', by: 'model' });
    assert.deepEqual(session.facts.agentCalls, { 'row-s1': 'toolu_2' });
    assert.deepEqual(Object.fromEntries(session.records), { fact: 1, message: 7 });
    assert.deepEqual([...session.losses], []);
  });
});

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Rows as 0.2.x wrote them: a whole answer a row, `costUSD`, neither `requestId` nor `gitBranch`. */
function oldest(): Script {
  const cost = { costUSD: 0.01, durationMs: 900, version: '0.2.126', cwd: '/home/me/proj', userType: 'external' };
  const script = new Script();
  script.side({ type: 'summary', summary: 'Looking around', leafUuid: script.id('5') }).prompt('1', undefined, cost);
  script.row(
    {
      type: 'assistant',
      message: answer(
        'msg_1',
        [
          { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
          { type: 'text', text: 'Two things.' },
          { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } },
          { type: 'tool_use', id: 'toolu_2', name: 'Task', input: { description: 'Sub', prompt: 'prompt s1' } },
        ],
        40,
      ),
      ...cost,
    },
    '2',
    '1',
  );
  script.prompt('s1', undefined, { isSidechain: true });
  script.row(
    { type: 'assistant', message: answer('msg_2', [{ type: 'text', text: 'sub' }], 5), ...cost, isSidechain: true },
    's2',
    's1',
  );
  return script
    .result('3', '2', 'toolu_1')
    .result('4', '3', 'toolu_2')
    .row({ type: 'assistant', message: answer('msg_3', [{ type: 'text', text: 'Done.' }], 7), ...cost }, '5', '4');
}

function answer(id: string, content: readonly object[], tokens = 1): object {
  const usage = { input_tokens: 3, output_tokens: tokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  return { id, type: 'message', role: 'assistant', model: 'claude-opus-5-5', content, stop_reason: 'end_turn', usage };
}

/** Writes a live view, reads it back, and compares message by message; what the reader made of it. */
function checkRoundTrip(live: readonly Message[]): Message[] {
  const written = writer.write(
    {
      sessionId: 'ses_0123456789abcdef',
      origin: { tool: 'claude-code', name: 'Claude Code', nativeId: 'native' },
      title: undefined,
      git: undefined,
      messages: live,
    },
    {
      home: '/home/me/.claude',
      cwd: '/home/me/proj',
      version: undefined,
      nativeId,
      now: '2026-11-26T00:00:00.000Z',
      toolVersion: '2.1.330',
      extra: {},
    },
  );
  const file = { nativeId, key: 'main', kind: 'log', agentId: undefined } as const;
  const session = new MemorySession(nativeId);
  const given = session.given(file);
  const state = reader.start(file);
  /** Original message → what its lines were read as. */
  const back = new Map<string, Message[]>();
  for (const { text, from } of written.files[0]?.lines ?? []) {
    const before = session.messages.size;
    session.decode(text, state, given);
    const made = [...session.messages.values()].slice(before);
    if (from === undefined) assert.deepEqual(made, [], `stands for nothing said: ${text}`);
    else back.set(from, [...(back.get(from) ?? []), ...made]);
  }
  reader.settle(state, given);
  assert.deepEqual([...session.losses], []);
  const lost = new Map<string, number>();
  /** The ids of calls as they were → as they were written. */
  const calls = new Map<string, unknown>();
  for (const message of live) {
    const made = back.get(message.msg_id) ?? [];
    const read = made.flatMap((one) => one.content);
    const kept = keptOf(message, lost);
    for (const [index, block] of kept.entries()) {
      if (block.type === 'tool_use') calls.set(String(block['tool_use_id']), idOf(read[index]));
    }
    const expected = kept.map((block) =>
      'tool_use_id' in block ? { ...block, tool_use_id: calls.get(String(block['tool_use_id'])) } : block,
    );
    assert.deepEqual(read, expected, message.msg_id);
    for (const one of made) assert.equal(one.role, message.role, message.msg_id);
    const isInterrupted = (one: Message): boolean => one.stop_reason === 'interrupted';
    if (kept.length > 0) assert.equal(made.some(isInterrupted), isInterrupted(message), message.msg_id);
  }
  const unanswered = written.losses.get('call-without-result') ?? 0;
  assert.equal(
    session
      .live()
      .flatMap((one) => one.content)
      .filter((block) => block.type === 'tool_result').length,
    calls.size - unanswered,
  );
  // A call nobody answered is given a result: nothing is missing.
  const declared = new Map([...written.losses].filter(([name]) => name !== 'call-without-result'));
  assert.deepEqual(Object.fromEntries(declared), Object.fromEntries(lost));
  return session.live();
}

function idOf(block: Block | undefined): unknown {
  return block?.type === 'tool_use' ? block['tool_use_id'] : undefined;
}

/** The blocks that another session can hold; the others are counted by the names the writer has for them. */
function keptOf(message: Message, lost: Map<string, number>): Block[] {
  const lose = (name: string): void => void lost.set(name, (lost.get(name) ?? 0) + 1);
  const isSummary = message.content.some((block) => block.type === 'summary');
  if (message.role !== 'assistant' && message.role !== 'tool' && message.is_meta === true) {
    if (!isSummary && message.metadata?.carried !== true) {
      lose('injected-context');
      return [];
    }
  }
  return message.content.filter((block) => {
    if (block.type === 'thinking') lose('thinking');
    return block.type !== 'thinking';
  });
}
