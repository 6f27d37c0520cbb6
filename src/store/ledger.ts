/** What cannot be derived from the session directories, as append-only JSON lines below `ledger/`. */

import { join } from 'node:path';
import { decodeLine, encodeLine } from '../format/line.ts';
import { addLine, exists, makeFolder, readBytes } from '../io/files.ts';
import type { Store } from './store.ts';

/** What a resume put into a tool's home. */
export interface PlacedEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly session_id: string;
  readonly parent_session_id: string | null;
  readonly tool: string;
  readonly native_id: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/** A session was deleted or restored; of several the last counts. */
export interface TombstoneEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly op: 'delete' | 'restore';
  readonly session_id: string;
}

/** An alias was given to a session, or taken away (`null`); of several entries for one alias the last counts. */
export interface AliasEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly alias: string;
  readonly session_id: string | null;
}

/** The files of the ledger, each with what its lines are. */
interface Entries {
  readonly placed: PlacedEntry;
  readonly tombstones: TombstoneEntry;
  readonly aliases: AliasEntry;
}

/** Adds an entry. Throws `store-unwritable`. */
export function note<Name extends keyof Entries>(store: Store, name: Name, entry: Entries[Name]): void {
  makeFolder(store.ledger);
  addLine(ledgerPath(store, name), encodeLine(entry));
}

/** Every line as a value, oldest first; one that a crash cut off is `undefined`. */
export function ledgerLines(store: Store, name: keyof Entries): unknown[] {
  const path = ledgerPath(store, name);
  return exists(path) ? readBytes(path).toString('utf8').split('\n').filter(Boolean).map(decodeLine) : [];
}

/** Where a file of the ledger is. */
export function ledgerPath(store: Store, name: keyof Entries): string {
  return join(store.ledger, `${name}.jsonl`);
}
