/** Picks the scripted reply to a request. A function of the request alone: arrival order and side requests cannot disturb it. */

import { createHash } from 'node:crypto';
import type { Drive, Scratch } from '../../../src/adapters/drive.ts';
import { markersIn, type ScriptStep, type ScriptTurn } from '../script.ts';
import type { HistoryItem } from './history.ts';
import type { WireStep } from './protocol.ts';

/** A chosen reply: which turn, after how many rounds of results, and what is said. `turn` is `undefined` without a known marker. */
export type Choice = {
  readonly turn: string | undefined;
  readonly round: number;
  /** True when this reply ends the turn. */
  readonly last: boolean;
  readonly steps: readonly WireStep[];
  /** Does the reply break off? */
  readonly stalls: boolean;
};

/**
 * The turn is the last marker in the last user text that has one; the reply's number is the count of rounds of results
 * since then. Calls a tool cannot make are left out, and replies that are empty then.
 */
export function choose(
  turns: ReadonlyMap<string, ScriptTurn>,
  history: readonly HistoryItem[],
  offered: ReadonlySet<string>,
  drive: Drive,
  scratch: Scratch,
): Choice {
  const start = history.findLastIndex((item) => item.kind === 'user' && knownMarker(turns, item.text) !== undefined);
  const prompt = history[start];
  const name = prompt?.kind === 'user' ? knownMarker(turns, prompt.text) : undefined;
  const turn = name === undefined ? undefined : turns.get(name);
  if (turn === undefined) return { turn: undefined, round: 0, last: true, steps: [unscripted], stalls: false };

  const since = history.slice(start + 1);
  const results = since.flatMap((item) => (item.kind === 'result' ? [item.text] : []));
  const sentence = (step: ScriptStep, id: string): WireStep | undefined => {
    if (step.type === 'stall') return undefined;
    if (step.type !== 'call') return { ...step, id };
    const call = drive.call(step.call, scratch, { results, offered });
    return call === undefined ? undefined : { type: 'call', call, id };
  };
  const replies = turn.replies
    .map((steps, reply) =>
      steps.flatMap((step, place) => sentence(step, idOf(turn.name, reply, place, history.length)) ?? []),
    )
    .filter((steps) => steps.length > 0);
  const round = rounds(since);
  const at = Math.min(round, replies.length - 1);
  const stalls = turn.replies[at]?.at(-1)?.type === 'stall';
  return { turn: turn.name, round, last: at === replies.length - 1, steps: replies[at] ?? [unscripted], stalls };
}

const unscripted: WireStep = { type: 'text', text: 'There is no script for this prompt.', id: 'unscripted' };

function knownMarker(turns: ReadonlyMap<string, ScriptTurn>, text: string): string | undefined {
  return markersIn(text).findLast((name) => turns.has(name));
}

/** Runs of results: parallel results are one round. Context between two results does not part them. */
function rounds(items: readonly HistoryItem[]): number {
  let count = 0;
  let within = false;
  for (const { kind } of items) {
    if (kind === 'result' && !within) count += 1;
    if (kind === 'result') within = true;
    if (kind === 'call' || kind === 'assistant') within = false;
  }
  return count;
}

/** 22 hex digits, so that ids are unique in a conversation and equal requests get equal replies. */
function idOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 22);
}
