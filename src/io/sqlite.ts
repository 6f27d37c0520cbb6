/** SQLite, as Node brings it. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { builtin } from './builtin.ts';

/** An open database. */
export type Database = DatabaseSync;

/** A compiled statement. */
export type Statement = StatementSync;

/** Opens a database file, making it when it is missing; waits `timeoutMs` for another writer. */
export function openDatabase(path: string, timeoutMs: number): Database {
  return new (builtin('node:sqlite').DatabaseSync)(path, { timeout: timeoutMs });
}
