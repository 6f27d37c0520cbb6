/** About how many tokens a message costs a model. An estimate: every vendor counts in its own way, and none of them here. */

import type { Block } from './block.ts';
import { isKnown } from './block.ts';
import type { Message } from './message.ts';
import { goesAlong } from './message.ts';

/** Bytes of UTF-8 that count as one token. */
export const bytesPerToken = 4;

/** What an image counts, whatever its size: what the larger ones cost where vendors say. */
export const tokensPerImage = 1600;

/** What a message costs besides its content: who speaks, where it begins and ends. */
const tokensPerMessage = 4;

const utf8 = new TextEncoder();

/** A quarter of the UTF-8 bytes, rounded up. */
export function textTokens(text: string): number {
  return Math.ceil(utf8.encode(text).length / bytesPerToken);
}

/** Zero for what does not go along to another tool. */
export function messageTokens(message: Message): number {
  if (!goesAlong(message)) return 0;
  return message.content.reduce((sum, block) => sum + blockTokens(block), tokensPerMessage);
}

function blockTokens(block: Block): number {
  if (!isKnown(block)) return 0;
  switch (block.type) {
    // No writer hands reasoning on, and vendors leave that of earlier turns out themselves.
    case 'thinking':
      return 0;
    case 'text':
    case 'summary':
      return textTokens(block.text);
    case 'tool_use':
      return textTokens(block.name) + textTokens(JSON.stringify(block.input));
    case 'tool_result':
      return textTokens(block.content);
    case 'image':
      return tokensPerImage;
    default:
      return block satisfies never;
  }
}
