/** What a model request holds, in words that are the same for every wire protocol. */

/**
 * One piece of a conversation, in the order the model sees it. `context` is what a tool adds by itself: reminders,
 * environment, instructions. `image` stands right after what it belongs to. Thinking is not listed: its signature is
 * only valid for its own vendor, so it may legitimately be left out.
 */
export type HistoryItem =
  | { readonly kind: 'user'; readonly text: string }
  | { readonly kind: 'assistant'; readonly text: string }
  | { readonly kind: 'call'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly kind: 'result'; readonly id: string; readonly text: string; readonly isError?: boolean }
  | { readonly kind: 'image' }
  | { readonly kind: 'context'; readonly text: string };

/** Cuts a tool's own additions from a text of role `user`; see `Drive.spoken`. */
export type Spoken = (text: string) => string;

/** A user text as history: what was said, or context when nothing of it was. */
export function userItem(text: string, spoken: Spoken): HistoryItem {
  const said = spoken(text);
  return said === '' ? { kind: 'context', text } : { kind: 'user', text: said };
}
