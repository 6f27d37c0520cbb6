/** Sessions as data, made from a seed: every kind of block and what goes wrong with them, in any order. */

import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { adapters } from '../../src/adapters/index.ts';
import type { CommonCall } from '../../src/adapters/shared/vocabulary.ts';
import type { Block } from '../../src/model/block.ts';
import { asJsonObject } from '../../src/model/json.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { LiveOp } from '../../src/model/live.ts';
import { liveIds, linkOf } from '../../src/model/live.ts';
import type { GitContext } from '../../src/model/manifest.ts';
import type { Message, MessageMetadata, Usage } from '../../src/model/message.ts';

/** A session nobody had. */
export interface MadeSession {
  /** The tool it comes from: an adapter's id, or one nobody knows. */
  readonly tool: string;
  readonly title: string | undefined;
  readonly git: GitContext | undefined;
  readonly timeline: readonly Message[];
  readonly ops: readonly LiveOp[];
}

/** What a model would see. */
export function liveView({ timeline, ops }: MadeSession): Message[] {
  const byId = new Map(timeline.map((message) => [message.msg_id, message]));
  const links = new Map(timeline.map((message) => [message.msg_id, linkOf(message)]));
  return liveIds(links, ops).flatMap((id) => byId.get(id) ?? []);
}

/** A session of up to some thirty messages; one in some hundred holds texts of 100,000 letters. */
export function madeSession(): Arbitrary<MadeSession> {
  return fc
    .record({
      tool: fc.constantFrom(...adapters.map(({ id }) => id), 'elsewhere', 'else where.2'),
      title: fc.option(fc.oneof(words, fc.constantFrom('', ' ', 'a\nb', 'x\u{1F600}y', '\ud83d', '\0')), {
        nil: undefined,
      }),
      git: fc.option(fc.record({ branch: fc.constantFrom('main', 'a/b', null), commit_sha: fc.constant(null) }), {
        nil: undefined,
      }),
      steps: fc.array(step, { minLength: 1, maxLength: 8 }),
      clock,
      links: fc.array(link, { maxLength: 2 }),
      ops: fc.array(opPlan, { maxLength: 2 }),
    })
    .map(({ tool, title, git, steps, clock: at, links, ops }) => {
      const timeline = timelineOf(
        steps.flatMap((parts, index) => parts.map((draft) => ({ ...draft, group: `${index}` }))),
        at,
        links,
      );
      return { tool, title, git, timeline, ops: ops.flatMap((plan) => opOf(plan, timeline)) };
    });
}

const plain = fc.constantFrom(
  'Look at the gate',
  'It squeaks.',
  'go',
  'Done: 3 of 4 — see `a.ts`',
  'Ω 漢字 🙂',
  'a\nb\n\nc',
);

/** What has been misread somewhere: by a JSON reader, by a line splitter, by a program that takes it for its own words. */
const odd = fc.constantFrom(
  '',
  ' ',
  '\n',
  '\t \u00a0',
  ' front and back \n',
  'a\u2028b\u2029c\u0085d',
  '\0\u0001\u001b[31m\u007f',
  '\ud83d half',
  'half \ude00',
  '\ude00\ud83d',
  String.raw`not half: \ud83d and \\ud83d`,
  '\ufeffmark',
  'zero\u200bwidth\u200d\u200e',
  '<!-- a comment -->said',
  'a <!-- b --> c <!-- d',
  '/help me',
  '? what',
  '[Request interrupted by user]',
  'No response requested.',
  '{"type":"user"}',
  '```\ncode\n```',
  '</state_snapshot>',
  'User message: ',
  'Exit code: 1\nOutput:\nno',
  'Exit code 3\nno',
  'aborted',
  '\r\nwindows\r\n',
  '__proto__',
);

/** How the tools' own words begin; said by a person they are a person's. */
const taken = fc.constantFrom('<session_context>x</session_context>', '<state_snapshot>\nnot one\n</state_snapshot>');

const words: Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 4, arbitrary: odd },
  { weight: 1, arbitrary: taken },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.tuple(odd, plain, odd).map((parts) => parts.join('')) },
);

/** Now and then as much as a large file. */
const text: Arbitrary<string> = fc.oneof(
  { weight: 200, arbitrary: words },
  { weight: 1, arbitrary: words.map((one) => `${one}\n${'0123456789'.repeat(10_000)}`) },
);

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const image: Arbitrary<Block> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom('image/png', 'image/jpeg', 'image/webp', 'image/gif') },
    { weight: 1, arbitrary: fc.constantFrom('image/heic', 'image/bmp', 'image/svg+xml', undefined, null) },
  )
  .map((type): Block => {
    const mediaType = type === undefined ? {} : { media_type: type };
    return { type: 'image', source: { type: 'base64', data: pixel, ...mediaType } };
  });

const reference: Arbitrary<Block> = fc
  .constantFrom(
    ['url', 'https://example.org/a.png'],
    ['url', 'file:///w/a.png'],
    ['path', 'shots/a b.png'],
    ['path', '/w/a.png'],
  )
  .map(([type, data]): Block => ({ type: 'image', source: { type: type as 'url' | 'path', data: data ?? '' } }));

const picture = fc.oneof({ weight: 3, arbitrary: image }, { weight: 1, arbitrary: reference });

const thinking: Arbitrary<Block> = fc.oneof(
  text.map((said): Block => ({ type: 'thinking', text: said })),
  text.map((said): Block => ({ type: 'thinking', text: `**A plan** ${said}` })),
  text.map((said): Block => ({ type: 'thinking', text: said, signature: 'EvQBCkYI' })),
  fc.constant<Block>({ type: 'thinking', text: '', signature: 'RU5D', redacted: true }),
  text.map((said): Block => ({ type: 'thinking', text: '', summary: said })),
);

const other: Arbitrary<Block> = fc.constantFrom<Block>(
  { type: 'inline_data', media_type: 'audio/wav', data: 'AAAA' },
  { type: 'server_tool_use', id: 'x' },
);

const said: Arbitrary<Block> = text.map((one): Block => ({ type: 'text', text: one }));
const summary: Arbitrary<Block> = fc
  .oneof(plain, odd, fc.constant('<state_snapshot>\nDone: a.\n</state_snapshot>'))
  .map((one): Block => ({ type: 'summary', text: one }));

/** A call without its id. */
interface MadeCall {
  readonly name: string;
  readonly input: JsonObject;
}

const path = fc.constantFrom('src/a.ts', '/w/a b.png', "it's", '', 'a\nb', 'ünï/漢.md', '-rf');

const common: Arbitrary<CommonCall> = fc.oneof(
  fc.record(
    { verb: fc.constant('shell' as const), command: words, cwd: path, description: plain, timeoutMs: fc.nat() },
    { requiredKeys: ['verb', 'command'] },
  ),
  fc.record(
    { verb: fc.constant('read' as const), path, offset: fc.nat(99), limit: fc.nat(99) },
    { requiredKeys: ['verb', 'path'] },
  ),
  fc.record({ verb: fc.constant('write' as const), path, content: text }),
  fc.record(
    { verb: fc.constant('edit' as const), path, before: words, after: words, all: fc.boolean() },
    { requiredKeys: ['verb', 'path', 'before', 'after'] },
  ),
  fc.record(
    { verb: fc.constant('search' as const), pattern: words, path, glob: plain },
    { requiredKeys: ['verb', 'pattern'] },
  ),
  fc.record({ verb: fc.constant('list' as const), path, glob: plain }, { requiredKeys: ['verb'] }),
  fc.record(
    { verb: fc.constant('fetch' as const), url: fc.constant('https://example.org/?q=1'), prompt: words },
    { requiredKeys: ['verb', 'url'] },
  ),
  fc.record({ verb: fc.constant('web-search' as const), query: words }),
  fc.record({
    verb: fc.constant('plan' as const),
    steps: fc.array(
      fc.record({
        text: words,
        status: fc.constantFrom('pending' as const, 'in_progress' as const, 'completed' as const),
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record(
    { verb: fc.constant('agent' as const), prompt: words, description: plain },
    { requiredKeys: ['verb', 'prompt'] },
  ),
);

/** A common call in the words of some tool; what it has no room for stays as our own. */
const spoken: Arbitrary<MadeCall> = fc
  .tuple(common, fc.constantFrom(...adapters), fc.nat())
  .map(([call, { vocabulary }, which]) => {
    const inputs = vocabulary.flatMap((word) => {
      const input = word.verb === call.verb ? word.write?.(call) : undefined;
      return input === undefined ? [] : [{ name: word.name, input }];
    });
    return inputs[which % Math.max(1, inputs.length)] ?? { name: call.verb, input: asJsonObject({ ...call }) };
  });

const toolNames = [...new Set(adapters.flatMap(({ vocabulary }) => vocabulary.map((word) => word.name)))];

const named: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...toolNames, 'exec', 'apply_patch', 'web_search', 'mcp__docs__lookup', 'mcp__docs.lookup', 'a.b.c'),
  fc.constantFrom('', 'with space', '1st', 'ünï', 'x'.repeat(80), '__proto__', 'toString', '\ud83d'),
);

/** JSON as tools are given it: odd keys, numbers at their ends, nested far. */
const inputs: Arbitrary<JsonObject> = fc.oneof(
  { weight: 6, arbitrary: fc.dictionary(words, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }).map(asJsonObject) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<JsonObject>({}, { input: 'plain' }, { '': null }, { n: 1e308, z: 0, m: -1e-7 }),
  },
  { weight: 1, arbitrary: text.map((input): JsonObject => ({ input })) },
  {
    weight: 1,
    // What JSON.parse makes of it is an own field of that name.
    arbitrary: fc.constant(null).map(() => asJsonObject(JSON.parse('{"__proto__":{"a":1},"constructor":2}'))),
  },
  { weight: 1, arbitrary: fc.constantFrom(90, 200, 201, 1000).map(nested) },
);

function nested(levels: number): JsonObject {
  let value: JsonObject = { end: true };
  for (let level = 1; level < levels; level += 1) value = { in: value };
  return value;
}

const call: Arbitrary<MadeCall> = fc.oneof(
  { weight: 3, arbitrary: spoken },
  { weight: 2, arbitrary: fc.record({ name: named, input: inputs }) },
);

/** What a call gave. */
interface MadeResult {
  readonly content: string;
  readonly failed: boolean;
  readonly exitCode: number | undefined;
  readonly images: readonly Block[];
  /** How it comes: once, never, twice, or in front of its call. */
  readonly how: 'once' | 'never' | 'twice' | 'early';
}

const result: Arbitrary<MadeResult> = fc.record({
  content: text,
  failed: fc.boolean(),
  exitCode: fc.option(fc.integer({ min: -1, max: 255 }), { nil: undefined }),
  images: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(picture, { maxLength: 2 }) },
  ),
  how: fc.oneof(
    { weight: 12, arbitrary: fc.constant('once' as const) },
    { weight: 1, arbitrary: fc.constantFrom('never' as const, 'twice' as const, 'early' as const) },
  ),
});

/** A message without its place. */
type Draft = Omit<Message, 'msg_id' | 'parent_msg_id' | 'timestamp'> & { readonly group?: string };

const aPrompt: Arbitrary<Draft[]> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: said },
      { weight: 3, arbitrary: picture },
      { weight: 1, arbitrary: fc.oneof(other, thinking) },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((content): Draft[] => [{ role: 'user', content }]);

const marks: Arbitrary<MessageMetadata> = fc.constantFrom<MessageMetadata>(
  {},
  {},
  { carried: true },
  { live_only: true },
);

const anInjected: Arbitrary<Draft[]> = fc
  .record({
    role: fc.constantFrom('user' as const, 'developer' as const, 'system' as const),
    block: said,
    metadata: marks,
  })
  .map(({ role, block, metadata }): Draft[] => [{ role, content: [block], is_meta: true, metadata }]);

const aSummary: Arbitrary<Draft[]> = fc
  .record({ block: summary, metadata: marks })
  .map(({ block, metadata }): Draft[] => [{ role: 'user', content: [block], is_meta: true, metadata }]);

const usage: Arbitrary<Usage> = fc.record({
  input_tokens: fc.nat(),
  output_tokens: fc.nat(),
  cache_read_tokens: fc.nat(),
  cache_write_tokens: fc.nat(),
  reasoning_tokens: fc.nat(),
});

/** One answer with its calls, and then what they gave; a person may speak while they run. */
const anAnswer: Arbitrary<Draft[]> = fc
  .record({
    parts: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: said },
        { weight: 2, arbitrary: thinking },
        { weight: 5, arbitrary: fc.tuple(call, result) },
        { weight: 1, arbitrary: fc.oneof(other, image) },
      ),
      { minLength: 1, maxLength: 5 },
    ),
    ids: fc.constantFrom('plain', 'foreign', 'same', 'odd'),
    model: fc.constantFrom(
      'claude-opus-5-5',
      'gpt-5.5',
      'gemini-3-pro',
      'models/gemini-x',
      '',
      'x'.repeat(300),
      null,
      undefined,
    ),
    usage: fc.option(usage, { nil: undefined }),
    stop: fc.constantFrom('end_turn' as const, 'interrupted' as const, null, undefined),
    /** One message for each part, or one for all. */
    split: fc.boolean(),
    isOne: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    reversed: fc.boolean(),
    together: fc.boolean(),
    meanwhile: fc.option(fc.oneof(aPrompt, anInjected), { nil: undefined, freq: 6 }),
    salt: fc.nat(999),
  })
  .map((answer): Draft[] => {
    const blocks: Block[] = [];
    const results: Draft[] = [];
    const early: Draft[] = [];
    for (const [index, part] of answer.parts.entries()) {
      if (!Array.isArray(part)) {
        blocks.push(part);
        continue;
      }
      const [{ name, input }, gave] = part;
      const id = callId(answer.ids, answer.salt, index);
      blocks.push({ type: 'tool_use', tool_use_id: id, name, input });
      const draft = resultDraft(id, gave);
      if (gave.how === 'early') early.push(draft);
      else if (gave.how !== 'never') results.push(draft);
      if (gave.how === 'twice') results.push(draft);
    }
    const fields = {
      role: 'assistant' as const,
      ...(answer.model === undefined ? {} : { model: answer.model }),
      ...(answer.stop === undefined ? {} : { stop_reason: answer.stop }),
      metadata: answer.isOne ? { response_id: `response-${answer.salt}` } : {},
    };
    const spokenParts: Draft[] = answer.split
      ? blocks.map((block) => ({ ...fields, content: [block] }))
      : [{ ...fields, content: blocks }];
    const counted = answer.usage;
    const last = spokenParts.at(-1);
    if (counted !== undefined && last !== undefined) spokenParts[spokenParts.length - 1] = { ...last, usage: counted };
    const ordered = answer.reversed ? results.toReversed() : results;
    return [...early, ...spokenParts, ...(answer.meanwhile ?? []), ...(answer.together ? together(ordered) : ordered)];
  });

function callId(kind: string, salt: number, index: number): string {
  if (kind === 'same') return 'call_1';
  if (kind === 'odd') return index % 2 === 0 ? `a.b:c/${salt}-${index}` : `${'long'.repeat(30)}${salt}${index}`;
  return kind === 'foreign' ? `toolu_01${salt}x${index}` : `call_${salt}_${index}`;
}

function resultDraft(id: string, { content, failed, exitCode, images }: MadeResult): Draft {
  const block: Block = {
    type: 'tool_result',
    tool_use_id: id,
    content,
    ...(failed ? { is_error: true } : {}),
    ...(exitCode === undefined ? {} : { exit_code: exitCode, duration_ms: 12 }),
  };
  const owners = Object.fromEntries(images.map((_, index) => [String(index + 1), id] as const));
  return {
    role: 'tool',
    content: [block, ...images],
    ...(images.length === 0 ? {} : { metadata: { result_images: owners } }),
  };
}

/** Several results in one message, as some tools record them. */
function together(results: readonly Draft[]): Draft[] {
  if (results.length < 2) return [...results];
  const content: Block[] = [];
  const owners: { [index: string]: string } = {};
  for (const { content: blocks, metadata } of results) {
    for (const [index, owner] of Object.entries(metadata?.result_images ?? {}))
      owners[String(content.length + Number(index))] = owner;
    content.push(...blocks);
  }
  return [
    { role: 'tool', content, ...(Object.keys(owners).length === 0 ? {} : { metadata: { result_images: owners } }) },
  ];
}

/** Results of nobody's call, pictures of nobody's result, words in a result's place. */
const aStray: Arbitrary<Draft[]> = fc
  .oneof(
    result.map((gave): Block[] => [...resultDraft('nobody', gave).content]),
    image.map((block): Block[] => [block]),
    said.map((block): Block[] => [block]),
  )
  .map((content): Draft[] => [{ role: 'tool', content }]);

/** A sub-agent's part, in between. */
const aSubAgent: Arbitrary<Draft[]> = fc
  .oneof(aPrompt, anAnswer)
  .map((drafts) => drafts.map((draft): Draft => ({ ...draft, is_sidechain: true, agent_id: 'helper' })));

const step: Arbitrary<Draft[]> = fc.oneof(
  { weight: 5, arbitrary: aPrompt },
  { weight: 8, arbitrary: anAnswer },
  { weight: 1, arbitrary: anInjected },
  { weight: 1, arbitrary: aSummary },
  { weight: 1, arbitrary: aStray },
  { weight: 1, arbitrary: aSubAgent },
);

/** How the clock goes: forward, standing, backwards, ahead of the day it is written, in another zone. */
const clock = fc.constantFrom('forward', 'standing', 'backwards', 'ahead', 'zoned');

const start = Date.parse('2026-11-01T10:00:00.000Z');

function timeOf(way: string, index: number): string {
  const at = (ms: number): string => new Date(start + ms).toISOString();
  switch (way) {
    case 'standing':
      return at(0);
    case 'backwards':
      return at(-index * 1500);
    case 'ahead':
      return at(index * 400 * 86_400_000);
    case 'zoned':
      return `2026-11-01T12:00:${String(index % 60).padStart(2, '0')}+02:00`;
    default:
      return at(index * 1234);
  }
}

/** A parent that is not the message before: by position, both of them; -1 is a message that is not there. */
const link = fc.tuple(fc.nat(20), fc.integer({ min: -1, max: 20 }));

function timelineOf(drafts: readonly Draft[], way: string, links: readonly (readonly [number, number])[]): Message[] {
  const ids = drafts.map((_, index) => `m${index}`);
  const parents = drafts.map((_, index): string | null => ids[index - 1] ?? null);
  for (const [index, parent] of links)
    if (index < parents.length) parents[index] = parent < 0 ? 'nowhere' : (ids[parent % ids.length] ?? null);
  return drafts.map(({ group, ...draft }, index) => {
    const response = draft.metadata?.response_id;
    return {
      ...draft,
      msg_id: ids[index] ?? '',
      parent_msg_id: parents[index] ?? null,
      timestamp: timeOf(way, index),
      turn_id: `turn-${group ?? ''}`,
      ...(response === undefined ? {} : { metadata: { ...draft.metadata, response_id: `${response}-${group ?? ''}` } }),
    };
  });
}

const opPlan = fc.record({
  op: fc.constantFrom('leaf', 'rewind', 'replace'),
  at: fc.nat(30),
  with: fc.array(fc.nat(30), { maxLength: 4 }),
});

function opOf(
  plan: { readonly op: string; readonly at: number; readonly with: readonly number[] },
  timeline: readonly Message[],
): LiveOp[] {
  const idAt = (index: number): string => timeline[index % timeline.length]?.msg_id ?? '';
  if (timeline.length === 0) return [];
  if (plan.op === 'replace') return [{ op: 'replace', at: idAt(plan.at), with: plan.with.map(idAt) }];
  return [{ op: plan.op === 'leaf' ? 'leaf' : 'rewind', id: idAt(plan.at) }];
}
