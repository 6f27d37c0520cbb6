/** Content blocks of the Messages API as blocks of ours. */

import type { Block, ImageBlock, ToolResultBlock } from '../../model/block.ts';
import { isKnown } from '../../model/block.ts';
import { asJsonObject, isObject, objectAt, stringAt } from '../../model/json.ts';
import { typeOf } from './native.ts';

/**
 * What a person's or the tool's message holds, results of calls apart. Blank texts are left out.
 *
 *     [{"type":"text","text":"what is this?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO…"}}]
 */
export function promptBlocks(content: string | readonly unknown[]): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  const blocks: Block[] = [];
  for (const part of content) {
    if (typeof part === 'string') {
      if (part !== '') blocks.push({ type: 'text', text: part });
      continue;
    }
    if (typeOf(part) === 'tool_result') continue;
    const block = blockOf(part);
    if (block !== undefined) blocks.push(block);
  }
  return blocks;
}

/** What a model said. Texts that are blank are left out, as the tool leaves them out. */
export function answerBlocks(content: string | readonly unknown[]): Block[] {
  return promptBlocks(content).filter(
    (block) => block.type !== 'text' || (typeof block.text === 'string' && block.text.trim() !== ''),
  );
}

/**
 * One block; `undefined` when it is none or an empty text.
 *
 *     {"type":"thinking","thinking":"…","signature":"EvQB…"}   {"type":"redacted_thinking","data":"RU5D…"}
 *     {"type":"tool_use","id":"toolu_01…","name":"Bash","input":{"command":"ls"}}
 */
function blockOf(part: unknown): Block | undefined {
  if (!isObject(part)) return undefined;
  switch (part['type']) {
    case 'text': {
      const text = part['text'];
      return typeof text === 'string' && text !== '' ? { type: 'text', text } : undefined;
    }
    case 'thinking': {
      const text = stringAt(part, 'thinking') ?? '';
      const signature = stringAt(part, 'signature');
      return {
        type: 'thinking',
        text,
        ...(signature === undefined || signature === '' ? {} : { signature }),
        ...(text === '' ? { redacted: true } : {}),
      };
    }
    case 'redacted_thinking':
      return { type: 'thinking', text: '', signature: stringAt(part, 'data') ?? null, redacted: true };
    case 'tool_use':
      return {
        type: 'tool_use',
        tool_use_id: stringAt(part, 'id') ?? '',
        name: stringAt(part, 'name') ?? '',
        input: asJsonObject(part['input']),
      };
    case 'image':
      return imageOf(part);
    default:
      return otherBlock(part);
  }
}

/** A kind we have no shape for, verbatim; one that only looks like ours is wrapped so that it cannot be mistaken. */
function otherBlock(part: Record<string, unknown>): Block {
  const type = part['type'];
  const block: Block = { ...part, type: typeof type === 'string' && type !== '' ? type : 'unknown' };
  return isKnown(block) ? { type: 'unknown', value: part } : block;
}

/**
 * An image; `undefined` when it has no data.
 *
 *     {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO…"}}   …{"type":"url","url":"https://…"}
 */
export function imageOf(part: unknown): Block | undefined {
  const source = objectAt(part, 'source');
  const data = stringAt(source, 'data');
  const mediaType = stringAt(source, 'media_type');
  if (data !== undefined && data !== '') {
    return {
      type: 'image',
      source: { type: 'base64', data, ...(mediaType === undefined ? {} : { media_type: mediaType }) },
    };
  }
  const url = stringAt(source, 'url');
  if (url !== undefined && url !== '') return { type: 'image', source: { type: 'url', data: url } };
  return isObject(part) ? { type: 'unknown', value: part } : undefined;
}

/** Results of calls as one message's content. */
export interface Results {
  readonly content: (ToolResultBlock | Block)[];
  /** Block index → call, for the images. */
  readonly images: { [index: string]: string };
  /** Ids of the calls answered, as they stand in the file. */
  readonly calls: string[];
  /** Were all of them errors? */
  readonly failed: boolean;
  /** Names of parts that have no place in a result. */
  readonly lost: string[];
}

/**
 * The results in a row's content; `undefined` when it holds none.
 *
 *     [{"tool_use_id":"toolu_01…","type":"tool_result","content":"one","is_error":false}]
 */
export function resultsOf(content: string | readonly unknown[]): Results | undefined {
  if (typeof content === 'string') return undefined;
  const results = {
    content: [] as Block[],
    images: {} as { [index: string]: string },
    calls: [] as string[],
    failed: true,
    lost: [] as string[],
  };
  for (const part of content) {
    if (!isObject(part) || part['type'] !== 'tool_result') continue;
    const call = stringAt(part, 'tool_use_id') ?? '';
    const failed = part['is_error'] === true;
    const { text, images } = resultParts(part['content'], results.lost);
    const exitCode = failed ? exitCodeOf(text) : undefined;
    results.content.push({
      type: 'tool_result',
      tool_use_id: call,
      content: text,
      ...(failed ? { is_error: true } : {}),
      ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    });
    for (const image of images) {
      results.images[String(results.content.length)] = call;
      results.content.push(image);
    }
    results.calls.push(call);
    results.failed &&= failed;
  }
  return results.content.length === 0 ? undefined : results;
}

function resultParts(content: unknown, lost: string[]): { readonly text: string; readonly images: readonly Block[] } {
  if (typeof content === 'string') return { text: content, images: [] };
  if (!Array.isArray(content)) return { text: '', images: [] };
  const texts: string[] = [];
  const images: Block[] = [];
  for (const part of content) {
    const type = typeOf(part);
    if (type === 'text') texts.push(stringAt(part, 'text') ?? '');
    else if (type === 'tool_reference') texts.push(stringAt(part, 'tool_name') ?? '');
    else if (type === 'image') {
      const image = imageOf(part);
      if (image?.type === 'image') images.push(image as ImageBlock);
      else lost.push('result-part:image');
    } else if (typeof part === 'string') texts.push(part);
    else lost.push(`result-part:${type.slice(0, 40)}`);
  }
  return { text: texts.join('\n'), images };
}

/** The shell's status, which the tool writes in front of what a failed command printed: `Exit code 3\noops`. */
function exitCodeOf(text: string): number | undefined {
  if (!text.startsWith('Exit code ')) return undefined;
  const code = Number.parseInt(text.slice(10, 16), 10);
  return Number.isNaN(code) ? undefined : code;
}
