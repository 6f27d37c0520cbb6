/**
 * Reads transcripts: what was said and which calls were made, without ids, times, models and results.
 *
 *     {"role":"user","message":{"content":[{"type":"text","text":"<user_query>\nAdd a test.\n</user_query>"}]}}
 *     {"role":"assistant","message":{"content":[{"type":"text","text":"Adding a test."},{"type":"tool_use","name":"Write","input":{…}}]}}
 *     {"type":"turn_ended","status":"success"}
 */

import type { Block } from '../../model/block.ts';
import { contentId, sha256Hex } from '../../model/ids.ts';
import { asJsonObject, canonicalJson, isObject, listAt, objectAt, stringAt } from '../../model/json.ts';
import type { Disposition, Given } from '../adapter.ts';

/** What is known while a transcript is read. */
export interface TranscriptState {
  /** The last message, and what was told as the leaf. */
  leaf: string | null;
  told: string | null;
  /** The chat was read from its database: the transcript says the same with less. */
  isKnown: boolean;
}

/** Decodes one line; the contract's `decode`. */
export function readTranscript(record: unknown, state: TranscriptState, given: Given): Disposition {
  if (given.lookup.id(fromDatabase) !== undefined) {
    state.isKnown = true;
    return 'duplicate';
  }
  const role = stringAt(record, 'role');
  if (role !== 'user' && role !== 'assistant') {
    if (isObject(record) && (record['type'] === 'turn_ended' || record['type'] === 'metadata')) return 'state';
    given.sink.loss('unknown:record');
    return 'unknown';
  }
  const content = listAt(objectAt(record, 'message'), 'content').flatMap((part, index) =>
    blockOf(part, `${state.leaf}\n${index}`, given),
  );
  if (content.length === 0) return 'state';
  const agent = given.file.agentId;
  const parent = state.leaf;
  const id = contentId(parent ?? (agent === undefined ? null : `agent/${agent}`), role, content);
  const isNew = !given.lookup.has(id);
  given.sink.message({
    msg_id: id,
    parent_msg_id: parent,
    role,
    content,
    timestamp: given.fallbackTime,
    ...(agent === undefined ? {} : { is_sidechain: true, agent_id: agent }),
    metadata: { timestamp_estimated: true, ...(role === 'assistant' ? { response_id: id } : {}) },
  });
  state.leaf = id;
  return isNew ? 'message' : 'duplicate';
}

/** Under this key stands the first message that was read of the chat's database. */
export const fromDatabase = 'database';

function blockOf(part: unknown, place: string, given: Given): Block[] {
  const type = stringAt(part, 'type');
  if (type === 'text') {
    // What the model thought stands in the text as a mark only.
    const text = (stringAt(part, 'text') ?? '').replaceAll('[REDACTED]', '').trim();
    const query = /<user_query>\n?([\s\S]*?)\n?<\/user_query>/.exec(text)?.[1];
    return text === '' ? [] : [{ type: 'text', text: query ?? text }];
  }
  const name = stringAt(part, 'name');
  if (type === 'tool_use' && name !== undefined && isObject(part)) {
    const input = asJsonObject(part['input'] ?? {});
    const id = `call_${sha256Hex(`${place}\n${name}\n${canonicalJson(input)}`).slice(0, 24)}`;
    given.sink.loss('result-not-in-transcript');
    return [{ type: 'tool_use', tool_use_id: id, name, input }];
  }
  given.sink.loss('unknown:part');
  return [];
}
