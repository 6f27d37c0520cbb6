/** A title from what a person typed, for sessions nobody named. */

import type { Message } from './message.ts';
import { isHuman, textOf } from './message.ts';

/** Longest title in UTF-16 units. */
export const titleLimit = 80;

/**
 * The first usable line of a person's prompt, cut at a word; `undefined` when the message is not a person's or holds
 * nothing to name a session by (only markup, a command, a fenced block, an image).
 */
export function titleFrom(message: Message): string | undefined {
  if (!isHuman(message)) return undefined;
  let fenced = false;
  for (const raw of textOf(message).split('\n')) {
    const line = raw.trim();
    if (line.startsWith('```') || line.startsWith('~~~')) {
      fenced = !fenced;
      continue;
    }
    if (fenced || !isUsable(line)) continue;
    return cut(plain(line));
  }
  return undefined;
}

/** A title somebody else made, on one line and within {@link titleLimit}; `undefined` when nothing is left. */
export function tidyTitle(text: string): string | undefined {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line === '' ? undefined : cut(line);
}

/** Three letters or digits at least, and not the start of markup, a rule or a pasted tag. */
function isUsable(line: string): boolean {
  if (/^(<[^>]+>|-{3,}|={3,}|\/[a-z][\w:-]*$|\[(Request|System|Tool|Image)\b)/i.test(line)) return false;
  return (line.match(/[\p{L}\p{N}]/gu) ?? []).length >= 3 || /[\p{Lo}]{2}/u.test(line);
}

function plain(line: string): string {
  return line
    .replace(/^(#{1,6}|[-*>])\s+/, '')
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
}

function cut(line: string): string {
  if (line.length <= titleLimit) return line;
  const head = line.slice(0, titleLimit - 1);
  const space = head.lastIndexOf(' ');
  return `${(space > titleLimit / 2 ? head.slice(0, space) : head).replace(/[\uD800-\uDBFF]$/, '').trimEnd()}…`;
}
