/** Why nothing can be captured for now, and when it is tried again: later each time. */

import { messageOf } from '../errors.ts';

/** After the first failure; doubled by each further one. Milliseconds. */
const firstMs = 1000;
const longestMs = 60_000;

/** A full disk, a store that cannot be opened. */
export class Trouble {
  readonly #note: (text: string) => void;
  #now: { readonly why: string; readonly times: number; readonly untilMs: number } | undefined;

  /** `note` is told when it begins, becomes another one, and ends. */
  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /** `undefined` when there is none. */
  get why(): string | undefined {
    return this.#now?.why;
  }

  /** Not before this time anything is tried again; 0 when there is nothing to wait for. */
  get untilMs(): number {
    return this.#now?.untilMs ?? 0;
  }

  start(cause: unknown, nowMs: number): void {
    const times = (this.#now?.times ?? 0) + 1;
    const why = messageOf(cause);
    if (why !== this.#now?.why) this.#note(`cannot capture: ${why}`);
    const waitMs = Math.min(longestMs, firstMs * 2 ** Math.min(times - 1, 16));
    this.#now = { why, times, untilMs: nowMs + waitMs };
  }

  end(): void {
    if (this.#now !== undefined) this.#note('capturing again');
    this.#now = undefined;
  }
}
