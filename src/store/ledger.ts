/** What cannot be derived from the session directories, as append-only JSON lines below `ledger/`. */

import { join } from 'node:path';
import { encodeLine } from '../format/line.ts';
import { appendAt, makeFolder } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
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

/** Notes what was placed. */
export function notePlaced(store: Store, machine: Machine, entry: PlacedEntry): void {
  makeFolder(store.ledger);
  const path = join(store.ledger, 'placed.jsonl');
  appendAt(path, machine.stat(path)?.sizeBytes ?? 0, Buffer.from(`${encodeLine(entry)}\n`, 'utf8'));
}
