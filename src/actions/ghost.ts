/**
 * Ghosts: sessions that were captured here and whose tool has deleted its own copy. A file is looked at when it is asked for; what
 * lies in a database, or was deleted together with folders, is marked when all of its tool's home is looked through.
 */

import { dirname } from 'node:path';
import type { FileInfo, Machine } from '../io/machine.ts';
import type { SessionRow } from '../store/session-index.ts';

/** So far above a session's file its tool's home may lie: `<home>/projects/<project>/<session>`. Nothing further up is looked at. */
const levelsToHome = 3;

/**
 * Has the tool deleted it? Not where nobody can tell: where the home is not there, is empty (a volume that is not mounted leaves an
 * empty folder) or cannot be read.
 */
export function isGhost(machine: Machine, row: Pick<SessionRow, 'native_path' | 'gone'>): boolean {
  const { native_path: path, gone } = row;
  if (path === null || lookAt(machine, path) !== 'missing') return false;
  if (gone === 1) return true;
  let folder = dirname(path);
  for (let level = 1; level <= levelsToHome; level += 1, folder = dirname(folder)) {
    const found = lookAt(machine, folder);
    if (found === 'missing') continue;
    // In a database, which says nothing by being there; or a folder that cannot be read.
    if (found === 'unreadable' || found.kind !== 'directory') return false;
    return level === 1 || !isEmpty(machine, folder);
  }
  return false;
}

/** Is its tool's own copy certainly there now? Of a session in a database: as far as the last look into it tells. */
export function hasNative(machine: Machine, { native_path: path, gone }: SessionRow): boolean {
  if (path === null) return false;
  const found = lookAt(machine, path);
  if (found !== 'missing' && found !== 'unreadable') return true;
  const database = gone === 1 ? 'missing' : lookAt(machine, dirname(path));
  return database !== 'missing' && database !== 'unreadable' && database.kind === 'file';
}

function lookAt(machine: Machine, path: string): FileInfo | 'missing' | 'unreadable' {
  try {
    return machine.stat(path) ?? 'missing';
  } catch {
    // A folder on the way may not be looked into.
    return 'unreadable';
  }
}

function isEmpty(machine: Machine, folder: string): boolean {
  try {
    return machine.list(folder).length === 0;
  } catch {
    // It may hold anything.
    return true;
  }
}
