/** A live view as a conversation: prompts and responses, each call with its result. What every writer starts from. */

import { isKnown } from '../../model/block.ts';
import type { Block, ImageBlock, TextBlock, ThinkingBlock } from '../../model/block.ts';
import { isObject } from '../../model/json.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { goesAlong } from '../../model/message.ts';
import type { Message, Usage } from '../../model/message.ts';
import type { Losses } from '../adapter.ts';

/** What a person (or a summary standing for earlier turns) said to the model. */
export interface Prompt {
  readonly kind: 'prompt';
  /** The message it was made from. */
  readonly from: string;
  readonly timestamp: string;
  readonly turnId: string | undefined;
  /** Not empty; texts are not blank. */
  readonly content: readonly (TextBlock | ImageBlock)[];
  /** A compaction's summary, not a person's words. */
  readonly isSummary: boolean;
}

/** One answer of the model with the calls it made and what they gave. */
export interface Response {
  readonly kind: 'response';
  readonly from: string;
  readonly timestamp: string;
  readonly turnId: string | undefined;
  readonly model: string | undefined;
  readonly usage: Usage | undefined;
  readonly interrupted: boolean;
  /** In the order the model made them; not empty. */
  readonly parts: readonly ResponsePart[];
}

/** One part of a response and the message it was made from. */
export type ResponsePart =
  | { readonly type: 'text'; readonly from: string; readonly text: string }
  | { readonly type: 'thinking'; readonly from: string; readonly block: ThinkingBlock }
  | Call;

/** A call with its result. */
export interface Call {
  readonly type: 'call';
  readonly from: string;
  /** The source's id; unique within the conversation. */
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
  readonly result: Result;
}

/** What a call gave. Where nothing was recorded the text says so and `isError` is set. */
export interface Result {
  /** The message it was made from; `undefined` when nothing was recorded. */
  readonly from: string | undefined;
  readonly timestamp: string;
  readonly text: string;
  readonly isError: boolean;
  readonly exitCode: number | undefined;
  readonly durationMs: number | undefined;
  readonly images: readonly ImageBlock[];
}

/** One step of a conversation. */
export type Step = Prompt | Response;

/** Counts one loss by name. */
export function lose(losses: Losses, name: string, times = 1): void {
  losses.set(name, (losses.get(name) ?? 0) + times);
}

/** The text of a call nobody answered. */
export const missingResult = '[no result was recorded]';

/** Longest address of an image that is said in its place, in UTF-16 units. */
const addressLimit = 500;

/** What is said in place of an image the target does not take. The caller counts it: {@link imageLoss}. */
export function wordFor({ source: { type, data, media_type: mediaType } }: ImageBlock): string {
  const what = type === 'base64' ? (mediaType ?? 'of no type') : data.slice(0, addressLimit).toWellFormed();
  return `[image left out: ${what}]`;
}

/** The name of that loss: `image:image/tiff`, `image:url`, `image:path`. */
export function imageLoss({ source: { type, media_type: mediaType } }: ImageBlock): string {
  return `image:${type === 'base64' ? (mediaType ?? 'untyped') : type}`;
}

/**
 * Steps in order. Injected context, blank texts and blocks of unknown kind are left out and counted; a result without a
 * call is dropped, a call without a result gets one that says so, a call id used twice gets a suffix, all counted. What a
 * person says while a call runs comes after the response. Half a character (a lone surrogate), which no service takes,
 * becomes U+FFFD, counted for each text; only thinking comes as it is. An image whose type nobody stated gets the one its first
 * bytes tell. Holds one response in memory.
 */
export function* conversation(messages: Iterable<Message>, losses: Losses): Generator<Step> {
  const ids = new Map<string, number>();
  let open: OpenResponse | undefined;
  let held: Prompt[] = [];
  const close = function* (): Generator<Step> {
    const done = open === undefined ? undefined : finish(open, losses);
    const after = held;
    open = undefined;
    held = [];
    if (done !== undefined) yield done;
    yield* after;
  };
  for (const message of messages) {
    if (message.is_sidechain === true) {
      lose(losses, 'sub-agent-message');
    } else if (message.role === 'tool') {
      collectResults(open, message, losses);
    } else if (message.role === 'assistant') {
      if (open !== undefined && !goesOn(open, message, held.length > 0)) yield* close();
      open ??= newResponse(message);
      collectParts(open, message, ids, losses);
    } else {
      const prompt = promptOf(message, losses);
      if (prompt === undefined) continue;
      if (open !== undefined && isWaiting(open)) held.push(prompt);
      else {
        yield* close();
        yield prompt;
      }
    }
  }
  yield* close();
}

/**
 * Is this a part of the open response? Where nobody says which response it belongs to it is while results are to come, unless
 * a person spoke in between: no model answers before it has them.
 */
function goesOn(open: OpenResponse, message: Message, isInterposed: boolean): boolean {
  const response = message.metadata?.response_id;
  if (response !== open.response) return false;
  return response !== undefined || (isWaiting(open) && !isInterposed);
}

/** Is there a call whose result may still come? */
function isWaiting(open: OpenResponse): boolean {
  return open.waiting.values().some((calls) => calls.some(({ result }) => result === undefined));
}

interface OpenResponse {
  readonly response: string | undefined;
  readonly first: Message;
  readonly parts: (ResponsePart | OpenCall)[];
  /** Its calls by the source's id, in order. */
  readonly waiting: Map<string, OpenCall[]>;
  usage: Usage | undefined;
  interrupted: boolean;
}

interface OpenCall {
  readonly type: 'open-call';
  readonly from: string;
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
  readonly timestamp: string;
  result: Result | undefined;
}

function newResponse(message: Message): OpenResponse {
  return {
    response: message.metadata?.response_id,
    first: message,
    parts: [],
    waiting: new Map(),
    usage: undefined,
    interrupted: false,
  };
}

function collectParts(open: OpenResponse, message: Message, ids: Map<string, number>, losses: Losses): void {
  if (message.usage !== undefined && message.usage !== null) open.usage = message.usage;
  if (message.stop_reason === 'interrupted') open.interrupted = true;
  for (const block of message.content) {
    if (!isKnown(block)) {
      lose(losses, `block:${block.type}`);
      continue;
    }
    switch (block.type) {
      case 'text':
      case 'summary':
        if (block.text.trim() === '') lose(losses, 'blank-text');
        else open.parts.push({ type: 'text', from: message.msg_id, text: whole(block.text, losses) });
        break;
      case 'thinking':
        open.parts.push({ type: 'thinking', from: message.msg_id, block });
        break;
      case 'tool_use': {
        const times = (ids.get(block.tool_use_id) ?? 0) + 1;
        ids.set(block.tool_use_id, times);
        if (times > 1) lose(losses, 'call-id-used-twice');
        const id = times === 1 ? block.tool_use_id : `${block.tool_use_id}~${times}`;
        const call: OpenCall = {
          type: 'open-call',
          from: message.msg_id,
          id,
          name: whole(block.name, losses),
          input: wholeInput(block.input, losses),
          timestamp: message.timestamp,
          result: undefined,
        };
        open.parts.push(call);
        open.waiting.set(block.tool_use_id, [...(open.waiting.get(block.tool_use_id) ?? []), call]);
        break;
      }
      case 'image':
        lose(losses, 'image-in-answer');
        break;
      case 'tool_result':
        lose(losses, 'result-without-call');
        break;
      default:
        block satisfies never;
    }
  }
}

function collectResults(open: OpenResponse | undefined, message: Message, losses: Losses): void {
  const owners = message.metadata?.result_images ?? {};
  let last: string | undefined;
  const images = new Map<string, ImageBlock[]>();
  for (const [index, block] of message.content.entries()) {
    if (block.type === 'tool_result' && typeof block.tool_use_id === 'string') last = block.tool_use_id;
    if (!isKnown(block) || block.type !== 'image') continue;
    const owner = owners[String(index)] ?? last;
    if (owner === undefined) lose(losses, 'image-without-call');
    else images.set(owner, [...(images.get(owner) ?? []), typed(block)]);
  }
  for (const block of message.content) {
    if (!isKnown(block) || block.type === 'image') continue;
    if (block.type !== 'tool_result') {
      lose(losses, `block-in-result:${block.type}`);
      continue;
    }
    const calls = open?.waiting.get(block.tool_use_id);
    const call = calls?.find(({ result }) => result === undefined);
    if (call === undefined) {
      lose(losses, calls === undefined ? 'result-without-call' : 'result-twice');
      continue;
    }
    call.result = {
      from: message.msg_id,
      timestamp: message.timestamp,
      text: whole(block.content, losses),
      isError: block.is_error === true,
      exitCode: block.exit_code ?? undefined,
      durationMs: block.duration_ms ?? undefined,
      images: images.get(block.tool_use_id) ?? [],
    };
    images.delete(block.tool_use_id);
  }
  for (const left of images.values()) lose(losses, 'image-without-call', left.length);
}

/** The text without half characters, counted as one loss. */
export function whole(text: string, losses: Losses): string {
  if (text.isWellFormed()) return text;
  lose(losses, 'half-character');
  return text.toWellFormed();
}

/** How the bytes of images begin, in base64. */
const beginnings = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
] as const;

function typed(block: ImageBlock): ImageBlock {
  const { type, data, media_type: mediaType } = block.source;
  if (type !== 'base64' || mediaType != null) return block;
  const found = beginnings.find(([beginning]) => data.startsWith(beginning))?.[1];
  return found === undefined ? block : { ...block, source: { type, data, media_type: found } };
}

/** Deepest input that is written. */
const depthLimit = 200;

/** The input without half characters, one loss however many it has; of one nested too deep nothing. */
function wholeInput(input: JsonObject, losses: Losses): JsonObject {
  switch (soundness(input, depthLimit)) {
    case 'sound':
      return input;
    case 'halves':
      lose(losses, 'half-character');
      // Made of an object, it is one.
      return wholeValue(input) as JsonObject;
    case 'too deep':
      lose(losses, 'call-input');
      return {};
  }
}

/** What the worst of a value is. */
function soundness(value: unknown, levels: number): 'sound' | 'halves' | 'too deep' {
  if (typeof value === 'string') return value.isWellFormed() ? 'sound' : 'halves';
  if (typeof value !== 'object' || value === null) return 'sound';
  if (levels === 0) return 'too deep';
  let worst: 'sound' | 'halves' = 'sound';
  for (const [key, item] of Object.entries(value)) {
    const one = soundness(item, levels - 1);
    if (one === 'too deep') return one;
    if (one === 'halves' || !key.isWellFormed()) worst = 'halves';
  }
  return worst;
}

function wholeValue(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wholeValue);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), wholeValue(item as Json)]));
}

function finish(open: OpenResponse, losses: Losses): Response | undefined {
  const parts = open.parts.map((part): ResponsePart => {
    if (part.type !== 'open-call') return part;
    if (part.result === undefined) lose(losses, 'call-without-result');
    const result = part.result ?? {
      from: undefined,
      timestamp: part.timestamp,
      text: missingResult,
      isError: true,
      exitCode: undefined,
      durationMs: undefined,
      images: [],
    };
    return { type: 'call', from: part.from, id: part.id, name: part.name, input: part.input, result };
  });
  if (parts.length === 0) return undefined;
  return {
    kind: 'response',
    from: open.first.msg_id,
    timestamp: open.first.timestamp,
    turnId: open.first.turn_id ?? undefined,
    model: open.first.model ?? undefined,
    usage: open.usage,
    interrupted: open.interrupted,
    parts,
  };
}

function promptOf(message: Message, losses: Losses): Prompt | undefined {
  if (!goesAlong(message)) {
    lose(losses, 'injected-context');
    return undefined;
  }
  const content: (TextBlock | ImageBlock)[] = [];
  for (const block of message.content) collectPromptBlock(block, content, losses);
  if (content.length === 0) return undefined;
  return {
    kind: 'prompt',
    from: message.msg_id,
    timestamp: message.timestamp,
    turnId: message.turn_id ?? undefined,
    content,
    isSummary: message.content.some((block) => block.type === 'summary'),
  };
}

function collectPromptBlock(block: Block, content: (TextBlock | ImageBlock)[], losses: Losses): void {
  if (!isKnown(block)) lose(losses, `block:${block.type}`);
  else if (block.type === 'image') content.push(typed(block));
  else if (block.type === 'text' || block.type === 'summary') {
    if (block.text.trim() === '') lose(losses, 'blank-text');
    else content.push({ type: 'text', text: whole(block.text, losses) });
  } else lose(losses, `block-in-prompt:${block.type}`);
}
