/** The tables of `index.db`, and opening it: made when it is missing, made again when it is damaged or of another version. */

import { SessionFsError, messageOf } from '../errors.ts';
import { remove } from '../io/files.ts';
import { isDamaged, openDatabase } from '../io/sqlite.ts';
import type { Database } from '../io/sqlite.ts';
import type { Store } from './store.ts';
import { storeExists } from './store.ts';

/** Of the tables; an index of another one is made again. */
export const schemaVersion = '2';

const schema = `
  create table sessions (
    session_id text primary key,
    native_id text,
    native_path text,
    tool text not null,
    title text,
    project text,
    git_remote text,
    git_branch text,
    model text,
    provider text,
    message_count integer not null,
    turn_count integer not null,
    tool_use_count integer not null,
    input_tokens integer not null,
    output_tokens integer not null,
    cost_usd real,
    created_at text not null,
    updated_at text not null,
    parent_session_id text,
    tags text not null,
    gone integer not null
  ) strict;
  create index sessions_updated on sessions (updated_at desc, session_id);
  create index sessions_native on sessions (tool, native_id);
  create table sources (
    path text primary key,
    session_id text not null,
    file_key text not null,
    size_bytes integer not null,
    modified_ms real not null,
    device integer not null,
    inode integer not null,
    outside_facts text not null
  ) strict, without rowid;
  create index sources_session on sources (session_id);
  create table meta (key text primary key, value text not null) strict, without rowid;
`;

/** Opens the database with the tables of this version. Throws `session-not-found` without a store, `store-unwritable`. */
export function openIndex(store: Store): Database {
  if (!storeExists(store))
    throw new SessionFsError(
      'session-not-found',
      `nothing has been captured in ${store.root} yet`,
      'capture what is on this machine: sfs import',
    );
  for (let attempt = 0; ; attempt += 1) {
    let database: Database | undefined;
    try {
      database = openDatabase(store.index, 5000);
      const version = database.prepare("select name from sqlite_schema where name = 'meta'").get();
      const found =
        version === undefined ? undefined : database.prepare("select value from meta where key = 'schema'").get();
      if (found?.['value'] === schemaVersion) return database;
      if (version !== undefined) throw new Error('made by another version');
      database.exec('pragma journal_mode = wal; pragma synchronous = normal');
      database.exec(`begin immediate; ${schema} insert into meta values ('schema', '${schemaVersion}'); commit`);
      return database;
    } catch (cause) {
      database?.close();
      if (attempt > 0) throw unusable(store, cause);
      // A cache: damaged or of another version, it is made again from the directories.
      removeIndex(store);
    }
  }
}

function removeIndex(store: Store): void {
  for (const suffix of ['', '-wal', '-shm']) remove(`${store.index}${suffix}`);
}

/** What keeps the database from being used, and what helps. One that is damaged is removed: whoever opens it next makes it again. */
export function unusable(store: Store, cause: unknown): SessionFsError {
  if (cause instanceof SessionFsError) return cause;
  if (isDamaged(cause)) {
    removeIndex(store);
    return new SessionFsError(
      'store-unwritable',
      `${store.index} was damaged: ${messageOf(cause)}`,
      'run the same command again: it is made anew from the sessions, and nothing that was captured is lost',
      cause,
    );
  }
  const isFull = messageOf(cause).includes('full');
  return new SessionFsError(
    'store-unwritable',
    `cannot write ${store.index}: ${messageOf(cause)}`,
    isFull
      ? 'free some space and run the same command again; nothing that was captured is lost'
      : 'make the store writable, or set SFS_HOME to a folder that is',
    cause,
  );
}
