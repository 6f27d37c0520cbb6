/** `compacted`: from here on the model sees another history in place of what was said. */

import type { Disposition } from '../adapter.ts';
import { isObject, objectAt, stringAt } from '../../model/json.ts';
import type { Message } from '../../model/message.ts';
import { blocksOf } from './content.ts';
import { itemKey, partition, promptKey, wordsKey } from './messages.ts';
import { contentOf } from './native.ts';
import type { NativeContent } from './native.ts';
import { closeResponse, say, sayAside } from './state.ts';
import type { Scene } from './state.ts';

/**
 * Tells the summary as a message of its own and puts the replacement into the live view: prompts that were kept, the
 * summary, context that was injected anew. Without a `replacement_history` (before 0.42) all prompts and the summary stay.
 * A summary that only OpenAI can read replaces nothing here: what was said is worth more to another tool.
 *
 *     {"type":"compacted","payload":{"message":"Another language model started…","replacement_history":[{"type":"message",
 *      "id":"msg_01a2…","role":"user","content":[…]},…],"compaction_response_id":"resp_…"}}
 */
export function decodeCompacted(scene: Scene): Disposition {
  const { payload } = scene.line;
  const { sink } = scene.given;
  closeResponse(scene);
  const history: unknown = payload['replacement_history'];
  const message = stringAt(payload, 'message') ?? '';
  if (Array.isArray(history) && history.some(isSealed)) {
    sink.loss('sealed-compaction');
    if (message !== '') summarise(scene, message);
    return message === '' ? 'state' : 'message';
  }
  const before = scene.state.leaf;
  const kept = Array.isArray(history) ? replacement(scene, history, message) : everyPrompt(scene, message);
  const at = scene.state.leaf ?? before;
  if (at === null) return 'state';
  if (scene.given.file.agentId === undefined) sink.live({ op: 'replace', at, with: kept });
  return 'message';
}

/** The ids of the replacement, in its order; what is said nowhere else is told here. */
function replacement(scene: Scene, history: readonly unknown[], summary: string): string[] {
  const kept: string[] = [];
  let summarised = false;
  let aside = scene.state.leaf;
  for (const item of history) {
    if (!isObject(item)) continue;
    const role = stringAt(item, 'role');
    if (stringAt(item, 'type') !== 'message' || (role !== 'user' && role !== 'developer')) {
      scene.given.sink.loss(`kept-by-compaction:${stringAt(item, 'type') ?? 'none'}`);
      continue;
    }
    const parts = contentOf(item);
    const { said, context, summary: summaries } = partition(parts, role);
    const isSummary = !summarised && summary !== '' && said.length === 1 && said[0]?.text === summary;
    const injected = blocksOf(context, () => undefined);
    if (injected.length > 0) kept.push(say(scene, { role, content: injected, isMeta: true }).msg_id);
    for (const part of isSummary ? said : summaries) {
      if (part.text === undefined || part.text === '') continue;
      kept.push(summarise(scene, part.text));
      summarised = true;
    }
    if (isSummary || said.length === 0) continue;
    const known = findPrompt(scene, stringAt(item, 'id'), said);
    if (known !== undefined) {
      kept.push(known);
      continue;
    }
    const content = blocksOf(said, () => undefined);
    if (content.length === 0) continue;
    // Cut or made up by the compaction: it stands beside the chain, and only in the live view.
    const only: Message = sayAside(scene, { role, content, isMeta: true, metadata: { live_only: true } }, aside);
    aside = only.msg_id;
    kept.push(only.msg_id);
  }
  if (!summarised && summary !== '') kept.push(summarise(scene, summary));
  return kept;
}

function findPrompt(scene: Scene, nativeId: string | undefined, said: readonly NativeContent[]): string | undefined {
  const { lookup } = scene.given;
  return (nativeId === undefined ? undefined : lookup.id(itemKey(nativeId))) ?? lookup.id(wordsKey(said));
}

function everyPrompt(scene: Scene, summary: string): string[] {
  const kept: string[] = [];
  for (let index = 0; index < scene.state.prompts; index += 1) {
    const id = scene.given.lookup.id(promptKey(scene.given.file.key, index));
    if (id !== undefined) kept.push(id);
  }
  if (summary !== '') kept.push(summarise(scene, summary));
  return kept;
}

/** The summary as a message of the response that made it. */
function summarise(scene: Scene, text: string): string {
  const response = responseOf(scene.line.payload);
  return say(scene, {
    role: 'user',
    content: [{ type: 'summary', text }],
    ...(response === undefined ? {} : { metadata: { response_id: response } }),
  }).msg_id;
}
/** Is it an item that a compaction keeps in a form nobody else can read? */
function isSealed(item: unknown): boolean {
  const type = stringAt(item, 'type');
  return isObject(item) && (type === 'compaction' || type === 'compaction_summary' || type === 'context_compaction');
}

/** The id of the compaction's own response, where it is stated. */
function responseOf(payload: Record<string, unknown>): string | undefined {
  return (
    stringAt(payload, 'compaction_response_id') ??
    stringAt(objectAt(payload, 'latest_token_usage_record'), 'response_id')
  );
}
