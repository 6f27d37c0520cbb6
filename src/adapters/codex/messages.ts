/** What is said in `response_item`s: prompts, answers, reasoning, injected context, words between agents. */

import type { Disposition } from '../adapter.ts';
import { sha256Hex } from '../../model/ids.ts';
import { listAt, stringAt } from '../../model/json.ts';
import { blocksOf, isToldOnce, partRole, withoutImageTags } from './content.ts';
import { contentOf } from './native.ts';
import type { NativeContent } from './native.ts';
import { interrupt, respond, say, startPrompt } from './state.ts';
import type { Scene } from './state.ts';

/** Counts something that does not survive. */
export function losing(scene: Scene): (name: string) => void {
  return (name) => scene.given.sink.loss(name);
}

export function turnOf(item: Record<string, unknown>): string | undefined {
  return stringAt(item['internal_chat_message_metadata_passthrough'], 'turn_id');
}

export function decodeMessage(scene: Scene): Disposition {
  const role = stringAt(scene.line.payload, 'role');
  if (role === 'assistant') return decodeAnswer(scene);
  return decodeSpoken(scene, role === 'user' ? 'user' : 'developer');
}

/**
 * An answer. With `metadata.compaction_output` it is the summary that the `compacted` line says again (0.160 and later).
 *
 *     {"type":"message","id":"msg_…","role":"assistant","content":[{"type":"output_text","text":"Done."}],"phase":"final_answer"}
 */
function decodeAnswer(scene: Scene): Disposition {
  const item = scene.line.payload;
  if (scene.line.metadata?.['compaction_output'] === true) return 'duplicate';
  const content = blocksOf(contentOf(item), losing(scene));
  if (content.length === 0) return 'state';
  const phase = stringAt(item, 'phase');
  respond(scene, { content, turnId: turnOf(item), ...(phase === undefined ? {} : { metadata: { phase } }) });
  return 'message';
}

/** A message of role `user` or `developer`: the injected part and a person's part become a message each. */
function decodeSpoken(scene: Scene, role: 'user' | 'developer'): Disposition {
  const item = scene.line.payload;
  const { said, context, summary, paths } = partition(contentOf(item), role);
  const turnId = turnOf(item);
  let disposition: Disposition = 'state';
  if (context.some((part) => part.text?.startsWith('<turn_aborted>') === true)) interrupt(scene);
  const injected = blocksOf(context, losing(scene));
  if (injected.length > 0) {
    const metadata = context.some(isToldOnce) ? { metadata: { carried: true } } : {};
    say(scene, { role, content: injected, isMeta: true, turnId, ...metadata });
    disposition = 'message';
  }
  for (const part of summary) {
    if (part.text === undefined || part.text === '') continue;
    say(scene, { role: 'user', content: [{ type: 'summary', text: part.text }], turnId });
    disposition = 'message';
  }
  const words = blocksOf(said, losing(scene));
  if (words.length > 0) {
    startPrompt(scene);
    const metadata = paths.length === 0 ? {} : { metadata: { image_paths: paths } };
    const message = say(scene, { role, content: words, turnId, ...metadata });
    rememberPrompt(scene, stringAt(item, 'id'), said, message.msg_id);
    disposition = 'message';
  }
  return disposition;
}

/** The parts of a message by whose words they are; bulk is left out. */
export function partition(
  parts: readonly NativeContent[],
  role: 'user' | 'developer',
): {
  readonly said: NativeContent[];
  readonly context: NativeContent[];
  readonly summary: NativeContent[];
  readonly paths: string[];
} {
  const by = {
    said: [] as NativeContent[],
    context: [] as NativeContent[],
    summary: [] as NativeContent[],
    bulk: [] as NativeContent[],
  };
  for (const part of parts) by[partRole(part, role)].push(part);
  const { parts: said, paths } = withoutImageTags(by.said);
  return { said, context: by.context, summary: by.summary, paths };
}

/**
 * Remembers a prompt by its native id, or by its words where it has none, for the histories that compactions put in place.
 * In files without ordinals ids are given late, so there its words count always, and its number, for histories that state
 * nothing and for rollbacks.
 */
function rememberPrompt(scene: Scene, nativeId: string | undefined, said: readonly NativeContent[], id: string): void {
  const { sink, file } = scene.given;
  const legacy = scene.line.ordinal === undefined;
  if (nativeId !== undefined) sink.key(itemKey(nativeId), id);
  if (nativeId === undefined || legacy) sink.key(wordsKey(said), id);
  if (legacy) sink.key(promptKey(file.key, scene.state.prompts - 1), id);
}

/** The key of an item by its native id. */
export function itemKey(nativeId: string): string {
  return `item:${nativeId}`;
}

/** The key of a prompt by what it says. */
export function wordsKey(said: readonly NativeContent[]): string {
  return `words:${sha256Hex(JSON.stringify(said.map((part) => part.text ?? part.imageUrl ?? ''))).slice(0, 24)}`;
}

/** The key of a file's nth prompt. */
export function promptKey(fileKey: string, index: number): string {
  return `prompt:${fileKey}:${index}`;
}

/**
 * Reasoning. The encrypted form is for the vendor alone and stays in the native file.
 *
 *     {"type":"reasoning","id":"rs_…","summary":[{"type":"summary_text","text":"**Greeting**"}],"content":null,"encrypted_content":"gAAAA…"}
 */
export function decodeReasoning(scene: Scene): Disposition {
  const item = scene.line.payload;
  const summary = textsOf(listAt(item, 'summary'));
  const raw = textsOf(listAt(item, 'content'));
  const text = raw === '' ? summary : raw;
  if (text === '' && stringAt(item, 'encrypted_content') === undefined) return 'state';
  const more = raw === '' || summary === '' ? {} : { summary };
  respond(scene, {
    content: [{ type: 'thinking', text, ...more, ...(text === '' ? { redacted: true } : {}) }],
    turnId: turnOf(item),
  });
  return 'message';
}

function textsOf(parts: readonly unknown[]): string {
  return parts
    .map((part) => stringAt(part, 'text') ?? '')
    .filter((text) => text !== '')
    .join('\n\n');
}

/**
 * What agents tell each other: a sub-agent's task in its own file, its answer in its parent's. Tasks are encrypted on the
 * real API; then only the envelope is left.
 *
 *     {"type":"agent_message","author":"/root/helper_one","recipient":"/root","content":[{"type":"input_text","text":"…"}]}
 */
export function decodeAgentMessage(scene: Scene): Disposition {
  const item = scene.line.payload;
  const parts = contentOf(item);
  const content = blocksOf(
    parts.filter((part) => part.type !== 'encrypted_content'),
    losing(scene),
  );
  if (parts.some((part) => part.type === 'encrypted_content')) scene.given.sink.loss('encrypted-agent-message');
  if (content.length === 0) return 'state';
  const author = stringAt(item, 'author');
  say(scene, {
    role: 'user',
    content,
    isMeta: scene.given.file.agentId === undefined,
    turnId: turnOf(item),
    // The root has the answer from nowhere else.
    metadata: { carried: true, ...(author === undefined ? {} : { author }) },
  });
  return 'message';
}
