/** What the user sets on a session: kept in its manifest, whatever capture makes of the rest. */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { layout } from '../format/layout.ts';
import { exists, makeFolder, replaceFile } from '../io/files.ts';
import { releaseLock, takeLock } from '../io/lock.ts';
import type { Machine } from '../io/machine.ts';
import type { Manifest } from '../model/manifest.ts';
import { readManifest } from './session-reader.ts';
import { sessionBusy } from './store.ts';

/** Changes the manifest of a session directory; what it is then. Throws `session-busy`, `store-unwritable`. */
export function editManifest(
  folder: string,
  machine: Machine,
  id: string,
  change: (manifest: Manifest) => Manifest,
): Manifest {
  return whileHeld(folder, machine, id, () => {
    const path = join(folder, layout.manifest);
    const changed = change(readManifest(path));
    replaceFile(path, `${JSON.stringify(changed, null, 2)}\n`);
    return changed;
  });
}

/** Runs work while no other process writes the session. Throws `session-busy`. */
export function whileHeld<T>(folder: string, machine: Machine, id: string, work: () => T): T {
  if (!exists(folder))
    throw new SessionFsError('session-not-found', `there is no session ${id}`, 'list the sessions: sfs list --all');
  makeFolder(join(folder, 'meta'));
  const lock = join(folder, layout.lock);
  if (!takeLock(lock, machine.isRunning)) throw sessionBusy(id);
  try {
    return work();
  } finally {
    releaseLock(lock);
  }
}
