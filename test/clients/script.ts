/** The neutral script format: what the scripted model says, whichever tool asks. */

import type { ScriptCall } from '../../src/adapters/drive.ts';

/** One piece of a model reply. Consecutive calls of one reply are parallel calls. */
export type ScriptStep =
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  /** Last in a reply: the stream stays open and says no more until the client goes away. */
  | { readonly type: 'stall' }
  | { readonly type: 'call'; readonly call: ScriptCall };

/** One model response. */
export type ScriptReply = readonly ScriptStep[];

/**
 * What is said after a prompt that carries the turn's marker: reply 0 answers the prompt, reply n the n-th round of
 * tool results.
 */
export type ScriptTurn = {
  readonly name: string;
  /** What the user types; ends in the marker. */
  readonly prompt: string;
  readonly replies: readonly ScriptReply[];
  /** Words the turn's last request holds, for turns that go on by themselves when a sub-agent reports later. */
  readonly awaits?: string;
};

/** The words that tie a prompt to its turn, e.g. `[turn:tour]`. */
export function marker(name: string): string {
  return `[turn:${name}]`;
}

/** Names of all turns whose markers a text carries, in order. */
export function markersIn(text: string): readonly string[] {
  return [...text.matchAll(/\[turn:([a-z0-9-]+)\]/g)].map((match) => match[1] ?? '');
}

/** The last text of a turn: what the screen shows when it is over. */
export function finalText(turn: ScriptTurn): string {
  const texts = turn.replies.flat().flatMap((step) => (step.type === 'text' ? [step.text] : []));
  return texts.at(-1) ?? '';
}
