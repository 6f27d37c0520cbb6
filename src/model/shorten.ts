/** A large tool output as its head and tail. */

import type { Block } from './block.ts';
import { isKnown } from './block.ts';
import type { Message } from './message.ts';

/** Outputs longer than this, in UTF-16 units, are large. */
const largeLength = 4096;

/** How much of the head, and of the tail, stays. */
const keptLength = 1024;

/** A tool message with its large outputs cut and its images left out, and how many of each. */
export interface Shortened {
  readonly message: Message;
  readonly outputs: number;
  readonly images: number;
}

/** `undefined` when there is nothing large in it. `pointer` is the command that shows the whole. */
export function shorten(message: Message, pointer: string): Shortened | undefined {
  if (message.role !== 'tool' || !message.content.some((block) => block.type === 'tool_result')) return undefined;
  let outputs = 0;
  let images = 0;
  const content: Block[] = [];
  for (const block of message.content) {
    if (isKnown(block) && block.type === 'image') {
      images += 1;
    } else if (isKnown(block) && block.type === 'tool_result' && block.content.length > largeLength) {
      outputs += 1;
      content.push({ ...block, content: headAndTail(block.content, pointer) });
    } else content.push(block);
  }
  if (outputs + images === 0) return undefined;
  if (images === 0) return { message: { ...message, content }, outputs, images };
  const at = content.findLastIndex((block) => block.type === 'tool_result');
  const last = content[at];
  const said = images === 1 ? '1 image was' : `${images} images were`;
  if (last !== undefined && isKnown(last) && last.type === 'tool_result')
    content[at] = { ...last, content: `${last.content}\n[${said} left out to fit the budget; see: ${pointer}]` };
  const { result_images: _images, ...metadata } = message.metadata ?? {};
  return { message: { ...message, content, metadata }, outputs, images };
}

function headAndTail(text: string, pointer: string): string {
  const head = text.slice(0, keptLength).replace(/[\uD800-\uDBFF]$/, '');
  const tail = text.slice(-keptLength).replace(/^[\uDC00-\uDFFF]/, '');
  const left = text.length - head.length - tail.length;
  return `${head}\n[${left} characters left out to fit the budget; the whole output: ${pointer}]\n${tail}`;
}
