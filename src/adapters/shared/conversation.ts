/** A live view as a conversation: prompts and responses, each call with its result. What every writer starts from. */

import { isKnown } from '../../model/block.ts';
import type { Block, ImageBlock, TextBlock, ThinkingBlock } from '../../model/block.ts';
import type { JsonObject } from '../../model/json.ts';
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

/**
 * Steps in order. Injected context, blank texts and blocks of unknown kind are left out and counted; a result without a
 * call is dropped, a call without a result gets one that says so, a call id used twice gets a suffix, all counted. What a
 * person says while a call runs comes after the response. Holds one response in memory.
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
      const response = message.metadata?.response_id;
      if (open !== undefined && (response === undefined || open.response !== response)) yield* close();
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

/** Is there a call whose result may still come? */
function isWaiting(open: OpenResponse): boolean {
  return open.waiting.values().some(({ result }) => result === undefined);
}

interface OpenResponse {
  readonly response: string | undefined;
  readonly first: Message;
  readonly parts: (ResponsePart | OpenCall)[];
  /** Calls waiting for a result, by the source's id. */
  readonly waiting: Map<string, OpenCall>;
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
        if (block.text.trim() === '') lose(losses, 'blank-text');
        else open.parts.push({ type: 'text', from: message.msg_id, text: block.text });
        break;
      case 'summary':
        open.parts.push({ type: 'text', from: message.msg_id, text: block.text });
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
          name: block.name,
          input: block.input,
          timestamp: message.timestamp,
          result: undefined,
        };
        open.parts.push(call);
        open.waiting.set(block.tool_use_id, call);
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
    else images.set(owner, [...(images.get(owner) ?? []), block]);
  }
  for (const block of message.content) {
    if (!isKnown(block) || block.type === 'image') continue;
    if (block.type !== 'tool_result') {
      lose(losses, `block-in-result:${block.type}`);
      continue;
    }
    const call = open?.waiting.get(block.tool_use_id);
    if (call === undefined || call.result !== undefined) {
      lose(losses, call === undefined ? 'result-without-call' : 'result-twice');
      continue;
    }
    call.result = {
      from: message.msg_id,
      timestamp: message.timestamp,
      text: block.content,
      isError: block.is_error === true,
      exitCode: block.exit_code ?? undefined,
      durationMs: block.duration_ms ?? undefined,
      images: images.get(block.tool_use_id) ?? [],
    };
  }
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
  else if (block.type === 'text' && block.text.trim() === '') lose(losses, 'blank-text');
  else if (block.type === 'text' || block.type === 'image') content.push(block);
  else if (block.type === 'summary') content.push({ type: 'text', text: block.text });
  else lose(losses, `block-in-prompt:${block.type}`);
}
