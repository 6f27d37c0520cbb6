/** Does the index say what the session directories say? It is read as it lies, beside whoever uses it. */

import { exists, remove } from '../io/files.ts';
import type { Row } from '../io/machine.ts';
import { SessionFsError } from '../errors.ts';
import { schemaVersion } from '../store/index-database.ts';
import { rowOf } from '../store/session-index.ts';
import { SessionReader } from '../store/session-reader.ts';
import { sessionFolder, sessionIdsIn } from '../store/store.ts';
import type { Site } from './site.ts';
import { withIndex } from './with-index.ts';

/** Every row by session id; `undefined` when there is no index. */
export function indexRows({ machine, store }: Site): Map<string, Row> | 'unreadable' | 'other-version' | undefined {
  if (machine.stat(store.index) === undefined) return undefined;
  const [whole] = machine.query(store.index, 'pragma quick_check(1)') ?? [];
  if (whole?.['quick_check'] !== 'ok') return 'unreadable';
  const [version] = machine.query(store.index, "select value from meta where key = 'schema'") ?? [];
  if (version?.['value'] !== schemaVersion) return 'other-version';
  const rows = machine.query(store.index, 'select * from sessions');
  return rows === undefined ? 'unreadable' : new Map(rows.map((row) => [String(row['session_id']), row]));
}

/**
 * Does the row say what the directory says? `undefined`: that cannot be read. What was committed meanwhile has another row by now,
 * so one that differs is asked for once more.
 */
export function isInIndex(site: Site, id: string, row: Row | undefined): boolean | undefined {
  const first = agrees(site, id, row);
  if (first !== false) return first;
  const [now] = site.machine.query(site.store.index, 'select * from sessions where session_id = ?', [id]) ?? [];
  return agrees(site, id, now);
}

function agrees(site: Site, id: string, row: Row | undefined): boolean | undefined {
  try {
    const { manifest, workspace, commit } = SessionReader.open(site.store, id);
    if (manifest.session_id !== id) return undefined;
    return Object.entries(rowOf(manifest, workspace, commit)).every(([column, value]) => row?.[column] === value);
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    return undefined;
  }
}

/** In what the index differs, by session ids. */
export interface Differences {
  /** So many are the same. */
  readonly same: number;
  readonly missing: readonly string[];
  readonly differing: readonly string[];
  readonly superfluous: readonly string[];
  /** Their directories cannot be read, so nothing can be said. */
  readonly unreadable: readonly string[];
}

/** Compares every row with its directory. */
export function indexDifferences(site: Site): Differences | 'unreadable' | 'other-version' | undefined {
  const rows = indexRows(site);
  if (!(rows instanceof Map)) return rows;
  const missing: string[] = [];
  const differing: string[] = [];
  const unreadable: string[] = [];
  let same = 0;
  for (const id of sessionIdsIn(site.store)) {
    const row = rows.get(id);
    const isSame = isInIndex(site, id, row);
    if (isSame === true) same += 1;
    else (isSame === undefined ? unreadable : row === undefined ? missing : differing).push(id);
    rows.delete(id);
  }
  const superfluous = [...rows.keys()].filter((id) => !exists(sessionFolder(site.store, id)));
  return { same, missing, differing, superfluous, unreadable };
}

/** Makes the index say what the directories say; what was done, in words. */
export async function mendIndex(site: Site, found: Differences | 'unreadable' | 'other-version'): Promise<string> {
  if (typeof found === 'string') {
    // It is made when it is opened.
    for (const suffix of ['', '-wal', '-shm']) remove(`${site.store.index}${suffix}`);
    return withIndex(site, { create: true }, (index) => `made it again: ${index.list({}).rows.length} sessions`);
  }
  return withIndex(site, { create: true }, (index) => {
    const taken = [...found.missing, ...found.differing];
    index.put(
      taken.map((id) => {
        const { manifest, workspace, commit } = SessionReader.open(site.store, id);
        return { manifest, workspace, commit };
      }),
      site.machine,
    );
    index.forget(found.superfluous, site.machine);
    return `took in ${taken.length} sessions, forgot ${found.superfluous.length}`;
  });
}
