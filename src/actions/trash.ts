/** Deleting sessions, and taking them back: what is deleted stays out of every import, whatever its tool still has. */

import { SessionFsError } from '../errors.ts';
import type { Manifest } from '../model/manifest.ts';
import { aliasesIn } from '../store/aliases.ts';
import { SessionReader } from '../store/session-reader.ts';
import { sessionIdsBelow, storeExists, folderIn } from '../store/store.ts';
import { deletedSessions, emptyTrash, isInTrash, moveToTrash, takeFromTrash } from '../store/trash.ts';
import { auditOf, audited } from './audit.ts';
import { findSession } from './find-session.ts';
import type { Site } from './site.ts';
import { withIndex } from './with-index.ts';

/** A session in the trash: `delete --json`, and one object each in `trash --json`. */
export interface Deleted {
  readonly session_id: string;
  readonly tool: string;
  readonly title: string | null;
  readonly message_count: number;
  readonly updated_at: string;
  /** ISO 8601; `null` when nothing says. */
  readonly deleted_at: string | null;
  /** Absolute path in the trash. */
  readonly directory: string;
}

/** `restore --json`. */
export interface Restored {
  readonly session_id: string;
  readonly title: string | null;
  /** `null` when the trash was emptied: the next import takes in what the tool still has. */
  readonly directory: string | null;
}

/** Puts a session into the trash. Throws as `findSession`, `session-busy`. */
export async function deleteSession(site: Site, argument: string): Promise<Deleted> {
  return audited(
    site,
    'delete',
    () => deleteNow(site, argument),
    ({ session_id: id, tool }) => ({ session_id: id, tool, outcome: 'done' }),
  );
}

async function deleteNow(site: Site, argument: string): Promise<Deleted> {
  return withIndex(site, { create: false }, (index) => {
    const { session_id: id } = findSession(index, argument, site);
    const { manifest } = SessionReader.open(site.store, id);
    const directory = moveToTrash(site.store, site.machine, id);
    index.forget([id], site.machine);
    return deletedOf(id, manifest, deletedSessions(site.store).get(id) ?? null, directory);
  });
}

/** Takes a deleted session back. Throws `session-not-found`, `ambiguous-session`. */
export async function restoreSession(site: Site, argument: string): Promise<Restored> {
  return audited(
    site,
    'restore',
    () => restoreNow(site, argument),
    ({ session_id: id, directory }) => ({
      session_id: id,
      tool: null,
      outcome: directory === null ? 'mark-removed' : 'done',
    }),
  );
}

async function restoreNow(site: Site, argument: string): Promise<Restored> {
  return withIndex(site, { create: false }, (index) => {
    const id = deletedNamed(site, argument);
    const directory = takeFromTrash(site.store, site.machine, id);
    if (directory === undefined) return { session_id: id, title: null, directory: null };
    const reader = SessionReader.at(directory);
    index.put([{ manifest: reader.manifest, workspace: reader.workspace, commit: reader.commit }], site.machine);
    return { session_id: id, title: reader.manifest.title ?? null, directory };
  });
}

/** What lies in the trash, last deleted first. A directory that cannot be read is listed without its words. */
export function listTrash(site: Site): Deleted[] {
  const deleted = deletedSessions(site.store);
  return sessionIdsBelow(site.store.trash)
    .map((id) => {
      const directory = folderIn(site.store.trash, id);
      return deletedOf(id, manifestIn(directory), deleted.get(id) ?? null, directory);
    })
    .toSorted((a, b) => ((a.deleted_at ?? '') < (b.deleted_at ?? '') ? 1 : -1));
}

/** Removes for good what lies in the trash; the sessions stay out of imports all the same. */
export function clearTrash(site: Site): { readonly emptied: readonly string[] } {
  const emptied = storeExists(site.store) ? emptyTrash(site.store, site.machine) : [];
  const log = auditOf(site);
  for (const id of emptied) log.add({ event: 'purge', session_id: id, tool: null, outcome: 'done' });
  log.write();
  return { emptied };
}

function deletedOf(id: string, manifest: Manifest | undefined, at: string | null, directory: string): Deleted {
  return {
    session_id: id,
    tool: manifest?.source.tool ?? 'unknown',
    title: manifest?.title ?? null,
    message_count: manifest?.stats?.message_count ?? 0,
    updated_at: manifest?.updated_at ?? manifest?.created_at ?? '',
    deleted_at: at,
    directory,
  };
}

function manifestIn(directory: string): Manifest | undefined {
  try {
    return SessionReader.at(directory).manifest;
  } catch (cause) {
    if (cause instanceof SessionFsError) return undefined;
    throw cause;
  }
}

/** A deleted session by its id, an alias, the beginning of the id, or the tool's own id. */
function deletedNamed(site: Site, argument: string): string {
  const deleted = [...deletedSessions(site.store).keys()];
  const exact = aliasesIn(site.store).get(argument) ?? argument;
  if (deleted.includes(exact)) return exact;
  const isNamed = (id: string): boolean =>
    id.startsWith(argument) ||
    id.startsWith(`ses_${argument}`) ||
    (isInTrash(site.store, id) &&
      (manifestIn(folderIn(site.store.trash, id))?.source.original_session_id ?? '').startsWith(argument));
  const [found, ...others] = argument === '' || argument === 'ses_' ? [] : deleted.filter(isNamed);
  if (found === undefined)
    throw new SessionFsError(
      'session-not-found',
      `no deleted session is called ${JSON.stringify(argument)}`,
      'list those in the trash: sfs trash',
    );
  if (others.length > 0)
    throw new SessionFsError(
      'ambiguous-session',
      `${JSON.stringify(argument)} means more than one deleted session:\n${[found, ...others].map((id) => `  ${id}`).join('\n')}`,
      'type more of the id',
    );
  return found;
}
