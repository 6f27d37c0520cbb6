/**
 * What Gemini CLI writes, looked at leniently: nothing is assumed of a record before its fields have been checked.
 *
 * Dispatch follows the CLI's own loader (0.61.0): `$rewindTo`, then a string `id`, then `$set`, then `sessionId`.
 */

import { timeOf } from '../shared/time.ts';
import { sha256Hex } from '../../model/ids.ts';
import { isObject, listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';

/** A model's call as the CLI shows it, with its result once it is there. */
export interface NativeCall {
  readonly id: string | undefined;
  readonly name: string;
  readonly args: unknown;
  /** Parts, a string, or nothing yet. */
  readonly result: unknown;
  /** `success`, `error`, `cancelled`; also `validating`, `scheduled`, `executing`, `awaiting_approval`. */
  readonly status: string | undefined;
  readonly timestamp: string | undefined;
  /** The sub-agent an `invoke_agent` call ran. */
  readonly agentId: string | undefined;
  readonly resultDisplay: unknown;
}

/** One message: an entry of the log, of a checkpoint, or of a document. */
export interface NativeMessage {
  readonly id: string;
  /** `user`, `gemini` (`qwen` in its forks), `info`, `error`, `warning`. */
  readonly type: string;
  readonly timestamp: string | undefined;
  readonly parts: readonly NativePart[];
  /** What a person typed, where something else was sent. */
  readonly display: string | undefined;
  readonly thoughts: readonly NativeThought[];
  readonly tokens: Record<string, unknown> | undefined;
  readonly model: string | undefined;
  readonly calls: readonly NativeCall[];
}

/** A headline of the model's thinking; it has no signature. */
export interface NativeThought {
  readonly subject: string;
  readonly description: string;
}

/** One part of a `content`, as the Gemini API has it. */
export type NativePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thought'; readonly text: string; readonly signature: string | undefined }
  | { readonly kind: 'call'; readonly id: string | undefined; readonly name: string; readonly args: unknown }
  | {
      readonly kind: 'result';
      readonly id: string | undefined;
      readonly name: string;
      readonly response: unknown;
      readonly parts: readonly NativePart[];
    }
  | { readonly kind: 'data'; readonly mimeType: string; readonly data: string }
  | { readonly kind: 'other'; readonly part: Record<string, unknown> };

/**
 * A record by kind.
 *
 *     {"sessionId":"0a53…","projectHash":"5263…","startTime":"2026-11-23T06:23:08.731Z","lastUpdated":"…","kind":"main"}
 *     {"id":"8a44…","timestamp":"2026-11-23T06:23:08.761Z","type":"user","content":[{"text":"T1 plain please"}]}
 *     {"id":"304d…","timestamp":"…","type":"gemini","content":"Plain answer.","thoughts":[…],"tokens":{…},"model":"gemini-2.5-pro"}
 *     {"id":"ac65…","type":"gemini","content":"","toolCalls":[{"id":"read_file__read_file_1795_0","name":"read_file","args":{…},"result":[…]}]}
 *     {"id":"93fe…","type":"user","content":[{"functionResponse":{"id":"read_file__…","name":"read_file","response":{"output":"…"}}}]}
 *     {"id":"7184…","timestamp":"…","type":"info","content":"Request cancelled."}
 *     {"$set":{"lastUpdated":"2026-11-23T06:23:08.761Z"}}
 *     {"$set":{"summary":"Mock session title","memoryScratchpad":{"version":1}}}
 *     {"$set":{"messages":[{"id":"d049…","type":"user","content":[{"text":"<session_context>…"}]},…],"lastUpdated":"…"}}
 *     {"$rewindTo":"b6f5…"}
 */
export type NativeRecord =
  | { readonly kind: 'rewind'; readonly to: string }
  | { readonly kind: 'message'; readonly record: Record<string, unknown> }
  | { readonly kind: 'patch'; readonly fields: Record<string, unknown> }
  | { readonly kind: 'session'; readonly fields: Record<string, unknown> }
  | { readonly kind: 'snapshot'; readonly history: readonly unknown[] }
  | { readonly kind: 'other' };

/** What a record is, by the order of the CLI's loader. */
export function recordOf(value: unknown): NativeRecord {
  if (Array.isArray(value)) return { kind: 'snapshot', history: value };
  if (!isObject(value)) return { kind: 'other' };
  const to = value['$rewindTo'];
  if (typeof to === 'string') return { kind: 'rewind', to };
  if (typeof value['id'] === 'string') return { kind: 'message', record: value };
  const fields = objectAt(value, '$set');
  if (fields !== undefined) return { kind: 'patch', fields };
  if (typeof value['sessionId'] === 'string') return { kind: 'session', fields: value };
  const history = value['history'];
  return Array.isArray(history) ? { kind: 'snapshot', history } : { kind: 'other' };
}

/** A message with its fields looked at; `undefined` when it has no id, which the CLI needs. */
export function messageOf(value: unknown): NativeMessage | undefined {
  if (!isObject(value)) return undefined;
  const id = idOf(value) ?? (value['id'] === '' ? '' : undefined);
  if (id === undefined) return undefined;
  const display = value['displayContent'];
  return {
    id,
    type: stringAt(value, 'type') ?? '',
    timestamp: timeOf(value['timestamp']),
    parts: partsOf(value['content']),
    display: display === undefined || display === null ? undefined : textOfParts(partsOf(display)),
    thoughts: listAt(value, 'thoughts').flatMap(thoughtOf),
    tokens: objectAt(value, 'tokens'),
    model: stringAt(value, 'model'),
    calls: listAt(value, 'toolCalls').flatMap(callOf),
  };
}

/**
 * An entry of a named snapshot, `{"role":"user"|"model","parts":[…]}`, under the id it is given; `undefined` when it is none.
 */
export function snapshotMessageOf(value: unknown, id: string): NativeMessage | undefined {
  const role = stringAt(value, 'role');
  if (!isObject(value) || (role !== 'user' && role !== 'model')) return undefined;
  return {
    id,
    type: role === 'user' ? 'user' : 'gemini',
    timestamp: undefined,
    parts: partsOf(value['parts']),
    display: undefined,
    thoughts: [],
    tokens: undefined,
    model: undefined,
    calls: [],
  };
}

/** A `content` (a string, a part, or a list of both) as parts. */
export function partsOf(content: unknown): readonly NativePart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  if (Array.isArray(content)) return content.flatMap(partOf);
  return partOf(content);
}

/** All text of the parts that is not thinking, joined as the CLI joins it. */
export function textOfParts(parts: readonly NativePart[]): string {
  if (parts.length === 1 && parts[0]?.kind === 'text') return parts[0].text;
  let text = '';
  for (const part of parts) if (part.kind === 'text') text += part.text;
  return text;
}

function partOf(value: unknown): NativePart[] {
  if (typeof value === 'string') return value === '' ? [] : [{ kind: 'text', text: value }];
  if (!isObject(value)) return [];
  const text = value['text'];
  if (typeof text === 'string') {
    if (value['thought'] === true) return [{ kind: 'thought', text, signature: stringAt(value, 'thoughtSignature') }];
    return text === '' ? [] : [{ kind: 'text', text }];
  }
  const call = objectAt(value, 'functionCall');
  if (call !== undefined) {
    return [{ kind: 'call', id: idOf(call), name: stringAt(call, 'name') ?? 'unknown', args: call['args'] }];
  }
  const result = objectAt(value, 'functionResponse');
  if (result !== undefined) {
    return [
      {
        kind: 'result',
        id: idOf(result),
        name: stringAt(result, 'name') ?? 'unknown',
        response: result['response'],
        parts: partsOf(result['parts']),
      },
    ];
  }
  const data = objectAt(value, 'inlineData');
  if (data !== undefined && typeof data['data'] === 'string') {
    return [{ kind: 'data', mimeType: stringAt(data, 'mimeType') ?? 'application/octet-stream', data: data['data'] }];
  }
  return Object.keys(value).length === 0 ? [] : [{ kind: 'other', part: value }];
}

/** Longest id that is kept as it is: the decoder remembers ids, and its memory is bounded. */
const idLimit = 120;

function idOf(value: Record<string, unknown>): string | undefined {
  const id = stringAt(value, 'id');
  if (id === undefined || id.length <= idLimit) return id === '' ? undefined : id;
  return `${id.slice(0, idLimit - 33)}~${sha256Hex(id).slice(0, 32)}`;
}

function thoughtOf(value: unknown): NativeThought[] {
  const subject = stringAt(value, 'subject') ?? '';
  const description = stringAt(value, 'description') ?? '';
  return subject === '' && description === '' ? [] : [{ subject, description }];
}

function callOf(value: unknown): NativeCall[] {
  if (!isObject(value)) return [];
  return [
    {
      id: idOf(value),
      name: stringAt(value, 'name') ?? 'unknown',
      args: value['args'],
      result: value['result'],
      status: stringAt(value, 'status'),
      timestamp: timeOf(value['timestamp']),
      agentId: stringAt(value, 'agentId'),
      resultDisplay: value['resultDisplay'],
    },
  ];
}

/** Tokens of one answer as the CLI counts them: `input` includes `cached`, `output` excludes `thoughts`. */
export function tokenCount(tokens: Record<string, unknown>, name: string): number {
  return Math.max(0, Math.round(numberAt(tokens, name) ?? 0));
}
