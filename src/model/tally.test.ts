import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message, Usage } from './message.ts';
import { count, emptyTally, statsOf } from './tally.ts';

const usage = (output: number, input = 10): Usage => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_tokens: 5,
  cache_write_tokens: 1,
  reasoning_tokens: 0,
});

let number = 0;
const answer = (response: string, output: number, more: Partial<Message> = {}): Message => ({
  msg_id: `m${(number += 1)}`,
  parent_msg_id: null,
  role: 'assistant',
  content: [{ type: 'text', text: 'x' }],
  timestamp: `2026-01-01T00:00:0${number % 10}.000Z`,
  model: 'model-a',
  provider: 'maker',
  usage: usage(output),
  metadata: { response_id: response },
  ...more,
});

test('a response stated on several messages counts once, with its largest output', () => {
  const tally = emptyTally();
  for (const message of [answer('r1', 1), answer('r1', 1), answer('r1', 40), answer('r2', 7), answer('r1', 40)])
    count(tally, message);
  assert.deepEqual(tally.models, {
    'model-a': {
      provider: 'maker',
      responses: 2,
      input_tokens: 20,
      output_tokens: 47,
      cache_read_tokens: 10,
      cache_write_tokens: 2,
      reasoning_tokens: 0,
    },
  });
  assert.equal(statsOf(tally, null).message_count, 5);
});

test('prompts are turns, revisions and live-only text are not counted, sub-agents apart', () => {
  const tally = emptyTally();
  const prompt: Message = {
    msg_id: 'p',
    parent_msg_id: null,
    role: 'user',
    content: [{ type: 'text', text: 'hi' }],
    timestamp: '2026-01-01T00:00:00.000Z',
  };
  count(tally, prompt);
  count(tally, { ...prompt, msg_id: 'p~1', metadata: { revises: 'p' } });
  count(tally, { ...prompt, msg_id: 'l', is_meta: true, metadata: { live_only: true } });
  count(tally, { ...prompt, msg_id: 's', is_sidechain: true, agent_id: 'helper' });
  count(
    tally,
    answer('r', 3, {
      content: [{ type: 'tool_use', tool_use_id: 'c', name: 'Read', input: {} }],
      agent_id: 'helper',
      is_sidechain: true,
      model: 'model-b',
    }),
  );
  const stats = statsOf(tally, 0.5);
  assert.deepEqual(
    [stats.message_count, stats.turn_count, stats.tool_use_count, stats.estimated_cost_usd],
    [3, 1, 1, 0.5],
  );
  assert.deepEqual(tally.agents, { helper: { messages: 2, model: 'model-b' } });
  assert.deepEqual([tally.tools, tally.model], [['Read'], null]);
});

test('a tally goes on after a round trip through JSON', () => {
  const messages = Array.from({ length: 200 }, (_, index) => answer(`r${index % 70}`, index));
  const whole = emptyTally();
  for (const message of messages) count(whole, message);
  let pieces = emptyTally();
  for (const message of messages) {
    count(pieces, message);
    pieces = JSON.parse(JSON.stringify(pieces)) as typeof pieces;
  }
  assert.deepEqual(pieces, whole);
});
