/** Full searches of the homes: which are asked for, the one that is going on, and what they found until it is captured. */

import type { Found } from '../capture/capture.ts';
import { messageOf } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import type { HomeWatch } from './home-watch.ts';
import { searchAway } from './search.ts';
import { nextSweepMs } from './sweeps.ts';

/** Between two searches that were asked for: a time, and so many times longer than the last one took. Milliseconds. */
const apartMs = 500;
const timesCost = 8;

/** What searches work with. */
export interface SearchSetup {
  readonly machine: Machine;
  /** A search has ended. */
  ended(): void;
  /** Something a person should be able to read later. */
  note(text: string): void;
}

/** One search at a time, on a thread of its own; what was worked on last is captured first. */
export class Searches {
  readonly #setup: SearchSetup;
  /** The homes that are captured. */
  #homes: readonly HomeWatch[] = [];
  readonly #asked = new Set<HomeWatch>();
  /** Sources that were found changed, in the order they are captured. */
  readonly #found = new Map<string, Found>();
  #running: Promise<void> | undefined;
  #notBeforeMs = 0;
  readonly #whole = { endedMs: 0, costMs: 0 };
  /** When the last look at every source ended, ISO 8601; `null` before the first. */
  lastAt: string | null = null;

  constructor(setup: SearchSetup) {
    this.#setup = setup;
  }

  /** Has a home searched soon. */
  ask(home: HomeWatch): void {
    this.#asked.add(home);
  }

  /** Starts a search if one is due: of the homes it was asked for, of all now and then. */
  start(isWatching: boolean, nowMs: number): void {
    if (this.#running !== undefined) return;
    const isWhole = this.lastAt === null || nowMs >= nextSweepMs('search', this.#whole, isWatching);
    if (isWhole) for (const home of this.#homes) if (home.isThere) this.#asked.add(home);
    if (!isWhole && (this.#asked.size === 0 || nowMs < this.#notBeforeMs)) return;
    this.#running = this.#search(isWhole).finally(() => {
      this.#running = undefined;
      this.#setup.ended();
    });
  }

  /** When one that was asked for may start; `undefined` when none was, or one is going on. */
  get nextMs(): number | undefined {
    return this.#asked.size > 0 && this.#running === undefined ? this.#notBeforeMs : undefined;
  }

  /** Settles when none is going on. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** How many found sources wait to be captured. */
  get size(): number {
    return this.#found.size;
  }

  /** Takes out what was found, as long as it is asked for. */
  *take(): Generator<Found> {
    for (const [key, found] of this.#found) {
      this.#found.delete(key);
      yield found;
    }
  }

  /** These homes are captured from now on: what was asked for and found in others is forgotten. */
  place(homes: readonly HomeWatch[]): void {
    this.#homes = homes;
    for (const home of this.#asked) if (!homes.includes(home)) this.#asked.delete(home);
    for (const [key, { adapter }] of this.#found) if (!this.#isCaptured(adapter)) this.#found.delete(key);
  }

  #isCaptured(adapter: Found['adapter']): boolean {
    return this.#homes.some(({ place }) => place.adapter === adapter);
  }

  async #search(isWhole: boolean): Promise<void> {
    const { machine, note } = this.#setup;
    const homes = [...this.#asked];
    this.#asked.clear();
    const changed: { readonly found: Found; readonly modifiedMs: number }[] = [];
    const since = performance.now();
    for (const home of homes) home.unreadable = undefined;
    try {
      if (homes.length > 0)
        await searchAway(
          machine,
          homes.map(({ place }) => place),
          (message) => {
            const home = homes[message.place];
            if (home === undefined) return;
            if ('problem' in message) home.unreadable = message.problem;
            else
              changed.push({
                found: { adapter: home.place.adapter, source: message.source },
                modifiedMs: message.modifiedMs,
              });
          },
        );
    } catch (cause) {
      note(`a search failed: ${messageOf(cause)}`);
      for (const home of homes) home.unreadable = messageOf(cause);
    }
    const endedMs = performance.now();
    this.#notBeforeMs = endedMs + Math.max(apartMs, timesCost * (endedMs - since));
    changed.sort((a, b) => b.modifiedMs - a.modifiedMs);
    for (const { found } of changed) if (this.#isCaptured(found.adapter)) this.#found.set(keyOf(found), found);
    if (!isWhole) return;
    this.#whole.costMs = endedMs - since;
    this.#whole.endedMs = endedMs;
    this.lastAt = machine.now().toISOString();
  }
}

/** Another source has another key. */
export function keyOf({ adapter, source }: Found): string {
  return `${adapter.id}\n${source.nativeId}`;
}
