/**
 * What Claude Code writes, as far as we look at it. A session is a file of JSON lines of two sorts: transcript rows, which
 * hang on one another by `uuid` and `parentUuid`, and side records, which speak of the whole session.
 *
 * Native data is `unknown` until a function of this file has looked at it.
 */

import { isObject, objectAt, stringAt } from '../../model/json.ts';

/**
 * The five kinds that form the tree.
 *
 *     {"parentUuid":null,"isSidechain":false,"type":"user","message":{"role":"user","content":"Hi"},"uuid":"9ef8…","timestamp":"2026-11-23T05:19:17.130Z",…}
 *     {"parentUuid":"9ef8…","isSidechain":false,"message":{"id":"msg_01…","role":"assistant","content":[{"type":"text","text":"…"}],…},"type":"assistant","uuid":"a30e…",…}
 *     {"parentUuid":"a30e…","isSidechain":false,"type":"system","subtype":"turn_duration","durationMs":386,"uuid":"554e…",…}
 *     {"parentUuid":"9ef8…","isSidechain":false,"attachment":{"type":"date","date":"…"},"type":"attachment","uuid":"307b…","rendered":[{"content":"…"}],…}
 *     {"parentUuid":"e908…","isSidechain":false,"type":"progress","data":{…},"toolUseID":"toolu_01…","uuid":"77aa…",…}
 */
export type RowType = 'user' | 'assistant' | 'system' | 'attachment' | 'progress';

/** A transcript row. Everything but its type is unchecked. */
export interface Row {
  readonly type: RowType;
  readonly [field: string]: unknown;
}

const rowTypes: ReadonlySet<unknown> = new Set<RowType>(['user', 'assistant', 'system', 'attachment', 'progress']);

/** Is this record a transcript row? */
export function isRow(record: Record<string, unknown>): record is Record<string, unknown> & Row {
  return rowTypes.has(record['type']);
}

/** Longest native id we follow; the tool's own have 36 characters (rows) and about 30 (calls). */
export const idLimit = 48;

/** An id short enough to be remembered; `undefined` for anything else. */
export function nativeId(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= idLimit ? value : undefined;
}

/** The row's own id. A prompt that was stored a second time is known to its children by the id it was first sent as. */
export function rowId(row: Row): string | undefined {
  return nativeId(row['sentAsUuid']) ?? nativeId(row['uuid']);
}

/**
 * The API message inside a `user` or `assistant` row: `content` is text or a list of blocks; `null` is content the tool
 * drops.
 *
 *     "message":{"role":"user","content":"Hi"}
 *     "message":{"id":"msg_01…","model":"claude-opus-5-5","content":[{"type":"tool_use",…}],"stop_reason":"tool_use","usage":{…}}
 */
export function contentOf(row: Row): string | readonly unknown[] | undefined {
  const content = objectAt(row, 'message')?.['content'];
  return typeof content === 'string' || Array.isArray(content) ? content : undefined;
}

/** The type of a content block, or of an attachment. */
export function typeOf(value: unknown): string {
  return stringAt(value, 'type') ?? '';
}

/** The text of something that is a string or a list of text blocks. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  const parts: string[] = [];
  for (const part of value) {
    const text = typeof part === 'string' ? part : stringAt(part, 'text');
    if (text !== undefined && text !== '') parts.push(text);
  }
  return parts.join('\n');
}

/**
 * What an attachment row put before the model, reminder tags included. Rows before 2.1.3xx have no `rendered` and keep
 * only the attachment's own fields.
 *
 *     "rendered":[{"content":"<system-reminder>\nCalled the Read tool …\n</system-reminder>"}],"renderedRole":"user"
 */
export function renderedText(row: Row): string {
  const rendered = row['rendered'];
  if (!Array.isArray(rendered)) return '';
  const parts: string[] = [];
  for (const part of rendered) {
    const text = plainText(isObject(part) ? part['content'] : part);
    if (text !== '') parts.push(text);
  }
  return parts.join('\n');
}
