/** The content of answers, calls and results as our blocks, and the digests that name what was said. */

import type { Block, ThinkingBlock, ToolUseBlock } from '../../model/block.ts';
import { sha256Hex } from '../../model/ids.ts';
import { asJsonObject, isObject, stringAt } from '../../model/json.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Usage } from '../../model/message.ts';
import { partsOf, tokenCount } from './native.ts';
import type { NativeCall, NativeMessage, NativePart } from './native.ts';

/** One result of a call. */
export interface ResultContent {
  /** The call's id; `undefined` in recordings of sessions that had none. */
  readonly id: string | undefined;
  readonly name: string;
  readonly text: string;
  readonly isError: boolean;
  /** Images and other data, in order. */
  readonly data: readonly Block[];
}

/** 32 hex digits that name an answer's text. The CLI records it without comments and invisible characters, and trimmed. */
export function answerDigest(text: string): string {
  return digest('answer', tidyAnswer(text));
}

/** An answer's text as the CLI records it (0.61.0: `processStreamResponse`), whichever copy it comes from. */
export function tidyAnswer(text: string): string {
  let tidy = /[\u200B-\u200D\uFEFF\u200E\u200F]/.test(text)
    ? text.replaceAll(/[\u200B-\u200D\uFEFF\u200E\u200F]/g, '')
    : text;
  // What a removal joins may be a comment again.
  for (let pass = 0; pass < commentPasses && tidy.includes('<!--'); pass++) tidy = withoutComments(tidy);
  return tidy.trim();
}

const commentPasses = 8;

function withoutComments(text: string): string {
  const kept: string[] = [];
  let from = 0;
  for (let open = text.indexOf('<!--'); open >= 0; open = text.indexOf('<!--', from)) {
    const close = text.indexOf('-->', open + 4);
    if (close < 0) break;
    kept.push(text.slice(from, open));
    from = close + 3;
  }
  return kept.join('') + text.slice(from);
}

/** What names a set of calls made at once: their ids, which the CLI never gives twice. */
export function callsDigest(calls: readonly ToolUseBlock[]): string {
  return calls.map((call) => `${call.tool_use_id}\n${call.name}`).join('\u0001');
}

/** What names the result of a call; `text` only where it stands for another result of the same call. */
export function resultDigest(id: string, text: string | undefined): string {
  return text === undefined ? id : digest('result', `${id}\u0001${text}`);
}

/** 32 hex digits of a text of some kind. */
export function digest(kind: string, text: string): string {
  return sha256Hex(`${kind}\n${text}`).slice(0, 32);
}

/** The thinking of a message: from `thoughts`, or from parts marked as thought. */
export function thinkingOf(message: NativeMessage): readonly ThinkingBlock[] {
  if (message.thoughts.length > 0) {
    return message.thoughts.map(({ subject, description }) => ({
      type: 'thinking',
      text: subject === '' ? description : `**${subject}** ${description}`,
    }));
  }
  return message.parts.flatMap((part): ThinkingBlock[] => {
    if (part.kind !== 'thought' || part.text === '') return [];
    return [
      { type: 'thinking', text: part.text, ...(part.signature === undefined ? {} : { signature: part.signature }) },
    ];
  });
}

/** Images and other data in an answer. */
export function answerData(message: NativeMessage): readonly Block[] {
  return message.parts.flatMap(dataBlock);
}

/** Deepest call input that is taken over. */
const depthLimit = 200;

/** A call's input as an object; `undefined` when it is nested too deep to be carried. */
export function inputOf(args: unknown): JsonObject | undefined {
  if (args === undefined || args === null) return {};
  return isDeeper(args, depthLimit) ? undefined : asJsonObject(args);
}

function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  return Object.values(value).some((item) => isDeeper(item, limit - 1));
}

/** The result the CLI recorded with a call; `undefined` while there is none. */
export function callResult(call: NativeCall, id: string): ResultContent | undefined {
  if (call.result === undefined || call.result === null) return undefined;
  const failed = call.status === 'error' || call.status === 'cancelled';
  if (typeof call.result === 'string') return { id, name: call.name, text: call.result, isError: failed, data: [] };
  const parts = partsOf(call.result);
  const responses = parts.filter((part) => part.kind === 'result');
  const own = responses.find((part) => part.id === id) ?? (responses.length === 1 ? responses[0] : undefined);
  if (own === undefined) {
    const text = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
    return responses.length > 0 || parts.length === 0
      ? undefined
      : { id, name: call.name, text, isError: failed, data: parts.flatMap(dataBlock) };
  }
  const data = [...own.parts];
  const texts: string[] = [];
  for (let index = parts.indexOf(own) + 1; index < parts.length; index++) {
    const next = parts[index];
    if (next === undefined || next.kind === 'result') break;
    if (next.kind === 'text' && responses.length === 1) texts.push(next.text);
    else data.push(next);
  }
  const result = resultOf(own, data);
  return { ...result, id, text: [result.text, ...texts].join('\n'), isError: result.isError || failed };
}

/** The result a part states, with the data that stands beside it. */
export function resultOf(part: NativePart & { kind: 'result' }, data: readonly NativePart[]): ResultContent {
  const { text, isError } = responseText(part.response);
  return { id: part.id, name: part.name, text, isError, data: data.flatMap(dataBlock) };
}

function responseText(response: unknown): { readonly text: string; readonly isError: boolean } {
  if (typeof response === 'string') return { text: response, isError: false };
  if (!isObject(response))
    return { text: response === undefined || response === null ? '' : jsonText(response), isError: false };
  const output = response['output'];
  const error = response['error'];
  if (output !== undefined && output !== null)
    return { text: typeof output === 'string' ? output : jsonText(output), isError: false };
  if (error !== undefined && error !== null) {
    return { text: typeof error === 'string' ? error : (stringAt(error, 'message') ?? jsonText(error)), isError: true };
  }
  return { text: Object.keys(response).length === 0 ? '' : jsonText(response), isError: false };
}

/** JSON text; of a value nested deeper than the engine can write, a word. */
export function jsonText(value: unknown): string {
  if (isDeeper(value, depthLimit)) return '[nested too deep]';
  return JSON.stringify(value);
}

/** The exit code a shell result states in its last lines; `undefined` when it states none (0.61.0 states only failures). */
export function exitCodeOf(name: string, text: string): number | undefined {
  if (name !== 'run_shell_command') return undefined;
  const found = /(?:^|\n)Exit Code: (-?\d{1,9})(?:\n|$)/.exec(text.slice(-2000));
  return found?.[1] === undefined ? undefined : Number(found[1]);
}

/** Tokens of one answer in our terms; `undefined` when none are stated. */
export function usageOf(tokens: Record<string, unknown> | undefined): Usage | undefined {
  if (tokens === undefined) return undefined;
  const cached = tokenCount(tokens, 'cached');
  const thoughts = tokenCount(tokens, 'thoughts');
  return {
    input_tokens: Math.max(0, tokenCount(tokens, 'input') - cached) + tokenCount(tokens, 'tool'),
    output_tokens: tokenCount(tokens, 'output') + thoughts,
    cache_read_tokens: cached,
    cache_write_tokens: 0,
    reasoning_tokens: thoughts,
  };
}

/** Whose model it is, by its name. */
export function providerOf(model: string): string {
  if (/claude/i.test(model)) return 'anthropic';
  return /^(gpt|o\d|codex|chatgpt)/i.test(model) ? 'openai' : 'google';
}

/** Data of a part as a block: an image, or kept as it is. Text, thinking, calls and results are no data. */
export function dataBlock(part: NativePart): Block[] {
  if (part.kind === 'data') {
    if (part.mimeType.startsWith('image/')) {
      return [{ type: 'image', source: { type: 'base64', data: part.data, media_type: part.mimeType } }];
    }
    return [{ type: 'inline_data', media_type: part.mimeType, data: part.data }];
  }
  if (part.kind !== 'other' || isDeeper(part.part, depthLimit)) return [];
  return [{ type: 'gemini_part', part: part.part }];
}
