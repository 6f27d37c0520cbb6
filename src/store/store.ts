/** The store: one folder that holds every captured session. Its directories are the truth; the index is a cache. */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { directoryName } from '../format/layout.ts';
import { exists, makeFolder, namesIn } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import { isSessionId } from '../model/session-id.ts';

/** Where things are. */
export interface Store {
  /** `SFS_HOME`, else `~/.sessionfs`. */
  readonly root: string;
  readonly sessions: string;
  /** Deleted sessions until it is emptied. */
  readonly trash: string;
  readonly index: string;
  readonly ledger: string;
  readonly config: string;
}

/** The store of this person on this machine; nothing is created. */
export function storeAt(machine: Machine): Store {
  const set = machine.env['SFS_HOME'];
  const root = set !== undefined && set !== '' ? set : join(machine.homeDir, '.sessionfs');
  return {
    root,
    sessions: join(root, 'sessions'),
    trash: join(root, 'trash'),
    index: join(root, 'index.db'),
    ledger: join(root, 'ledger'),
    config: join(root, 'config.toml'),
  };
}

/** Makes the folders, private to this person. Throws `store-unwritable`. */
export function prepareStore(store: Store): void {
  for (const folder of [store.root, store.sessions, store.ledger]) makeFolder(folder);
}

/** The directory of a session. */
export function sessionFolder(store: Store, sessionId: string): string {
  return folderIn(store.sessions, sessionId);
}

/** The directory a session has below `sessions` or `trash`. Throws `usage` for what is no id. */
export function folderIn(parent: string, sessionId: string): string {
  if (!isSessionId(sessionId))
    throw new SessionFsError(
      'usage',
      `${JSON.stringify(sessionId)} is not a session id`,
      'list the sessions: sfs list',
    );
  return join(parent, directoryName(sessionId));
}

/** The ids of the session directories that are there. */
export function sessionIdsIn(store: Store): string[] {
  return sessionIdsBelow(store.sessions);
}

/** The ids of the session directories in a folder. */
export function sessionIdsBelow(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => name.endsWith('.sfs'))
    .map((name) => name.slice(0, -'.sfs'.length))
    .filter(isSessionId);
}

/** Has anything been captured yet? */
export function storeExists(store: Store): boolean {
  return exists(store.sessions);
}

/** Why a session cannot be written now. */
export function sessionBusy(id: string): SessionFsError {
  return new SessionFsError(
    'session-busy',
    `another process is writing ${id}`,
    'wait for it to end and run the command again',
  );
}
