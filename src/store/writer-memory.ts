/** What a long-lived process still knows of the sessions it wrote, so that one more line costs no look at all those before. */

import { join } from 'node:path';
import { layout } from '../format/layout.ts';
import type { Machine } from '../io/machine.ts';
import type { Commit } from './commit.ts';

/** What a writer would read from the disk. */
export interface Known {
  /** The commit that the rest holds for; nobody changes it. */
  readonly commit: Commit;
  /** Length of its text. */
  readonly commitBytes: number;
  /** Newest revision of each message: base id → offset of its line; `undefined` when nobody asked. */
  readonly offsets: Map<string, number> | undefined;
  /** Native key → the message it stands for; `undefined` when nobody asked. */
  readonly keys: Map<string, string> | undefined;
}

/** Bytes that are kept, about. The session written last is kept however large it is. */
const weightLimit = 20e6;
/** Bytes that an id or key takes, about. */
const entryWeight = 100;
/** Bytes of memory for one of a commit's text, the text of its files included, about. */
const commitWeight = 4;

/** Knowledge of sessions by id, the one written last at the end. */
export class WriterMemory {
  readonly #machine: Machine;
  readonly #sessions = new Map<string, { readonly known: Known; readonly state: string; readonly weight: number }>();
  #weight = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Takes out what is known of a session, if it still holds: what the taker makes of it holds for the next commit only. */
  take(id: string, folder: string): Known | undefined {
    const remembered = this.#sessions.get(id);
    if (remembered === undefined) return undefined;
    this.#forget(id, remembered.weight);
    return remembered.state === this.#stateOf(folder) ? remembered.known : undefined;
  }

  /** Remembers what holds for the commit that is now in its place. */
  keep(id: string, folder: string, known: Known): void {
    const state = this.#stateOf(folder);
    if (state === undefined) return;
    const entries = (known.offsets?.size ?? 0) + (known.keys?.size ?? 0);
    const weight = commitWeight * known.commitBytes + entryWeight * entries;
    this.#sessions.set(id, { known, state, weight });
    this.#weight += weight;
    for (const [oldest, { weight: own }] of this.#sessions) {
      if (this.#weight <= weightLimit || oldest === id) return;
      this.#forget(oldest, own);
    }
  }

  #forget(id: string, weight: number): void {
    this.#sessions.delete(id);
    this.#weight -= weight;
  }

  /** A commit is never changed in its place: another one is another file. */
  #stateOf(folder: string): string | undefined {
    const info = this.#machine.stat(join(folder, layout.commit));
    return info && [info.device, info.inode, info.modifiedMs, info.sizeBytes].join(' ');
  }
}
