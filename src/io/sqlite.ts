/** SQLite, as Node brings it. */

import { closeSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { SessionFsError } from '../errors.ts';
import { builtin } from './builtin.ts';
import { unreadable } from './file-errors.ts';
import { statOf } from './file-info.ts';
import { prepareFileBy } from './files.ts';
import type { PreparedFile } from './files.ts';
import type { Row, Snapshot } from './machine.ts';

/** An open database. */
export type Database = DatabaseSync;

/** A compiled statement. */
export type Statement = StatementSync;

/** What is asked of a compiled statement. */
export interface Query {
  readonly all: (...values: SQLInputValue[]) => Row[];
  readonly get: (...values: SQLInputValue[]) => Row | undefined;
  readonly run: (...values: SQLInputValue[]) => unknown;
  /** Row by row. */
  readonly iterate: (...values: SQLInputValue[]) => Iterable<Row>;
}

/** Compiles a statement; `around` runs each asking of it, and its compiling. */
export function queryOf(database: Database, sql: string, around: <T>(ask: () => T) => T): Query {
  const statement = around(() => database.prepare(sql));
  return {
    all: (...values) => around(() => statement.all(...values)),
    get: (...values) => around(() => statement.get(...values)),
    run: (...values) => around(() => statement.run(...values)),
    *iterate(...values) {
      const rows = around(() => statement.iterate(...values));
      for (let row = around(() => rows.next()); row.done !== true; row = around(() => rows.next())) yield row.value;
    },
  };
}

/** Does SQLite say that a file is damaged, or no database? */
export function isDamaged(cause: unknown): boolean {
  return isOfSqlite(cause) && [11, 26].includes(cause.errcode & 0xff);
}

/** Opens a database file, making it when it is missing; waits `timeoutMs` for another writer. */
export function openDatabase(path: string, timeoutMs: number): Database {
  return new (builtin('node:sqlite').DatabaseSync)(path, { timeout: timeoutMs });
}

/** How long a reader waits for a writer that holds the whole database. */
const patienceMs = 2000;

/**
 * Reads another program's database as it is at one moment, while that program may be writing it. Nothing is written, and no
 * file is left beside it: one that was closed cleanly in WAL mode is read as it lies, because a reader that takes part in the
 * WAL would make its `-wal` and `-shm` anew; should somebody write to it meanwhile, `read` runs again, taking part.
 * A WAL that a crash left behind is read by an index that SQLite makes beside it (`-shm`), as its own program would.
 * Throws `unreadable` that says what is the matter: locked, damaged, encrypted or no database, without a table that is read.
 */
export function readSnapshot<T>(path: string, read: (snapshot: Snapshot) => T): T {
  const before = lies(path);
  if (before === undefined) return whileOpen(path, false, read);
  try {
    const result = whileOpen(path, true, read);
    if (lies(path) === before) return result;
  } catch (cause) {
    // What was read while another program wrote may look damaged.
    if (lies(path) === before) throw cause;
  }
  return whileOpen(path, false, read);
}

/**
 * How a database lies that may be read without its WAL: in WAL mode, and no WAL beside it. `undefined` when it does not lie so.
 * The header tells the mode at offset 18, and at 24 counts the changes.
 */
function lies(path: string): string | undefined {
  const header = headOf(path, 100);
  if (header.length < 100 || header[18] !== 2) return undefined;
  const info = statOf(path);
  if (info === undefined || (statOf(`${path}-wal`)?.sizeBytes ?? 0) > 0) return undefined;
  return `${info.device}.${info.inode}.${info.sizeBytes}.${info.modifiedMs}.${header.readUInt32BE(24)}`;
}

function headOf(path: string, bytes: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    const head = Buffer.alloc(bytes);
    return head.subarray(0, readSync(file, head, 0, bytes, 0));
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    closeSync(file);
  }
}

function whileOpen<T>(path: string, asItLies: boolean, read: (snapshot: Snapshot) => T): T {
  let database: Database | undefined;
  try {
    const url = pathToFileURL(path);
    url.search = asItLies ? '?immutable=1' : '?mode=ro';
    database = new (builtin('node:sqlite').DatabaseSync)(url, { readOnly: true, timeout: patienceMs });
    database.exec('pragma query_only = on; begin');
    return read(new OpenSnapshot(database));
  } catch (cause) {
    throw isOfSqlite(cause) ? notRead(path, cause) : cause;
  } finally {
    database?.close();
  }
}

class OpenSnapshot implements Snapshot {
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  rows(sql: string, ...parameters: readonly (string | number)[]): readonly Row[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(...parameters);
  }
}

/** Takes one row: the table, and its values in the order of the columns. One whose key is there already is left out. */
export type Insert = (table: string, values: readonly (string | number | Uint8Array | null)[]) => void;

/**
 * Makes a database of mode 0600 that appears only when it is published, whole and without a journal beside it: `schema` makes its
 * tables, `fill` its rows. The same rows in the same order give the same bytes.
 */
export function prepareDatabase(path: string, schema: string, fill: (insert: Insert) => void): PreparedFile {
  return prepareFileBy(path, (temporary) => {
    const database = openDatabase(temporary, 0);
    try {
      // Nobody sees it before it is whole, so it needs no journal; the file is flushed once it is.
      database.exec(`pragma journal_mode = off; pragma synchronous = off; begin; ${schema}`);
      const statements = new Map<string, Statement>();
      fill((table, values) => {
        let statement = statements.get(table);
        if (statement === undefined) {
          const places = values.map(() => '?').join(', ');
          statement = database.prepare(`insert or ignore into "${table.replaceAll('"', '""')}" values (${places})`);
          statements.set(table, statement);
        }
        statement.run(...values);
      });
      database.exec('commit');
    } finally {
      database.close();
    }
  });
}

/** By SQLite's result codes: https://www.sqlite.org/rescode.html */
const reasons: Readonly<Record<number, readonly [why: string, hint: string]>> = {
  5: ['another program has locked it', 'import again when that program is done with it'],
  6: ['another program has locked it', 'import again when that program is done with it'],
  11: ['it is damaged', 'let its own program repair it, or put back a copy'],
  26: ['it is encrypted, or no SQLite database', 'look at what it is: file'],
};

/** What SQLite throws has its result code. */
function isOfSqlite(cause: unknown): cause is Error & { readonly errcode: number } {
  return cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number';
}

function notRead(path: string, cause: Error & { readonly errcode: number }): SessionFsError {
  const [why, hint] = reasons[cause.errcode & 0xff] ?? [
    cause.message,
    'update SessionFS: a newer version may know this database',
  ];
  return new SessionFsError('unreadable', `cannot read ${path}: ${why}`, hint, cause);
}
