/** Which sessions a tool has deleted, as far as its own file being there does not tell: marked when its whole home was looked through. */

import { sep } from 'node:path';
import type { Adapter } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { sessionId } from '../model/ids.ts';
import type { SessionIndex } from '../store/session-index.ts';

/**
 * Marks the sessions of a tool that are no longer in its home, and takes the mark from those that are there again. `nativeIds`: of
 * all that was found there, nothing being unreadable. A home that is empty, as a volume that is not mounted leaves it, tells nothing.
 */
export function noteGone(
  { machine, index }: { readonly machine: Machine; readonly index: SessionIndex },
  { adapter, home }: { readonly adapter: Adapter; readonly home: string },
  nativeIds: Iterable<string>,
): void {
  const homes = [home, ...(adapter.home.beside?.(machine, home) ?? [])].filter(
    (folder) => machine.stat(folder)?.kind === 'directory' && machine.list(folder).length > 0,
  );
  if (homes.length === 0) return;
  const there = new Set<string>();
  for (const nativeId of nativeIds) there.add(sessionId(adapter.id, nativeId));
  const gone: string[] = [];
  const back: string[] = [];
  for (const { session_id: id, native_path: path, gone: wasGone } of index.nativePaths(adapter.id)) {
    if (there.has(id)) {
      if (wasGone === 1) back.push(id);
    } else if (wasGone === 0 && homes.some((folder) => isBelow(folder, path)) && isMissing(machine, path))
      gone.push(id);
  }
  try {
    index.markGone(gone, back);
  } catch (cause) {
    // On a full or read-only disk what is known can still be listed; the mark comes with the next look.
    if (!(cause instanceof SessionFsError) || cause.code !== 'store-unwritable') throw cause;
  }
}

/** What was imported from elsewhere is not looked for here. */
function isBelow(home: string, path: string): boolean {
  return path.startsWith(`${home}${sep}`) || path.startsWith(`${home}/`);
}

function isMissing(machine: Machine, path: string): boolean {
  try {
    return machine.stat(path) === undefined;
  } catch {
    // A folder on the way may not be looked into: nothing is known.
    return false;
  }
}
