/** The daemon's own part of its status: written when it says something new, and not too often. */

import { messageOf } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import type { Store } from '../store/store.ts';
import { version } from '../version.ts';
import type { HomeWatch, Place } from './home-watch.ts';
import type { DaemonStatus, ToolWatch } from './status.ts';
import { processMark, writeStatus } from './status.ts';

/** Between two writings. Milliseconds. */
const apartMs = 500;

/** What changes while it runs. */
export type Changing = Omit<DaemonStatus, 'pid' | 'process_mark' | 'version' | 'started_at' | 'updated_at'>;

/** Writes `daemon.json`. */
export class StatusFile {
  readonly #machine: Machine;
  readonly #store: Store;
  readonly #note: (text: string) => void;
  readonly #startedAt: string;
  readonly #mark: string | null;
  #text = '';
  #problem: string | undefined;
  #atMs = -apartMs;

  /** `note` is told when it cannot be written. */
  constructor(machine: Machine, store: Store, note: (text: string) => void) {
    this.#machine = machine;
    this.#store = store;
    this.#note = note;
    this.#startedAt = machine.now().toISOString();
    this.#mark = processMark(machine, process.pid);
  }

  /** Writes it, whatever was written before. Throws `store-unwritable`. */
  write(changing: Changing): void {
    writeStatus(this.#store, {
      pid: process.pid,
      process_mark: this.#mark,
      version,
      started_at: this.#startedAt,
      updated_at: this.#machine.now().toISOString(),
      ...changing,
    });
  }

  /** Writes it when it says something else than before. What cannot be written is tried again. */
  tell(changing: Changing): void {
    const now = performance.now();
    if (now - this.#atMs < apartMs) return;
    const text = JSON.stringify(changing);
    if (text === this.#text) return;
    this.#atMs = now;
    try {
      this.write(changing);
      this.#text = text;
      this.#problem = undefined;
    } catch (cause) {
      const problem = messageOf(cause);
      if (problem !== this.#problem) this.#note(problem);
      this.#problem = problem;
    }
  }

  /** The next {@link tell} writes, and at once. */
  forget(): void {
    this.#text = '';
    this.#atMs = -apartMs;
  }
}

/** How a home is watched, as the status says it. */
export function watchOf(home: HomeWatch): ToolWatch {
  const problem = home.unreadable ?? home.problem;
  return {
    tool: home.place.adapter.id,
    home: home.place.home,
    state: !home.isThere ? 'absent' : home.problem === undefined ? 'watched' : 'partly',
    folders: home.folders,
    watched: home.watched,
    problem: problem ?? null,
  };
}

/** The same of a tool that is not captured. */
export function offOf({ adapter, home }: Place): ToolWatch {
  return { tool: adapter.id, home, state: 'off', folders: 0, watched: 0, problem: null };
}
