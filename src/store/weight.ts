/** What sessions take on the disk, and which part of them takes it. Bytes as `du` counts them. */

import { layout } from '../format/layout.ts';
import type { Weighed } from '../io/weigh.ts';
import { weigh } from '../io/weigh.ts';

/**
 * - `native`: the source's own bytes, as they are now.
 * - `older`: generations of those that the tool has overwritten or lost since.
 * - `messages`: the timeline, and the files made from it.
 * - `bookkeeping`: what capture keeps to go on.
 */
export interface SessionWeight {
  readonly native: number;
  readonly older: number;
  readonly messages: number;
  readonly checkpoints: number;
  readonly bookkeeping: number;
}

/** Nothing. */
export const noWeight: SessionWeight = { native: 0, older: 0, messages: 0, checkpoints: 0, bookkeeping: 0 };

/** Both together. */
export function addWeights(a: SessionWeight, b: SessionWeight): SessionWeight {
  return {
    native: a.native + b.native,
    older: a.older + b.older,
    messages: a.messages + b.messages,
    checkpoints: a.checkpoints + b.checkpoints,
    bookkeeping: a.bookkeeping + b.bookkeeping,
  };
}

/** All of it. */
export function totalOf({ native, older, messages, checkpoints, bookkeeping }: SessionWeight): number {
  return native + older + messages + checkpoints + bookkeeping;
}

/** Weighs a session directory. Throws `unreadable`. */
export function weighSession(folder: string): SessionWeight {
  const files = [...weigh(folder)];
  const newest = newestGenerations(files);
  const sum: { -readonly [Part in keyof SessionWeight]: number } = { ...noWeight };
  for (const { path, bytes } of files) sum[partOf(path, newest)] += bytes;
  return sum;
}

/** By file key. */
function newestGenerations(files: readonly Weighed[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const { path } of files) {
    const [part, key, generation] = path;
    if (part !== layout.native || key === undefined || generation === undefined || path.length !== 3) continue;
    newest.set(key, Math.max(newest.get(key) ?? 0, Number(generation)));
  }
  return newest;
}

function partOf([part, key, generation]: Weighed['path'], newest: ReadonlyMap<string, number>): keyof SessionWeight {
  if (part === layout.native)
    return generation !== undefined && Number(generation) < (newest.get(key ?? '') ?? 0) ? 'older' : 'native';
  if (part === layout.checkpoints) return 'checkpoints';
  if (part === undefined || part === 'meta') return 'bookkeeping';
  return 'messages';
}
