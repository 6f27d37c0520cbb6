/** A process of the simulation: it dies, or meets a disk that fails, at one of its calls. */

import type { DatabaseSync } from 'node:sqlite';

/** What happens at one call. `at` counts from 1; one that is never reached does not happen. */
export type Fault =
  /** The process is gone in the midst of a call that writes. */
  | { readonly kind: 'killed'; readonly at: number }
  /** From this call that writes on nothing fits any more. */
  | { readonly kind: 'full'; readonly at: number }
  /** This flush, and those after it, fail; what was to be flushed is as a power cut would leave it. */
  | { readonly kind: 'unsynced'; readonly at: number }
  /** Before this call that writes or looks, or the first after it outside a transaction, somebody else does something. */
  | { readonly kind: 'meanwhile'; readonly at: number; readonly act: () => void };

class Killed extends Error {}

/** A process of the simulation. One runs at a time. */
export class Process {
  readonly pid: number;
  isDead = false;
  isFull = false;
  /** Did its fault happen? */
  isStruck = false;
  #fault: Fault | undefined;
  #calls = { write: 0, flush: 0, look: 0 };
  /** The databases it has open. */
  readonly databases = new Set<DatabaseSync>();
  /** Flushes that were asked for and not answered. */
  flushing = 0;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** The calls of the next piece of work are counted from 1 again. */
  expect(fault: Fault | undefined): void {
    this.#fault = fault;
    this.#calls = { write: 0, flush: 0, look: 0 };
    this.isStruck = false;
    this.isFull = false;
  }

  /** A call that only looks. */
  look(): void {
    if (this.isDead) throw new Killed('the process is gone');
    this.#calls.look += 1;
    this.#others();
  }

  /** A call that writes; `torn` does the part of it that a death or a full disk leaves. */
  write(torn: () => void = () => undefined): void {
    this.look();
    this.#calls.write += 1;
    const fault = this.#fault;
    if (fault?.kind === 'killed' && this.#calls.write === fault.at) {
      torn();
      this.isStruck = true;
      this.isDead = true;
      throw new Killed('killed');
    }
    if (fault?.kind !== 'full' || this.#calls.write < fault.at) return;
    if (this.#calls.write === fault.at) torn();
    this.isStruck = true;
    this.isFull = true;
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  }

  flush(lose: () => void): void {
    this.write();
    this.#calls.flush += 1;
    if (this.#fault?.kind !== 'unsynced' || this.#calls.flush < this.#fault.at) return;
    this.isStruck = true;
    lose();
    throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
  }

  #others(): void {
    const fault = this.#fault;
    if (fault?.kind !== 'meanwhile' || this.isStruck || this.#calls.look < fault.at) return;
    // Somebody else would wait for the end of the transaction.
    if ([...this.databases].some((database) => database.isTransaction)) return;
    this.isStruck = true;
    fault.act();
  }
}

/** A statement of SQL that may write: fails as SQLite does where the disk is full. */
export function writesRow(owner: Process, sql: string): void {
  try {
    if (/^\s*(?:pragma|rollback)/.test(sql)) owner.look();
    else owner.write();
  } catch (cause) {
    if (!owner.isFull || owner.isDead) throw cause;
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
  }
}
