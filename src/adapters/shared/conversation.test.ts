import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Block } from '../../model/block.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Message } from '../../model/message.ts';
import type { Losses } from '../adapter.ts';
import { conversation, missingResult, wordFor } from './conversation.ts';
import type { Call, Step } from './conversation.ts';

/** A message without its place and time. */
type Draft = Pick<Message, 'role' | 'content'> & Partial<Message>;

function stepsOf(...drafts: readonly Draft[]): { readonly steps: readonly Step[]; readonly losses: Losses } {
  const messages = drafts.map((draft, index): Message => {
    return { msg_id: `m${index}`, parent_msg_id: null, timestamp: '2026-11-01T10:00:00.000Z', ...draft };
  });
  const losses: Losses = new Map();
  return { steps: [...conversation(messages, losses)], losses };
}

function prompt(...content: Block[]): Draft {
  return { role: 'user', content };
}

const text = (said: string): Block => ({ type: 'text', text: said });

function call(id: string, input: JsonObject = {}): Draft {
  return { role: 'assistant', content: [{ type: 'tool_use', tool_use_id: id, name: 'n', input }] };
}

function result(id: string, content: string, ...more: Block[]): Draft {
  return { role: 'tool', content: [{ type: 'tool_result', tool_use_id: id, content }, ...more] };
}

function callsIn(steps: readonly Step[]): Call[] {
  return steps.flatMap((step) => (step.kind === 'prompt' ? [] : step.parts.filter((part) => part.type === 'call')));
}

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test('half a character becomes U+FFFD, counted for each text, wherever one is kept', () => {
  const { steps, losses } = stepsOf(
    prompt(text('a\ud83d'), text('\u{1F600}')),
    call('c', { '\ude00': ['x\ud83d', 1, null], n: { deep: 'y\ude00' } }),
    result('c', 'r\ud83d'),
  );
  assert.equal(JSON.stringify(steps).includes(String.raw`\ud`), false);
  assert.deepEqual(callsIn(steps)[0]?.input, { '\ufffd': ['x\ufffd', 1, null], n: { deep: 'y\ufffd' } });
  assert.deepEqual([...losses], [['half-character', 3]]);
});

test('an input nested beyond what a program could read is left out', () => {
  const nested = (levels: number): JsonObject =>
    // Made of an object, it is one.
    JSON.parse(`${'{"in":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`) as JsonObject;
  const { steps, losses } = stepsOf(
    call('a', nested(200)),
    result('a', ''),
    call('b', nested(100_000)),
    result('b', ''),
  );
  const [kept, left] = callsIn(steps);
  assert.deepEqual(kept?.input, nested(200));
  assert.deepEqual(left?.input, {});
  assert.deepEqual([...losses], [['call-input', 1]]);
});

test('of calls that share an id each gets its own result, in order', () => {
  const { steps, losses } = stepsOf(
    { role: 'assistant', content: [...call('c').content, ...call('c').content] },
    result('c', 'first'),
    result('c', 'second'),
    result('c', 'third'),
  );
  assert.deepEqual(
    callsIn(steps).map(({ id, result: { text: gave } }) => [id, gave]),
    [
      ['c', 'first'],
      ['c~2', 'second'],
    ],
  );
  assert.deepEqual(Object.fromEntries(losses), { 'call-id-used-twice': 1, 'result-twice': 1 });
});

test('calls of which nobody says that they are one response are one while their results are to come', () => {
  const { steps, losses } = stepsOf(
    call('a'),
    { role: 'assistant', content: [text('and')] },
    call('b'),
    result('a', 'A'),
    result('b', 'B'),
    { role: 'assistant', content: [text('done')] },
  );
  assert.deepEqual(
    steps.map((step) => (step.kind === 'prompt' ? [] : step.parts.map(({ type }) => type))),
    [['call', 'text', 'call'], ['text']],
  );
  assert.deepEqual(
    callsIn(steps).map(({ result: { text: gave } }) => gave),
    ['A', 'B'],
  );
  assert.equal(losses.size, 0);
});

test('an answer after words that a person said meanwhile is another', () => {
  const { steps, losses } = stepsOf(call('a'), prompt(text('stop')), { role: 'assistant', content: [text('ok')] });
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['response', 'prompt', 'response'],
  );
  assert.equal(callsIn(steps)[0]?.result.text, missingResult);
  assert.deepEqual([...losses], [['call-without-result', 1]]);
});

test('an image of no stated type gets the one its bytes tell', () => {
  const image = (data: string): Block => ({ type: 'image', source: { type: 'base64', data, media_type: null } });
  const { steps } = stepsOf(prompt(image(pixel), image('R0lGODlh'), image('AAAA')));
  const [first] = steps;
  assert.ok(first?.kind === 'prompt');
  assert.deepEqual(
    first.content.map((block) => (block.type === 'image' ? block.source.media_type : block)),
    ['image/png', 'image/gif', null],
  );
});

test('a picture of a result that has no place is counted', () => {
  const image: Block = { type: 'image', source: { type: 'base64', data: pixel, media_type: 'image/png' } };
  const { losses } = stepsOf(call('a'), result('a', '', image), { role: 'tool', content: [image, image] });
  assert.deepEqual([...losses], [['image-without-call', 2]]);
});

test('a word stands for an image that cannot go along, with the address of one that has one', () => {
  const word = (type: 'url' | 'base64', data: string, mediaType?: string): string =>
    wordFor({ type: 'image', source: { type, data, ...(mediaType === undefined ? {} : { media_type: mediaType }) } });
  assert.equal(word('base64', pixel, 'image/bmp'), '[image left out: image/bmp]');
  assert.equal(word('base64', 'AAAA'), '[image left out: of no type]');
  assert.equal(word('url', 'https://example.org/a.png'), '[image left out: https://example.org/a.png]');
});
