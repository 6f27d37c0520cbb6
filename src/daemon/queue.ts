/** What is to be captured next, and when: events and a clock in, paths out. Knows no disk and no timer. */

/** After the last event, so that a line that is written in pieces is read once. Milliseconds, like all times here. */
const quietMs = 4;
/** After the first event, for a file that is never quiet. */
const longestMs = 200;
/** Between two captures of a file: one that grows all the time costs a bounded share of a processor. */
const apartMs = 200;
/** After a failure; doubled by each further one. */
const retryMs = 500;
const longestRetryMs = 60_000;
/** After a capture: by then a tool has written what it says of the session elsewhere, its name or what it was made of. */
const secondLookMs = 2000;

/** One changed path. */
export interface Due {
  readonly path: string;
  /** Only its content changed: what belongs together is what it was. */
  readonly isAppend: boolean;
}

interface Waiting {
  readonly firstMs: number;
  lastMs: number;
  isAppend: boolean;
  /** Not before this time. */
  readonly notBeforeMs: number;
}

/** Changed paths until they are captured. */
export class Queue {
  readonly #waiting = new Map<string, Waiting>();
  /** When each was last given out; only of those that still matter. */
  readonly #given = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** When each that was captured is looked at once more, in order. */
  readonly #secondLooks = new Map<string, number>();

  /** How many wait, second looks aside. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Something changed at a path. */
  changed(path: string, isAppend: boolean, nowMs: number): void {
    const waiting = this.#waiting.get(path);
    if (waiting === undefined) {
      const given = this.#given.get(path);
      const notBeforeMs = given === undefined ? nowMs : given + apartMs;
      this.#waiting.set(path, { firstMs: nowMs, lastMs: nowMs, isAppend, notBeforeMs });
      return;
    }
    waiting.lastMs = nowMs;
    waiting.isAppend &&= isAppend;
  }

  /** A path was captured, or is nothing to capture. */
  done(path: string): void {
    this.#failures.delete(path);
  }

  /** Something of a path was captured: it is looked at once more when it has been quiet for a while. */
  lookAgain(path: string, nowMs: number): void {
    this.#secondLooks.delete(path);
    this.#secondLooks.set(path, nowMs + secondLookMs);
  }

  /** A path could not be captured: again later, the later the more often it failed. */
  failed(path: string, nowMs: number): void {
    const failures = (this.#failures.get(path) ?? 0) + 1;
    this.#failures.set(path, failures);
    const notBeforeMs = nowMs + Math.min(longestRetryMs, retryMs * 2 ** Math.min(failures - 1, 16));
    const firstMs = this.#waiting.get(path)?.firstMs ?? nowMs;
    this.#waiting.set(path, { firstMs, lastMs: nowMs, isAppend: false, notBeforeMs });
  }

  /** Takes out what is due now, in the order it changed. */
  take(nowMs: number): Due[] {
    for (const [path, given] of this.#given) if (given + apartMs <= nowMs) this.#given.delete(path);
    for (const [path, at] of this.#secondLooks) {
      if (at > nowMs) break;
      this.#secondLooks.delete(path);
      if (!this.#waiting.has(path)) this.changed(path, false, nowMs - longestMs);
    }
    const due: Due[] = [];
    for (const [path, waiting] of this.#waiting) {
      if (dueAt(waiting) > nowMs) continue;
      this.#waiting.delete(path);
      this.#given.set(path, nowMs);
      due.push({ path, isAppend: waiting.isAppend });
    }
    return due;
  }

  /** When something is due next; `undefined` when nothing waits. */
  nextMs(): number | undefined {
    let [next] = this.#secondLooks.values();
    for (const waiting of this.#waiting.values()) {
      const at = dueAt(waiting);
      if (next === undefined || at < next) next = at;
    }
    return next;
  }
}

function dueAt({ firstMs, lastMs, notBeforeMs }: Waiting): number {
  return Math.max(notBeforeMs, Math.min(lastMs + quietMs, firstMs + longestMs));
}
