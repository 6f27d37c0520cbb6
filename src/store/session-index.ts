/** `index.db`: a cache of the session directories for listing and for noticing unchanged sources. Deleting it loses nothing. */

import { join } from 'node:path';
import type { Database, Statement } from '../io/sqlite.ts';
import { SessionFsError } from '../errors.ts';
import { layout } from '../format/layout.ts';
import { exists } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import type { Manifest, Workspace } from '../model/manifest.ts';
import type { CommitOutline } from './commit.ts';
import { openIndex, unusable } from './index-database.ts';
import { SessionReader } from './session-reader.ts';
import type { Store } from './store.ts';
import { sessionFolder, sessionIdsIn } from './store.ts';

/** One session as listings show it. */
export interface SessionRow {
  readonly session_id: string;
  readonly native_id: string | null;
  /** Where the source lay when it was last read; `null` when it was not captured here. */
  readonly native_path: string | null;
  readonly tool: string;
  readonly title: string | null;
  readonly project: string | null;
  readonly git_remote: string | null;
  readonly git_branch: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  readonly message_count: number;
  readonly turn_count: number;
  readonly tool_use_count: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly parent_session_id: string | null;
  /** JSON list of strings. */
  readonly tags: string;
  /** 1: its tool's home was looked through, and it was not there any more. */
  readonly gone: 0 | 1;
}

/** A source file as it was when last read. */
export interface SourceRow {
  readonly session_id: string;
  readonly file_key: string;
  readonly size_bytes: number;
  readonly modified_ms: number;
  readonly device: number;
  readonly inode: number;
  readonly outside_facts: string;
}

/** What a listing asks for. */
export interface ListQuery {
  readonly tool?: string;
  /** ISO 8601: updated at or after. */
  readonly since?: string;
  readonly tag?: string;
  readonly sort?: 'recent' | 'oldest' | 'messages' | 'tokens';
  readonly minMessages?: number;
  readonly limit?: number;
}

const orders = {
  recent: 'updated_at desc, session_id',
  oldest: 'updated_at, session_id',
  messages: 'message_count desc, updated_at desc, session_id',
  tokens: 'input_tokens + output_tokens desc, updated_at desc, session_id',
} as const satisfies Record<NonNullable<ListQuery['sort']>, string>;

const columns = [
  'session_id',
  'native_id',
  'native_path',
  'tool',
  'title',
  'project',
  'git_remote',
  'git_branch',
  'model',
  'provider',
  'message_count',
  'turn_count',
  'tool_use_count',
  'input_tokens',
  'output_tokens',
  'cost_usd',
  'created_at',
  'updated_at',
  'parent_session_id',
  'tags',
  'gone',
] as const satisfies readonly (keyof SessionRow)[];

/** What the index says of a session; but for `gone`, all of it comes from the directory. */
export function rowOf(
  manifest: Manifest,
  workspace: Workspace | undefined,
  commit: CommitOutline | undefined,
): Omit<SessionRow, 'gone'> {
  const stats = manifest.stats ?? undefined;
  const main = commit === undefined ? undefined : Object.values(commit.cursors)[0];
  return {
    session_id: manifest.session_id,
    native_id: manifest.source.original_session_id ?? null,
    native_path: main?.path ?? null,
    tool: manifest.source.tool,
    title: manifest.title ?? null,
    project: workspace?.root_path ?? null,
    git_remote: workspace?.git?.remote_url ?? null,
    git_branch: workspace?.git?.branch ?? null,
    model: manifest.model?.model_id ?? null,
    provider: manifest.model?.provider ?? null,
    message_count: stats?.message_count ?? 0,
    turn_count: stats?.turn_count ?? 0,
    tool_use_count: stats?.tool_use_count ?? 0,
    input_tokens: stats?.total_input_tokens ?? 0,
    output_tokens: stats?.total_output_tokens ?? 0,
    cost_usd: stats?.estimated_cost_usd ?? null,
    created_at: manifest.created_at,
    updated_at: manifest.updated_at ?? manifest.created_at,
    parent_session_id: manifest.parent_session_id ?? null,
    tags: JSON.stringify(manifest.tags ?? []),
  };
}

/** Whether its tool has deleted it stays as it was: only looking tells. */
function valueOf(column: keyof SessionRow): string {
  return column === 'gone' ? 'coalesce((select gone from sessions where session_id = ?), 0)' : '?';
}

/** The open index. */
export class SessionIndex {
  readonly #database: Database;
  readonly #store: Store;
  readonly #statements = new Map<string, Statement>();

  private constructor(database: Database, store: Store) {
    this.#database = database;
    this.#store = store;
  }

  /**
   * Opens the index, makes it when it is missing, of another version or damaged, and takes in what changed in the
   * sessions folder behind its back.
   */
  static open(store: Store, machine: Machine): SessionIndex {
    const index = new SessionIndex(openIndex(store), store);
    const state = foldersState(store, machine);
    if (index.#meta('folders') !== state) index.#catchUp(state);
    return index;
  }

  /** On a full or read-only disk the index stays as it is: what it knows can still be listed. */
  #catchUp(state: string): void {
    try {
      this.#reconcile();
      this.#inTransaction(() => this.#setMeta('folders', state));
    } catch (cause) {
      if (!(cause instanceof SessionFsError) || cause.code !== 'store-unwritable') throw cause;
    }
  }

  /** Sessions in the asked order, and whether the limit left some out. */
  list(query: ListQuery = {}): { readonly rows: SessionRow[]; readonly more: boolean } {
    const where: string[] = [];
    const values: (string | number)[] = [];
    if (query.tool !== undefined) {
      where.push('tool = ?');
      values.push(query.tool);
    }
    if (query.since !== undefined) {
      where.push('updated_at >= ?');
      values.push(query.since);
    }
    if (query.tag !== undefined) {
      where.push('exists (select 1 from json_each(tags) where value = ?)');
      values.push(query.tag);
    }
    if (query.minMessages !== undefined) {
      where.push('(message_count >= ? or parent_session_id is not null)');
      values.push(query.minMessages);
    }
    const condition = where.length === 0 ? '' : `where ${where.join(' and ')}`;
    // One more than asked says whether there are more; counting them all would read every row.
    const rows = this.#prepare(
      `select ${columns.join(', ')} from sessions ${condition} order by ${orders[query.sort ?? 'recent']} limit ?`,
    ).all(...values, query.limit === undefined ? -1 : query.limit + 1);
    const more = query.limit !== undefined && rows.length > query.limit;
    // The columns are the fields of SessionRow, and the table is strict.
    return { rows: (more ? rows.slice(0, query.limit) : rows) as unknown as SessionRow[], more };
  }

  /** The session with this id. */
  get(sessionId: string): SessionRow | undefined {
    const row = this.#prepare(`select ${columns.join(', ')} from sessions where session_id = ?`).get(sessionId);
    return row as unknown as SessionRow | undefined;
  }

  /** Sessions whose id, or native id, begins so; newest first; at most `limit`. */
  byPrefix(prefix: string, limit: number): SessionRow[] {
    const pattern = `${prefix.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`;
    const rows = this.#prepare(
      `select ${columns.join(', ')} from sessions where session_id like ?1 escape '\\' or session_id like 'ses\\_' || ?1 escape '\\'
         or native_id like ?1 escape '\\' order by updated_at desc limit ?2`,
    ).all(pattern, limit);
    return rows as unknown as SessionRow[];
  }

  /** Projects known with this git remote, newest first. */
  projectsOf(remote: string): string[] {
    return this.#prepare(
      'select project, max(updated_at) as at from sessions where git_remote = ? and project is not null group by project order by at desc',
    )
      .all(remote)
      .map((row) => String(row['project']));
  }

  /** How many sessions of each tool there are. */
  countByTool(): Map<string, number> {
    const rows = this.#prepare('select tool, count(*) as n from sessions group by tool').all();
    return new Map(rows.map((row) => [String(row['tool']), Number(row['n'])]));
  }

  /** A source file as last read. */
  source(path: string): SourceRow | undefined {
    const row = this.#prepare(
      'select session_id, file_key, size_bytes, modified_ms, device, inode, outside_facts from sources where path = ?',
    ).get(path);
    return row as unknown as SourceRow | undefined;
  }

  /** Takes in committed sessions, in one transaction. */
  put(
    sessions: readonly {
      readonly manifest: Manifest;
      readonly workspace: Workspace | undefined;
      readonly commit: CommitOutline | undefined;
      /** Its source has just been seen. */
      readonly isThere?: boolean;
    }[],
    machine: Machine,
  ): void {
    if (sessions.length === 0) return;
    this.#inTransaction(() => {
      for (const { manifest, workspace, commit, isThere = false } of sessions) {
        this.#putOne(manifest, workspace, commit);
        if (isThere) this.#setGone(manifest.session_id, 0);
      }
      this.#setMeta('folders', foldersState(this.#store, machine));
    });
  }

  /** Where the sessions of a tool lay when they were last read. */
  *nativePaths(tool: string): Generator<Pick<SessionRow, 'session_id' | 'gone'> & { readonly native_path: string }> {
    const rows = this.#prepare(
      'select session_id, native_path, gone from sessions where tool = ? and native_path is not null',
    ).iterate(tool);
    for (const row of rows)
      yield {
        session_id: String(row['session_id']),
        native_path: String(row['native_path']),
        gone: row['gone'] === 1 ? 1 : 0,
      };
  }

  /** Marks sessions that their tool has deleted, and those that are there again. */
  markGone(gone: readonly string[], back: readonly string[]): void {
    if (gone.length === 0 && back.length === 0) return;
    this.#inTransaction(() => {
      for (const id of gone) this.#setGone(id, 1);
      for (const id of back) this.#setGone(id, 0);
    });
  }

  #setGone(id: string, gone: SessionRow['gone']): void {
    this.#prepare('update sessions set gone = ?1 where session_id = ?2 and gone <> ?1').run(gone, id);
  }

  /** Forgets sessions whose directories are gone. */
  forget(ids: readonly string[], machine: Machine): void {
    this.#inTransaction(() => {
      for (const id of ids) this.#forgetOne(id);
      this.#setMeta('folders', foldersState(this.#store, machine));
    });
  }

  close(): void {
    this.#database.close();
  }

  /** Each statement is compiled once. */
  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#database.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  #putOne(manifest: Manifest, workspace: Workspace | undefined, commit: CommitOutline | undefined): void {
    const row = rowOf(manifest, workspace, commit);
    const id = row.session_id;
    this.#prepare(
      `insert or replace into sessions (${columns.join(', ')}) values (${columns.map(valueOf).join(', ')})`,
    ).run(...columns.map((column) => (column === 'gone' ? id : row[column])));
    this.#prepare('delete from sources where session_id = ?').run(id);
    for (const [key, cursor] of Object.entries(commit?.cursors ?? {})) {
      if (cursor.inherited === true) continue;
      this.#prepare(
        'insert or replace into sources (path, session_id, file_key, size_bytes, modified_ms, device, inode, outside_facts) values (?, ?, ?, ?, ?, ?, ?, ?)',
      ).run(
        cursor.path,
        id,
        key,
        cursor.sizeBytes,
        cursor.modifiedMs,
        cursor.device,
        cursor.inode,
        commit?.outsideFacts ?? '',
      );
    }
  }

  /** Compares the rows with the folders: takes in those without a row, forgets rows without a folder. */
  #reconcile(): void {
    const onDisk = new Set(sessionIdsIn(this.#store));
    const known = new Set(
      this.#prepare('select session_id from sessions')
        .all()
        .map((row) => String(row['session_id'])),
    );
    this.#inTransaction(() => {
      for (const id of known) {
        if (onDisk.has(id)) continue;
        this.#forgetOne(id);
      }
      for (const id of onDisk) if (!known.has(id)) this.#takeIn(id);
    });
  }

  #forgetOne(id: string): void {
    this.#prepare('delete from sessions where session_id = ?').run(id);
    this.#prepare('delete from sources where session_id = ?').run(id);
  }

  /**
   * A directory that cannot be read is left out; opening it by id says what is wrong with it. One that capture began and never
   * committed is no session yet.
   */
  #takeIn(id: string): void {
    const holds = (name: string): boolean => exists(join(sessionFolder(this.#store, id), name));
    if (!holds(layout.manifest) || (holds(layout.native) && !holds(layout.commit))) return;
    try {
      const reader = SessionReader.open(this.#store, id);
      if (reader.manifest.session_id === id) this.#putOne(reader.manifest, reader.workspace, reader.commit);
    } catch (cause) {
      if (!(cause instanceof SessionFsError)) throw cause;
    }
  }

  #meta(key: string): string | undefined {
    const row = this.#prepare('select value from meta where key = ?').get(key);
    return row === undefined ? undefined : String(row['value']);
  }

  #setMeta(key: string, value: string): void {
    this.#prepare('insert or replace into meta (key, value) values (?, ?)').run(key, value);
  }

  #inTransaction(work: () => void): void {
    try {
      this.#database.exec('begin immediate');
      work();
      this.#database.exec('commit');
    } catch (cause) {
      // A full disk ends the transaction by itself.
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw unusable(this.#store, cause);
    }
  }
}

/** Changes whenever a session folder is added or removed. */
function foldersState(store: Store, machine: Machine): string {
  return String(machine.stat(store.sessions)?.modifiedMs ?? 0);
}
