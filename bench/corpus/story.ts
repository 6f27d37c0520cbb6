/** What a session is to be like, the same for every tool. */

import type { Random } from './random.ts';
import type { Text } from './text.ts';

/** One session to be written. */
export interface Story {
  readonly random: Random;
  readonly text: Text;
  /** Native bytes wanted; a session has at least one turn, however long that is. */
  readonly bytes: number;
  /** A prompt and an answer, no calls. */
  readonly isBrief: boolean;
  /** Never resumed. */
  readonly isUnbroken: boolean;
  /** Characters of every prompt; drawn when `undefined`. */
  readonly promptSize: number | undefined;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  /** Absolute path of the workspace it says it ran in. */
  readonly cwd: string;
}

/** What a command printed or a file held: mostly little, sometimes 30 KB and more. */
export function resultSize(random: Random, limit: number): number {
  return Math.round(Math.min(limit, Math.max(20, random.logNormal(1400, 1.5))));
}

/** A prompt: mostly a sentence or two, now and then a pasted page. */
export function promptSize({ random, promptSize: asked }: Story): number {
  return asked ?? Math.round(Math.min(12_000, Math.max(12, random.logNormal(140, 1.1))));
}

/** What the model says between its calls and at the end. */
export function answerSize(random: Random): number {
  return Math.round(Math.min(20_000, Math.max(20, random.logNormal(420, 1))));
}

/** Calls until a turn ends. */
export function roundsOf({ random, isBrief }: Story): number {
  return isBrief ? 0 : Math.round(Math.min(40, random.logNormal(4, 0.8)));
}

/** The clock of a session: every step takes some seconds. */
export class Clock {
  ms: number;
  readonly #random: Random;

  constructor(random: Random, startMs: number) {
    this.#random = random;
    this.ms = startMs;
  }

  /** The time after about so many seconds, ISO 8601. */
  after(seconds: number): string {
    this.ms += Math.round(this.#random.logNormal(seconds * 1000, 0.7));
    return this.now;
  }

  get now(): string {
    return new Date(this.ms).toISOString();
  }
}
