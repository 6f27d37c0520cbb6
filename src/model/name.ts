/** Names that people give: of checkpoints and aliases, which become names of folders and words of commands; and titles. */

import { titleLimit } from './title.ts';

/** Longest name of a checkpoint or an alias. */
export const nameLimit = 100;

/** Why it is no name; `undefined` when it is one: letters, digits, `.`, `_` and `-`, the first a letter or digit. */
export function wrongName(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > nameLimit) return `it has ${text.length} characters, ${nameLimit} at most are allowed`;
  if (!/^[A-Za-z0-9]/.test(text)) return 'it does not begin with a letter or digit';
  if (!/^[A-Za-z0-9._-]+$/.test(text)) return 'it holds more than letters, digits, ".", "_" and "-"';
  if (text.includes('..')) return 'it holds ".."';
  return undefined;
}

/** Why it is no title; `undefined` when it is one: one line of text. */
export function wrongTitle(text: string): string | undefined {
  if (text.trim() === '') return 'it is empty';
  if (text.length > titleLimit) return `it has ${text.length} characters, ${titleLimit} at most are allowed`;
  if (/[\p{Cc}\u2028\u2029]/u.test(text)) return 'it holds a line end or a control character';
  return undefined;
}

/** Why it is no tag; `undefined` when it is one: one line without commas. */
export function wrongTag(text: string): string | undefined {
  if (text.trim() === '' || text !== text.trim()) return 'it is empty or has blanks around it';
  if (text.length > nameLimit) return `it has ${text.length} characters, ${nameLimit} at most are allowed`;
  if (/[\p{Cc}\u2028\u2029,]/u.test(text)) return 'it holds a comma, a line end or a control character';
  if (text.startsWith('-')) return 'it begins with a dash';
  return undefined;
}
