/**
 * What a person's tools write, made up from a seed, with books kept of what could be read in it at each moment. Nothing in it
 * asks a reader of the project: what is expected is known because it was made so.
 */

import type { Random } from '../../../bench/corpus/random.ts';

/** Something said: its words are found nowhere else in the world. */
export interface Said {
  readonly text: string;
  readonly role: 'user' | 'assistant';
  /** What the tool calls it, where the format says that messages keep it. */
  readonly id: string;
}

/** Native bytes as they are to be kept. */
export interface KeptBytes {
  /** The folder below `native/`. */
  readonly key: string;
  readonly bytes: Buffer;
  /** `whole`: what is kept ends with these bytes; `log`: it is these bytes, up to the end of what was whole. */
  readonly kind: 'log' | 'whole';
}

/** One session of a tool, as it lies there now. */
export interface NativeSession {
  readonly nativeId: string;
  /** Where: while it is moved it may be found at neither place. */
  readonly place: string;
  /** What can be read of it, in order. Nothing: there is no such session. */
  readonly said: readonly Said[];
  files(): readonly KeptBytes[];
  /** Rows as the tool has them; for sessions in a database. */
  readonly rows: readonly unknown[];
  /** Half a line stands somewhere before its end: who follows whom is not told then. */
  readonly isTorn: boolean;
}

/** Everything one tool has on the machine. */
export interface World {
  readonly adapter: string;
  /** Log, document or database, for the table of runs. */
  readonly kind: string;
  /** All of them, or the ones begun last. */
  sessions(last?: number): readonly NativeSession[];
  /** The tool goes on, or something happens to its files; what it was. */
  act(random: Random): string;
  /** Ends what is open. */
  close(): void;
}

/** How much there is of a world. */
export interface Size {
  /** Sessions, at most. */
  readonly most: number;
  /** The ones begun last are those that go on. */
  readonly active: number;
  /** How likely each act begins one. */
  readonly begins: number;
  /** Files get times of a clock of their own, and so never two the same; else the machine's. */
  readonly ownTimes: boolean;
}

/** What fits a run of a few captures. */
export const small: Size = { most: 4, active: 4, begins: 0.05, ownTimes: true };
