/** One session for each thing a session can hold, in each tool's own words, and where that thing is to be found in one. */

import type { Adapter, Omitted, SessionFacts } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import type { CommonCall, Verb } from '../../src/adapters/shared/vocabulary.ts';
import { isKnown } from '../../src/model/block.ts';
import type { Block, BlockKind, ImageBlock, KnownBlock } from '../../src/model/block.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { LiveOp } from '../../src/model/live.ts';
import { textOf } from '../../src/model/message.ts';
import type { Message } from '../../src/model/message.ts';
import type { MadeSession } from './sessions.ts';

/** A thing a session can hold. */
export interface Element {
  /** What people call it. */
  readonly name: string;
  /** A session of this tool that holds it; `undefined` where the tool has no such thing. */
  made(source: Adapter): MadeSession | undefined;
  /** The thing as text, in these messages or facts; `undefined` when it is not there. */
  find(messages: readonly Message[], facts: SessionFacts): string | undefined;
  /** The same in few letters, for a table; absent: the whole. */
  brief?(found: string): string;
  /** Set for what writers may leave out uncounted. */
  readonly aside?: Omitted;
}

/** A message without its place. */
type Draft = Omit<Message, 'msg_id' | 'parent_msg_id' | 'timestamp'> &
  Partial<Pick<Message, 'parent_msg_id' | 'timestamp'>>;

const words = (text: string): Block => ({ type: 'text', text });
const prompt = (...content: Block[]): Draft => ({ role: 'user', content });
const answer = (...content: Block[]): Draft => ({
  role: 'assistant',
  content,
  metadata: { response_id: `response to ${JSON.stringify(content).length}` },
});
const result = (content: string, more: JsonObject = {}, images: readonly Block[] = []): Draft => ({
  role: 'tool',
  content: [{ type: 'tool_result', tool_use_id: 'call_1', content, ...more }, ...images],
  ...(images.length === 0 ? {} : { metadata: { result_images: { '1': 'call_1' } } }),
});

function session({ id }: Adapter, drafts: readonly Draft[], more: Partial<MadeSession> = {}): MadeSession {
  const timeline = drafts.map((draft, index): Message => {
    const before = index === 0 || draft.is_sidechain === true ? null : `m${index - 1}`;
    return { msg_id: `m${index}`, parent_msg_id: before, timestamp: timeOf(index), ...draft };
  });
  return { tool: id, title: undefined, git: undefined, timeline, ops: [], ...more };
}

function timeOf(index: number): string {
  return new Date(Date.parse('2026-11-01T10:00:00.000Z') + 1000 * index).toISOString();
}

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = (mediaType: string): ImageBlock => ({
  type: 'image',
  source: { type: 'base64', data: pixel, media_type: mediaType },
});

/** The call each tool has under a name of its own, for a command. */
const command: CommonCall = { verb: 'shell', command: 'ls -l src' };

const commonCalls: { readonly [verb in Verb]: { readonly name: string; readonly call: CommonCall } } = {
  shell: { name: 'a command', call: command },
  read: { name: 'reading a file', call: { verb: 'read', path: '/w/src/gate.ts' } },
  write: { name: 'writing a file', call: { verb: 'write', path: '/w/gate.md', content: 'Oil it.\n' } },
  edit: { name: 'an edit', call: { verb: 'edit', path: '/w/gate.md', before: 'Oil', after: 'Grease' } },
  search: { name: 'a search in files', call: { verb: 'search', pattern: 'hinge', path: 'src' } },
  list: { name: 'a list of files', call: { verb: 'list', path: 'src' } },
  fetch: { name: 'fetching a page', call: { verb: 'fetch', url: 'https://example.org/hinges' } },
  'web-search': { name: 'a search of the web', call: { verb: 'web-search', query: 'hinges' } },
  plan: { name: 'a plan', call: { verb: 'plan', steps: [{ text: 'Oil it', status: 'pending' }] } },
  agent: {
    name: 'starting a sub-agent',
    call: { verb: 'agent', prompt: 'Find the hinge.', description: 'Find the hinge.' },
  },
};

/** Inputs of tools that are only read. */
const otherInputs: readonly JsonObject[] = [
  { plan: [{ step: 'Oil it', status: 'pending' }] },
  { type: 'search', query: 'hinges' },
];

/** A common call as the tool's own model makes it. */
function callOf({ vocabulary }: Adapter, common: CommonCall): Block | undefined {
  const inputs = adapters
    .flatMap((one) => one.vocabulary.map((word) => word.write?.(common)))
    .filter((input) => input !== undefined)
    .concat(otherInputs);
  for (const word of vocabulary) {
    if (word.verb !== common.verb) continue;
    const input =
      word.write?.(common) ?? inputs.find((one) => canonicalJson(word.read(one) ?? null) === canonicalJson(common));
    if (input !== undefined) return { type: 'tool_use', tool_use_id: 'call_1', name: word.name, input };
  }
  return undefined;
}

function commandOf(source: Adapter): Block {
  return callOf(source, command) ?? { type: 'tool_use', tool_use_id: 'call_1', name: 'run', input: { command: 'ls' } };
}

/** The first block of a kind that a message of this role holds. */
function blockOf<K extends BlockKind>(
  messages: readonly Message[],
  role: Message['role'],
  kind: K,
): Extract<KnownBlock, { type: K }> | undefined {
  for (const message of messages) {
    if (message.role !== role) continue;
    for (const block of message.content)
      if (isKnown(block) && block.type === kind) return block as Extract<KnownBlock, { type: K }>; // By its type.
  }
  return undefined;
}

const textIn = (role: Message['role']) => (messages: readonly Message[]) => blockOf(messages, role, 'text')?.text;

/** Words in whatever place: of a prompt that was said once. */
const saying = (text: string) => (messages: readonly Message[]) =>
  JSON.stringify(messages.map(({ content }) => content)).includes(text) ? text : undefined;

function calls(): Element[] {
  return Object.values(commonCalls).map(({ name, call }) => ({
    name: `call: ${name}`,
    made: (source) => {
      const block = callOf(source, call);
      return block === undefined
        ? undefined
        : session(source, [prompt(words('Go on.')), answer(block), result('done'), answer(words('Done.'))]);
    },
    find: callIn,
    brief: nameIn,
  }));
}

function callIn(messages: readonly Message[]): string | undefined {
  const call = blockOf(messages, 'assistant', 'tool_use');
  return call === undefined ? undefined : `${call.name} ${canonicalJson(call.input)}`;
}

function nameIn(call: string): string {
  return call.slice(0, call.indexOf(' '));
}

function imageElement(name: string, block: ImageBlock): Element {
  return {
    name,
    made: (source) => session(source, [prompt(words('What is it?'), block), answer(words('A gate.'))]),
    find: (messages) => imageIn(messages, 'user'),
  };
}

/** The image, or the words that stand in its place. */
function imageIn(messages: readonly Message[], role: 'user' | 'tool'): string | undefined {
  const found = blockOf(messages, role, 'image');
  if (found !== undefined) return `${found.source.type} ${found.source.media_type ?? ''} ${found.source.data}`;
  const said = messages.find((message) => message.role === role)?.content;
  return /\[image left out[^\]]*\]/.exec(JSON.stringify(said ?? []))?.[0];
}

/** Sessions with a part that is not in the live view. */
const leaf = (id: string): LiveOp => ({ op: 'leaf', id });

/** A field of the answer, or of what its call gave. */
function field(name: string, aside: Omitted, of: Partial<Draft>, find: Element['find']): Element {
  return {
    name,
    aside,
    made: (source) => session(source, [prompt(words('Go on.')), { ...answer(words('Done.')), ...of }]),
    find,
  };
}

function resultElement(name: string, more: JsonObject, find: Element['find'], images: readonly Block[] = []): Element {
  return {
    name,
    made: (source) =>
      session(source, [prompt(words('Go on.')), answer(commandOf(source)), result('src/gate.ts', more, images)]),
    find,
  };
}

const resultIn = (messages: readonly Message[]) => blockOf(messages, 'tool', 'tool_result');
const answerIn = (messages: readonly Message[]) => messages.find(({ role }) => role === 'assistant');

/** In the order of the page. */
export const elements: readonly Element[] = [
  {
    name: 'a prompt',
    made: (source) => session(source, [prompt(words('It squeaks.')), answer(words('Oil it.'))]),
    find: textIn('user'),
  },
  {
    name: 'two prompts in a row',
    made: (source) =>
      session(source, [prompt(words('It squeaks.')), prompt(words('Still.')), answer(words('Oil it.'))]),
    find: (messages) => messages.flatMap((message) => (message.role === 'user' ? [textOf(message)] : [])).join(' / '),
  },
  {
    name: 'an answer',
    made: (source) => session(source, [prompt(words('It squeaks.')), answer(words('Oil it.'))]),
    find: textIn('assistant'),
  },
  {
    name: 'thinking',
    made: (source) =>
      session(source, [
        prompt(words('It squeaks.')),
        answer({ type: 'thinking', text: 'A hinge, I suppose.' }, words('Oil it.')),
      ]),
    find: (messages) => blockOf(messages, 'assistant', 'thinking')?.text,
  },
  ...calls(),
  {
    name: 'call: of a server (MCP)',
    made: (source) => {
      const call: Block = { type: 'tool_use', tool_use_id: 'call_1', name: 'mcp__docs__lookup', input: { q: 'hinge' } };
      return session(source, [prompt(words('Go on.')), answer(call), result('found')]);
    },
    find: callIn,
    brief: nameIn,
  },
  {
    name: 'call: any other',
    made: (source) => {
      const call: Block = { type: 'tool_use', tool_use_id: 'call_1', name: 'ask_person', input: { q: 'Which hinge?' } };
      return session(source, [prompt(words('Go on.')), answer(call), result('The left one.')]);
    },
    find: callIn,
    brief: nameIn,
  },
  {
    name: 'call: one nobody answered',
    made: (source) => session(source, [prompt(words('Go on.')), answer(commandOf(source)), prompt(words('Well?'))]),
    find: (messages) => (blockOf(messages, 'assistant', 'tool_use') === undefined ? undefined : 'there'),
  },
  {
    name: 'calls at once, each with its result',
    made: (source) => {
      const call = (id: string): Block => ({ ...commandOf(source), type: 'tool_use', tool_use_id: id });
      const gave = (id: string): Draft => ({
        role: 'tool',
        content: [{ type: 'tool_result', tool_use_id: id, content: `given to ${id}` }],
      });
      return session(source, [
        prompt(words('Go on.')),
        answer(call('call_1'), call('call_2')),
        gave('call_2'),
        gave('call_1'),
      ]);
    },
    find: pairsIn,
  },
  resultElement('result', {}, (messages) => resultIn(messages)?.content),
  resultElement('result: that the call failed', { is_error: true }, (messages) =>
    resultIn(messages)?.is_error === true ? 'failed' : undefined,
  ),
  {
    aside: 'exit-code',
    ...resultElement('result: exit code', { exit_code: 3 }, (messages) => numberOf(resultIn(messages)?.exit_code)),
  },
  {
    aside: 'duration',
    ...resultElement('result: how long it took', { duration_ms: 1500 }, (messages) =>
      numberOf(resultIn(messages)?.duration_ms),
    ),
  },
  resultElement('result: an image', {}, (messages) => imageIn(messages, 'tool'), [image('image/png')]),
  imageElement('image in a prompt: PNG', image('image/png')),
  imageElement('image in a prompt: GIF', image('image/gif')),
  imageElement('image in a prompt: BMP', image('image/bmp')),
  imageElement('image in a prompt: by address', {
    type: 'image',
    source: { type: 'url', data: 'https://example.org/gate.png' },
  }),
  imageElement('image in a prompt: by path', { type: 'image', source: { type: 'path', data: 'gate.png' } }),
  {
    name: 'compaction: the summary',
    made: (source) =>
      session(source, [...compacted(), prompt(words('And now?'))], {
        ops: [{ op: 'replace', at: 'm2', with: ['m2'] }],
      }),
    find: (messages) =>
      messages
        .flatMap(({ content }) => content.map((block) => ('text' in block ? String(block.text) : '')))
        .find((text) => text.includes('oiled the hinge')),
  },
  {
    name: 'compaction: what it stands for',
    made: (source) =>
      session(source, [...compacted(), prompt(words('And now?'))], {
        ops: [{ op: 'replace', at: 'm2', with: ['m2'] }],
      }),
    find: saying('Oil the hinge first.'),
  },
  {
    name: 'what was taken back (rewind, cancelled turn)',
    made: (source) =>
      session(source, [prompt(words('It squeaks.')), answer(words('Oil it.')), prompt(words('No, paint it.'))], {
        ops: [leaf('m1')],
      }),
    find: saying('No, paint it.'),
  },
  {
    name: 'a sub-agent’s own conversation',
    made: (source) =>
      session(
        source,
        [
          prompt(words('Go on.')),
          { ...prompt(words('Find the hinge.')), is_sidechain: true, agent_id: 'helper' },
          { ...answer(words('Found.')), parent_msg_id: 'm0' },
        ],
        { ops: [leaf('m2')] },
      ),
    find: saying('Find the hinge.'),
  },
  {
    name: 'context the tool put in',
    made: (source) =>
      session(source, [{ ...prompt(words('The folder is /w.')), is_meta: true }, prompt(words('Go on.'))]),
    find: saying('The folder is /w.'),
  },
  {
    name: 'context that nothing else tells (what a person’s own command printed)',
    made: (source) =>
      session(source, [
        { ...prompt(words('It printed: gate.ts')), is_meta: true, metadata: { carried: true } },
        prompt(words('Go on.')),
      ]),
    find: saying('It printed: gate.ts'),
  },
  {
    name: 'half a character in a text',
    made: (source) => session(source, [prompt(words('a gate \ud83d')), answer(words('Yes.'))]),
    find: textIn('user'),
  },
  field('answer: that it was interrupted', 'interruption', { stop_reason: 'interrupted' }, (messages) =>
    answerIn(messages)?.stop_reason === 'interrupted' ? 'interrupted' : undefined,
  ),
  field('answer: model', 'model', { model: 'some-model-1' }, (messages) => answerIn(messages)?.model ?? undefined),
  field(
    'answer: tokens',
    'tokens',
    {
      usage: { input_tokens: 7, output_tokens: 5, cache_read_tokens: 0, cache_write_tokens: 0, reasoning_tokens: 0 },
    },
    (messages) => {
      const counted = answerIn(messages)?.usage;
      return counted == null || counted.output_tokens === 0 ? undefined : canonicalJson(counted);
    },
  ),
  {
    name: 'times',
    made: (source) => session(source, [prompt(words('It squeaks.')), answer(words('Oil it.'))]),
    find: (messages) => messages.map(({ timestamp }) => timestamp).join(' '),
  },
  {
    name: 'times that run backwards',
    made: (source) => {
      const drafts = [prompt(words('It squeaks.')), answer(words('Oil it.')), prompt(words('How?'))];
      return session(
        source,
        drafts.map((draft, index) => ({ ...draft, timestamp: timeOf(10 - index) })),
      );
    },
    find: (messages) => messages.map(({ timestamp }) => timestamp).join(' '),
    brief: (found) =>
      found.split(' ').every((time, index, all) => index === 0 || time >= (all[index - 1] ?? '')) ? 'in order' : found,
  },
  {
    name: 'title',
    aside: 'title',
    made: (source) => session(source, [prompt(words('It squeaks.'))], { title: 'The gate' }),
    find: (_, facts) => facts.title?.text ?? undefined,
  },
  {
    name: 'git branch',
    aside: 'git',
    made: (source) => session(source, [prompt(words('It squeaks.'))], { git: { branch: 'oil' } }),
    find: (_, facts) => facts.git?.branch ?? undefined,
  },
];

function compacted(): Draft[] {
  return [
    prompt(words('It squeaks.')),
    answer(words('Oil the hinge first.')),
    { role: 'user', content: [{ type: 'summary', text: 'We oiled the hinge.' }], is_meta: true },
  ];
}

/** What each call gave, in the order of the calls. */
function pairsIn(messages: readonly Message[]): string {
  const blocks = messages.flatMap(({ content }) => content).filter(isKnown);
  return blocks
    .flatMap((block) => (block.type === 'tool_use' ? [block.tool_use_id] : []))
    .map((id) => blocks.find((block) => block.type === 'tool_result' && block.tool_use_id === id))
    .map((block) => (block?.type === 'tool_result' ? block.content : 'nothing'))
    .join(', ');
}

function numberOf(value: number | null | undefined): string | undefined {
  return value == null ? undefined : String(value);
}
