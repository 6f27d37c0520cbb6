/** How the editor's databases are looked at: their tables, values by key, and what was read of one while it lies as it did. */

import { SessionFsError } from '../../errors.ts';
import type { Machine, Snapshot } from '../../io/machine.ts';
import type { Problem } from '../adapter.ts';

/** The names of a database's tables. */
export function tablesOf(database: Snapshot): ReadonlySet<string> {
  return new Set(database.rows("select name from sqlite_master where type = 'table'").map(({ name }) => String(name)));
}

/** A value of the table of settings. */
export function item(database: Snapshot, key: string): unknown {
  return database.rows('select value from ItemTable where key = ?', key)[0]?.['value'];
}

/** A value of the key-value table. */
export function valueOf(database: Snapshot, key: string): unknown {
  return database.rows('select value from cursorDiskKV where key = ?', key)[0]?.['value'];
}

/** A schema that nobody has described. */
export function unknownTables(path: string, name: string): SessionFsError {
  return new SessionFsError(
    'unreadable',
    `cannot read ${path}: it has no table ${name}; its schema is another than that of Cursor 0.3 to 3.23`,
    'update SessionFS: npm install -g sessionfs@latest',
  );
}

/** What `read` gives; a database that cannot be read is told and leaves the others alone. */
export function readable<T>(problem: Problem, path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    problem(path, cause.message);
    return undefined;
  }
}

/** So long after the last write a file's time tells one state of it from the next. */
const settledMs = 2000;

/** What was read of each database while it lies as it did, for as long as the machine is looked at. */
const memories = new WeakMap<Machine, Map<string, { readonly stamp: string; readonly value: unknown }>>();

/** What `read` gives of a database; not asked again while that lies as it did. Each path is read by one function only. */
export function remembered<T>(machine: Machine, path: string, read: (database: Snapshot, path: string) => T): T {
  const lies = ['', '-wal'].map((end) => machine.stat(path + end));
  const stamp = lies.map((info) => `${info?.inode}.${info?.sizeBytes}.${info?.modifiedMs}`).join(' ');
  const memory = memories.get(machine) ?? new Map<string, { readonly stamp: string; readonly value: unknown }>();
  memories.set(machine, memory);
  const before = memory.get(path);
  // Each path is read by one function only.
  if (before?.stamp === stamp) return before.value as T;
  const value = machine.snapshot(path, (database) => read(database, path));
  const newestMs = Math.max(...lies.map((info) => info?.modifiedMs ?? 0));
  if (machine.now().getTime() - newestMs > settledMs) memory.set(path, { stamp, value });
  return value;
}
