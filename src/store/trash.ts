/**
 * Deleted sessions. A deleted one lies in `trash/` until the trash is emptied, and its tombstone in the ledger keeps capture
 * from taking it in again. It is deleted while it lies in the trash or its last tombstone says so: whatever a crash cuts off
 * in between, it is in one place.
 */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { layout } from '../format/layout.ts';
import { exists, makeFolder, move, remove } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import { isObject } from '../model/json.ts';
import { isSessionId } from '../model/session-id.ts';
import { whileHeld } from './registers.ts';
import { ledgerLines, ledgerPath, note } from './ledger.ts';
import type { Store } from './store.ts';
import { folderIn, sessionFolder, sessionIdsBelow } from './store.ts';

/** Ids of deleted sessions and when they were deleted; `null` where no tombstone says. */
export function deletedSessions(store: Store): Map<string, string | null> {
  const deleted = new Map<string, string | null>();
  for (const entry of ledgerLines(store, 'tombstones')) {
    if (!isObject(entry)) continue;
    const { op, session_id: id, at } = entry;
    if (typeof id !== 'string' || !isSessionId(id)) continue;
    if (op === 'restore') deleted.delete(id);
    else if (op === 'delete') deleted.set(id, typeof at === 'string' ? at : null);
  }
  for (const id of sessionIdsBelow(store.trash)) if (!deleted.has(id)) deleted.set(id, null);
  return deleted;
}

/** Asks again and again which sessions are deleted, reading only when something changed. */
export class Tombstones {
  readonly #store: Store;
  readonly #machine: Machine;
  #seen: string | undefined;
  #deleted: ReadonlyMap<string, unknown> = new Map();

  constructor(store: Store, machine: Machine) {
    this.#store = store;
    this.#machine = machine;
  }

  has(id: string): boolean {
    const ledger = this.#machine.stat(ledgerPath(this.#store, 'tombstones'))?.sizeBytes ?? 0;
    const trash = this.#machine.stat(this.#store.trash)?.modifiedMs ?? 0;
    const state = `${ledger} ${trash}`;
    if (state !== this.#seen) {
      this.#deleted = deletedSessions(this.#store);
      this.#seen = state;
    }
    return this.#deleted.has(id);
  }
}

/** Is its directory still in the trash? */
export function isInTrash(store: Store, id: string): boolean {
  return exists(folderIn(store.trash, id));
}

/** Puts a session into the trash; where it is then. Throws `session-busy`. */
export function moveToTrash(store: Store, machine: Machine, id: string): string {
  const from = sessionFolder(store, id);
  const to = folderIn(store.trash, id);
  return whileHeld(from, machine, id, () => {
    makeFolder(store.trash);
    if (exists(to)) throw twice(id, to);
    move(from, to);
    note(store, 'tombstones', { at: machine.now().toISOString(), op: 'delete', session_id: id });
    remove(join(to, layout.lock));
    return to;
  });
}

/** Takes a session out of the trash, and its tombstone back; `undefined` when its directory is gone. */
export function takeFromTrash(store: Store, machine: Machine, id: string): string | undefined {
  const from = folderIn(store.trash, id);
  const to = sessionFolder(store, id);
  if (exists(from) && exists(to)) throw twice(id, from);
  note(store, 'tombstones', { at: machine.now().toISOString(), op: 'restore', session_id: id });
  if (!exists(from)) return undefined;
  move(from, to);
  return to;
}

/** A copy of the store may have brought one back. */
function twice(id: string, path: string): SessionFsError {
  return new SessionFsError(
    'already-exists',
    `${id} is among the sessions and in the trash`,
    `remove the one in the trash: sfs trash empty; or move it away: ${path}`,
  );
}

/** Removes what lies in the trash for good; the tombstones stay. */
export function emptyTrash(store: Store, machine: Machine): string[] {
  const ids = sessionIdsBelow(store.trash);
  const at = machine.now().toISOString();
  for (const id of ids) {
    note(store, 'tombstones', { at, op: 'delete', session_id: id });
    remove(folderIn(store.trash, id));
  }
  return ids;
}
