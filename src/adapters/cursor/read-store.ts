/** Reads the records that `stores.ts` makes of a chat of Cursor's command line. */

import { isKnown } from '../../model/block.ts';
import type { Block } from '../../model/block.ts';
import { asJsonObject, isObject, listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import type { Message } from '../../model/message.ts';
import type { Disposition, Given } from '../adapter.ts';
import { filesOf } from './calls.ts';
import { isoOf } from './native.ts';
import { partsOf } from './stores.ts';

/** What is known while such a chat is read. */
export interface StoreState {
  /** The last time that was told. */
  time: string | null;
  chatModel: string | null;
  /** The message it ends with. */
  last: string | null;
}

/** Decodes one record; the contract's `decode`. */
export function readStore(record: unknown, state: StoreState, given: Given): Disposition {
  const store = objectAt(record, 'store');
  if (store !== undefined) return readAbout(record, store, state, given);
  const id = stringAt(record, 'said');
  if (id === undefined || id === '') {
    given.sink.loss('unknown:record');
    return 'unknown';
  }
  const parent = standsFor(stringAt(record, 'after') ?? null, given);
  const message = objectAt(record, 'message');
  const role = stringAt(message, 'role');
  if (message === undefined || (role !== 'user' && role !== 'assistant' && role !== 'tool')) {
    given.sink.loss(message === undefined ? 'missing-message' : 'unknown:message');
    passOver(id, parent, given);
    return message === undefined ? 'state' : 'unknown';
  }
  state.time = stringAt(record, 'at') ?? state.time;
  const isSummary = isObject(record) && record['summary'] === true;
  const isContext = isObject(record) && record['context'] === true;
  const content = isSummary ? summaryOf(message) : blocksOf(message, role, given);
  if (content.length === 0) {
    passOver(id, parent, given);
    return 'state';
  }
  const model = stringAt(objectAt(objectAt(message, 'providerOptions'), 'cursor'), 'modelName') ?? state.chatModel;
  const turn = stringAt(objectAt(objectAt(message, 'providerOptions'), 'cursor'), 'requestId');
  const said: Message = {
    msg_id: id,
    parent_msg_id: parent,
    role: isContext ? 'developer' : role,
    content,
    timestamp: state.time ?? given.fallbackTime,
    ...(turn === undefined ? {} : { turn_id: turn }),
    ...(role === 'assistant' && model !== null ? { model } : {}),
    ...(isContext || isSummary || isWrittenSummary(message) ? { is_meta: true } : {}),
    metadata: {
      ...(isObject(record) && record['stated'] === true ? {} : { timestamp_estimated: true }),
      ...(role === 'assistant' ? { response_id: id } : {}),
      ...(isSummary ? { live_only: true } : {}),
      ...(role === 'tool' ? ownersOf(content) : {}),
    },
  };
  const isNew = !given.lookup.has(id);
  given.sink.message(said);
  if (isSummary && parent !== null) given.sink.live({ op: 'replace', at: parent, with: [id] });
  if (!isSummary && !isContext) given.sink.key(`b:${id}`, id);
  return isNew ? 'message' : 'duplicate';
}

function readAbout(record: unknown, store: Record<string, unknown>, state: StoreState, given: Given): Disposition {
  const created = numberAt(store, 'createdAt');
  const createdAt = isoOf(created);
  const title = stringAt(store, 'name');
  const folder = stringAt(record, 'folder');
  state.last = stringAt(record, 'last') ?? null;
  state.time ??= createdAt ?? null;
  state.chatModel = stringAt(store, 'lastUsedModel') ?? state.chatModel;
  given.sink.fact({
    interface: 'cli',
    ...(createdAt === undefined ? {} : { createdAt }),
    // What a chat is called before it has a name.
    ...(title === undefined || title.trim() === '' || title === 'New Agent'
      ? {}
      : { title: { text: title, by: 'model' } }),
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  return 'fact';
}

function summaryOf(message: Record<string, unknown>): Block[] {
  const text = partsOf(message).map(textOf).join('\n');
  return text.trim() === '' ? [] : [{ type: 'summary', text }];
}

function blocksOf(message: Record<string, unknown>, role: 'user' | 'assistant' | 'tool', given: Given): Block[] {
  return partsOf(message).flatMap((part): Block[] => {
    const type = stringAt(part, 'type');
    switch (type) {
      case 'text': {
        const text = role === 'user' ? queryOf(textOf(part)) : textOf(part);
        return text.trim() === '' ? [] : [{ type: isWrittenSummary(message) ? 'summary' : 'text', text }];
      }
      case 'reasoning': {
        const signature = stringAt(part, 'signature');
        return [{ type: 'thinking', text: textOf(part), ...(signature === undefined ? {} : { signature }) }];
      }
      case 'redacted-reasoning':
        return [{ type: 'thinking', text: '', signature: stringAt(part, 'data') ?? null, redacted: true }];
      case 'image':
        return imageOf(part, given);
      case 'tool-call':
        return callOf(part, given);
      case 'tool-result':
        return resultOf(part, given);
      default:
        given.sink.loss(`part:${(type ?? 'unknown').slice(0, 40)}`);
        return [];
    }
  });
}

/** A summary that SessionFS has written as a prompt. */
function isWrittenSummary(message: unknown): boolean {
  return objectAt(objectAt(message, 'providerOptions'), 'sessionfs')?.['isSummary'] === true;
}

function textOf(part: unknown): string {
  return stringAt(part, 'text') ?? '';
}

/** A person's words without the marks around them and the context before. */
function queryOf(text: string): string {
  const whole = /^<user_query>\n([\s\S]*)\n<\/user_query>$/.exec(text)?.[1];
  return whole ?? /<user_query>\n?([\s\S]*?)\n?<\/user_query>/.exec(text)?.[1] ?? text;
}

function callOf(part: unknown, given: Given): Block[] {
  const id = stringAt(part, 'toolCallId');
  const name = stringAt(part, 'toolName');
  if (id === undefined || name === undefined || !isObject(part)) {
    given.sink.loss('unknown:part');
    return [];
  }
  const input = asJsonObject(part['args'] ?? {});
  const files = filesOf(name, input);
  if (files.length > 0) given.sink.fact({ files });
  return [{ type: 'tool_use', tool_use_id: id, name, input }];
}

/** Images stand beside the text that says the same without them (`experimental_content`). */
function resultOf(part: unknown, given: Given): Block[] {
  const id = stringAt(part, 'toolCallId');
  if (id === undefined || !isObject(part)) return [];
  const { result, isError } = part;
  const images = listAt(part, 'experimental_content').filter((one) => stringAt(one, 'type') === 'image');
  return [
    {
      type: 'tool_result',
      tool_use_id: id,
      content: typeof result === 'string' ? result : result === undefined ? '' : JSON.stringify(result),
      ...(isError === true ? { is_error: true } : {}),
    },
    ...images.flatMap((image) => imageOf(image, given)),
  ];
}

/** Which call each image of these blocks is of, by its place. */
function ownersOf(content: readonly Block[]): { readonly result_images?: { readonly [index: string]: string } } {
  const owners: { [index: string]: string } = {};
  let call: string | undefined;
  for (const [index, block] of content.entries()) {
    if (isKnown(block) && block.type === 'tool_result') call = block.tool_use_id;
    if (block.type === 'image' && call !== undefined) owners[String(index)] = call;
  }
  return Object.keys(owners).length === 0 ? {} : { result_images: owners };
}

/** Bytes stand as `{"__type":"Uint8Array","hex":"89504e…"}`, else as base64 or an address. */
function imageOf(part: unknown, given: Given): Block[] {
  const image = isObject(part) ? (part['image'] ?? part['data']) : undefined;
  const media = stringAt(part, 'mediaType') ?? stringAt(part, 'mimeType') ?? 'image/png';
  const hex = stringAt(image, 'hex');
  if (hex !== undefined)
    return [
      {
        type: 'image',
        source: { type: 'base64', data: Buffer.from(hex, 'hex').toString('base64'), media_type: media },
      },
    ];
  if (typeof image !== 'string' || image === '') {
    given.sink.loss('image');
    return [];
  }
  const type = /^https?:/.test(image) ? 'url' : 'base64';
  return [{ type: 'image', source: { type, data: image.replace(/^data:[^,]*,/, ''), media_type: media } }];
}

function standsFor(said: string | null, given: Given): string | null {
  return (said === null ? undefined : given.lookup.id(`b:${said}`)) || null;
}

function passOver(said: string, parent: string | null, given: Given): void {
  given.sink.key(`b:${said}`, parent ?? '');
}
