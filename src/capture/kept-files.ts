/** The native files of a session as they are kept, put where capture can read them again. */

import { join } from 'node:path';
import type { Adapter, SourceFile } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { prepareFile, readBytes } from '../io/files.ts';
import { hashOf } from '../io/hash.ts';
import type { Machine } from '../io/machine.ts';
import { readArchive, readOldGeneration } from '../store/archive.ts';
import type { Commit, Cursor } from '../store/commit.ts';
import { SessionReader } from '../store/session-reader.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import type { CaptureSite } from './capture.ts';
import { guardAt } from './read-source.ts';

/** One native file as it is to be read again. */
export interface Kept {
  readonly key: string;
  readonly is: Pick<SourceFile, 'kind' | 'agentId'>;
  readonly cursor: Cursor;
  /** The session directory and the key it is archived under: another session's for what was inherited. */
  readonly folder: string;
  readonly archiveKey: string;
  readonly archived: Commit['native'][string];
}

/** The files in the order they were read; or why they cannot be. */
export function filesOf(site: CaptureSite, adapter: Adapter, nativeId: string, writer: SessionWriter): Kept[] | string {
  const { native } = writer.before;
  const cursors = writer.promised;
  const lost = Object.keys(native).find((key) => cursors[key] === undefined);
  if (lost !== undefined) return `nothing says what file ${lost} was: import it again from its source`;
  const inherited: Kept[] = [];
  const own: Kept[] = [];
  for (const [key, cursor] of Object.entries(cursors)) {
    const is = adapter.reader.fileOf(nativeId, key, cursor.path);
    if (is === undefined) return `${cursor.path} is no file that ${adapter.name} is known to write`;
    if (cursor.inherited === true) {
      const from = inheritedFrom(site, cursor);
      if (from === undefined) return `what it goes on from, ${cursor.path}, is not in the store`;
      inherited.push({ key, is: { kind: is.kind }, cursor, ...from });
      continue;
    }
    const archived = native[key];
    if (archived === undefined) return `nothing is kept of ${cursor.path}`;
    own.push({ key, is, cursor, folder: writer.folder, archiveKey: key, archived });
  }
  return [...inherited, ...own];
}

/** The archive of a file that is another session's. */
function inheritedFrom(
  site: CaptureSite,
  cursor: Cursor,
): Pick<Kept, 'folder' | 'archiveKey' | 'archived'> | undefined {
  const row = site.index.source(cursor.path);
  if (row === undefined) return undefined;
  const { folder, commit } = SessionReader.open(site.store, row.session_id);
  const archived = commit?.native[row.file_key];
  return archived === undefined ? undefined : { folder, archiveKey: row.file_key, archived };
}

/** Puts the bytes a file had in a round where capture can read them. */
export function unpackInto(folder: string, file: Kept, round: number): SourceFile {
  const { key, cursor, archived, is } = file;
  const isInherited = cursor.inherited === true;
  const generation = isInherited ? archived.generation : Math.min(round, archived.generation);
  const path = join(folder, `${generation}.${key}`);
  const isNewest = generation === archived.generation;
  if (!(round > 0 && (isInherited || archived.generation < round))) {
    prepareFile(
      path,
      isNewest
        ? readArchive(file.folder, file.archiveKey, archived)
        : [readOldGeneration(file.folder, file.archiveKey, generation, archived)],
    ).publish();
    if (isNewest) refuseDamaged(path, file);
  }
  return { key, path, ...is, ...(isInherited ? { inherited: { bytes: cursor.offset } } : {}) };
}

/** The tail has no hash of its own; the cursor has one of what came last. */
function refuseDamaged(path: string, { is, cursor, archiveKey, folder }: Kept): void {
  const guard = is.kind === 'log' ? guardAt(path, cursor.offset) : hashOf(readBytes(path));
  if (guard === cursor.guard) return;
  throw new SessionFsError(
    'invalid-session',
    `the archive of ${archiveKey} in ${folder} does not hold what was read`,
    'import the session again from its source, or restore the file from a copy',
  );
}

/** The machine, with the time each file had at its source: records without a time of their own go by it. */
export function withTimes(machine: Machine, folder: string, kept: readonly Kept[]): Machine {
  const times = new Map(kept.map(({ key, cursor }) => [key, cursor.modifiedMs]));
  return {
    ...machine,
    stat: (path) => {
      const info = machine.stat(path);
      const name = path.startsWith(folder) ? path.slice(folder.length + 1) : '';
      const modifiedMs = times.get(name.slice(name.indexOf('.') + 1));
      return info === undefined || modifiedMs === undefined ? info : { ...info, modifiedMs };
    },
  };
}
