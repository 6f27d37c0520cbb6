/** What of a conversation a model gets to see, in numbers. */

import type { Message } from './message.ts';

/** Blocks of a live view by what they are. */
export interface Carried {
  user_texts: number;
  assistant_texts: number;
  thinking: number;
  calls: number;
  results: number;
  images: number;
}

/** Nothing counted yet. */
export function emptyCarried(): Carried {
  return { user_texts: 0, assistant_texts: 0, thinking: 0, calls: 0, results: 0, images: 0 };
}

/** Counts the blocks of one message; injected context does not count. */
export function countCarried(carried: Carried, message: Message): void {
  if (message.is_sidechain === true) return;
  for (const block of message.content) {
    if (block.type === 'text' && message.is_meta !== true && message.role === 'user') carried.user_texts += 1;
    else if (block.type === 'text' && message.role === 'assistant') carried.assistant_texts += 1;
    else if (block.type === 'thinking') carried.thinking += 1;
    else if (block.type === 'tool_use') carried.calls += 1;
    else if (block.type === 'tool_result') carried.results += 1;
    else if (block.type === 'image') carried.images += 1;
  }
}
