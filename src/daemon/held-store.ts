/** The store while the daemon has it: locked, its index open. A person may remove any of it at any time. */

import type { CaptureSite } from '../capture/capture.ts';
import { SessionFsError } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { SessionIndex } from '../store/session-index.ts';
import type { Store } from '../store/store.ts';
import { prepareStore } from '../store/store.ts';
import { WriterMemory } from '../store/writer-memory.ts';

/** What captures go into. */
export class HeldStore {
  readonly #machine: Machine;
  readonly #store: Store;
  readonly #hold: () => void;
  readonly #memory: WriterMemory;
  #index: SessionIndex | undefined;
  #indexIdentity: string | undefined;

  /** `hold` takes the store again when somebody removed its lock; it throws `daemon-running` when another process has it. */
  constructor(machine: Machine, store: Store, hold: () => void) {
    this.#machine = machine;
    this.#store = store;
    this.#hold = hold;
    this.#memory = new WriterMemory(machine);
  }

  /** Sees to it that what is there is ours; `true` when it is not what was there before. Throws `daemon-running`, `store-unwritable`. */
  check(): boolean {
    if (this.#index !== undefined && this.#identity() === this.#indexIdentity) {
      this.#hold();
      return false;
    }
    prepareStore(this.#store);
    this.#hold();
    this.close();
    this.#index = this.#opened();
    this.#indexIdentity = this.#identity();
    return true;
  }

  /** Where captures go; `undefined` as long as the index cannot be opened. */
  get site(): CaptureSite | undefined {
    const index = this.#index;
    return index && { machine: this.#machine, store: this.#store, index, memory: this.#memory };
  }

  close(): void {
    this.#index?.close();
    this.#index = undefined;
  }

  #opened(): SessionIndex {
    try {
      return SessionIndex.open(this.#store, this.#machine);
    } catch (cause) {
      // Removed between the folders and the index.
      if (!(cause instanceof SessionFsError) || cause.code !== 'session-not-found') throw cause;
      throw new SessionFsError('store-unwritable', `${this.#store.root} is being removed`, undefined, cause);
    }
  }

  #identity(): string {
    try {
      const info = this.#machine.stat(this.#store.index);
      return info === undefined ? '' : `${info.device} ${info.inode}`;
    } catch {
      // Unmounted or forbidden now: opening it says so.
      return '';
    }
  }
}
