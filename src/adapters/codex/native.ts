/**
 * What Codex CLI writes into a rollout, looked at leniently: nothing is assumed of a line before its fields are checked.
 *
 * A rollout is one file of JSON lines. Since 0.148 each line has an `ordinal` and display items stand in
 * `event_msg/item_completed` ("paginated"); before, none has and display stands in `user_message` and the like ("legacy").
 * Until somewhere between 0.27 and 0.42 lines had no envelope ("bare").
 */

import { countAt, isObject, listAt, objectAt, stringAt } from '../../model/json.ts';

/**
 * One line without its envelope.
 *
 *     {"timestamp":"2026-11-23T05:18:37.260Z","ordinal":12,"type":"token_usage_record","payload":{"response_id":"resp_…",…}}
 *     {"timestamp":"2026-11-23T05:51:05.728Z","type":"response_item","payload":{"type":"message","role":"user",…}}
 *     {"id":"c2d2…","timestamp":"2025-08-…","instructions":null,"git":{…}}          (bare header: `session_meta`)
 *     {"type":"message","role":"user","content":[…]}  {"record_type":"state"}        (bare item: `response_item`; `state`)
 */
export interface NativeLine {
  readonly type: string;
  readonly payload: Record<string, unknown>;
  /** As it stands there: see {@link timeIn}. */
  readonly timestamp: string | undefined;
  readonly ordinal: number | undefined;
  /** The line's own `metadata`: only Codex itself reads it. */
  readonly metadata: Record<string, unknown> | undefined;
}

/** The line a record is; `undefined` when it is none that Codex has ever written. */
export function lineOf(record: unknown): NativeLine | undefined {
  if (!isObject(record)) return undefined;
  const type = stringAt(record, 'type');
  const timestamp = stringAt(record, 'timestamp');
  if (type !== undefined && 'payload' in record) {
    const payload = record['payload'];
    if (!isObject(payload)) return undefined;
    return { type, payload, timestamp, ordinal: countAt(record, 'ordinal'), metadata: objectAt(record, 'metadata') };
  }
  const bare = { payload: record, timestamp, ordinal: undefined, metadata: undefined };
  if (type !== undefined) return { type: 'response_item', ...bare };
  if (stringAt(record, 'record_type') !== undefined) return { type: 'state', ...bare };
  if (stringAt(record, 'id') !== undefined && timestamp !== undefined) return { type: 'session_meta', ...bare };
  return undefined;
}

/** A part of a message: where its words are and what Codex says they are. */
export interface NativeContent {
  /** `input_text`, `output_text`, `input_image`, `reasoning_text`, `encrypted_content`, … */
  readonly type: string;
  readonly text: string | undefined;
  /** A data URL, an address, or nothing. */
  readonly imageUrl: string | undefined;
  /** `user.text`, `environments.environment_context`, … (0.150 and later); `undefined` where it is not said. */
  readonly kind: string | undefined;
}

/**
 * The parts of a message item.
 *
 *     {"type":"message","role":"user","content":[{"type":"input_text","text":"S:hello"}],
 *      "internal_chat_message_metadata_passthrough":{"turn_id":"01a2…","content_item_kinds":["user.text"]}}
 */
export function contentOf(item: Record<string, unknown>): NativeContent[] {
  const content = item['content'];
  if (typeof content === 'string') return [{ type: 'input_text', text: content, imageUrl: undefined, kind: undefined }];
  const kinds = listAt(item['internal_chat_message_metadata_passthrough'], 'content_item_kinds');
  return listAt(item, 'content').map((part, index) => partOf(part, kinds[index]));
}

/** The parts of a call's output, which is a text, a list of parts, or (old) `{content}`. */
export function outputParts(output: unknown): NativeContent[] {
  if (typeof output === 'string') return [{ type: 'input_text', text: output, imageUrl: undefined, kind: undefined }];
  if (Array.isArray(output)) return output.map((part) => partOf(part, undefined));
  if (!isObject(output)) return [];
  return outputParts(output['content_items'] ?? output['content']);
}

function partOf(part: unknown, kind: unknown): NativeContent {
  return {
    type: stringAt(part, 'type') ?? 'none',
    text: stringAt(part, 'text'),
    imageUrl: stringAt(part, 'image_url'),
    kind: typeof kind === 'string' && kind !== 'unknown' ? kind : undefined,
  };
}

/**
 * The first line of a rollout, as far as its place among the others goes.
 *
 *     {"timestamp":"…","ordinal":108,"type":"session_meta","payload":{"session_id":"01a206d9…","id":"01a206d9…",…,
 *      "history_base":{"thread_id":"01a206d9…","end_ordinal_exclusive":108,"end_byte_offset":138600},…}}
 */
export interface Header {
  readonly threadId: string;
  /** The thread at the root of the tree: a sub-agent's differs from its own (0.143 and later). */
  readonly sessionId: string | undefined;
  /** The thread that started this sub-agent. */
  readonly spawnedBy: string | undefined;
  readonly forkedFrom: string | undefined;
  readonly base: HistoryBase | undefined;
}

/** Where a file goes on from: everything before `endOrdinal`, which is the first `endBytes` bytes, of another file. */
export interface HistoryBase {
  /** The id of a file, not of a thread: the segment's id where the file is a segment. */
  readonly rolloutId: string;
  readonly endOrdinal: number;
  readonly endBytes: number;
}

/** The header in a `session_meta` payload; `undefined` when it has no id. */
export function headerOf(meta: unknown): Header | undefined {
  const threadId = stringAt(meta, 'id');
  if (threadId === undefined) return undefined;
  const spawn = objectAt(objectAt(objectAt(meta, 'source'), 'subagent'), 'thread_spawn');
  return {
    threadId,
    sessionId: stringAt(meta, 'session_id'),
    spawnedBy: stringAt(meta, 'parent_thread_id') ?? stringAt(spawn, 'parent_thread_id'),
    forkedFrom: stringAt(meta, 'forked_from_id'),
    base: baseOf(objectAt(meta, 'history_base')),
  };
}

/** The `history_base` of a header. */
export function baseOf(base: unknown): HistoryBase | undefined {
  const rolloutId = stringAt(base, 'thread_id');
  const endOrdinal = countAt(base, 'end_ordinal_exclusive');
  const endBytes = countAt(base, 'end_byte_offset');
  return rolloutId === undefined || endOrdinal === undefined || endBytes === undefined
    ? undefined
    : { rolloutId, endOrdinal, endBytes };
}

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const fileName = new RegExp(
  `^rollout-(\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d)-(${uuid})(?:_(${uuid}))?\\.jsonl(\\.zst)?$`,
);

/** How the name of a rollout ends that Codex has compressed. */
export const packedEnd = '.zst';

/** What the name of a rollout file says. */
export interface RolloutName {
  /** Local time of the file's creation: `2026-11-23T05-18-37`. */
  readonly stamp: string;
  readonly threadId: string;
  /** The thread's id, or the segment's (after a rewind). */
  readonly rolloutId: string;
  readonly compressed: boolean;
}

/** `rollout-<stamp>-<threadId>[_<segmentId>].jsonl[.zst]`; `undefined` when the name is another. */
export function rolloutName(name: string): RolloutName | undefined {
  const match = fileName.exec(name);
  if (match === null) return undefined;
  const [, stamp, threadId, segmentId, compressed] = match;
  if (stamp === undefined || threadId === undefined) return undefined;
  return { stamp, threadId, rolloutId: segmentId ?? threadId, compressed: compressed !== undefined };
}
