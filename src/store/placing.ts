/**
 * Files that are about to appear in a tool's home lie there under temporary names until they do. A process that is killed
 * leaves them behind: so it notes beforehand where it writes, and the next one takes away what is left.
 */

import { join } from 'node:path';
import { decodeLine } from '../format/line.ts';
import { isLink, isTemporaryOf, makeFolder, namesIn, readBytes, remove, replaceFile } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import { listAt } from '../model/json.ts';
import type { Store } from './store.ts';

/** A note is looked at when it is this old: a process of another machine or container cannot be asked whether it runs. */
const quietMs = 10 * 60_000;

/** Notes that this process places files in these folders (absolute paths) until the returned function is called. */
export function notePlacing(store: Store, machine: Machine, folders: readonly string[]): () => void {
  const path = join(notesIn(store), `${process.pid}-${machine.uuid()}.json`);
  makeFolder(notesIn(store));
  replaceFile(path, JSON.stringify({ folders: [...new Set(folders)] }));
  return () => remove(path);
}

/**
 * Removes the temporary files of processes that are gone, and nothing else: in the folders they noted, under the names that
 * they alone gave. What was removed.
 */
export function sweepPlacing(store: Store, machine: Machine): string[] {
  const removed: string[] = [];
  for (const name of namesIn(notesIn(store))) {
    const note = join(notesIn(store), name);
    const pid = Number(/^(\d+)-[0-9a-f-]+\.json$/.exec(name)?.[1] ?? Number.NaN);
    const info = machine.stat(note);
    if (Number.isNaN(pid) || info === undefined || machine.isRunning(pid)) continue;
    if (machine.now().getTime() - info.modifiedMs < quietMs) continue;
    for (const folder of listAt(decodeLine(readBytes(note).toString('utf8')), 'folders')) {
      if (typeof folder !== 'string' || machine.stat(folder)?.kind !== 'directory' || isLink(folder)) continue;
      for (const left of namesIn(folder).filter((file) => isTemporaryOf(file, pid))) {
        remove(join(folder, left));
        removed.push(join(folder, left));
      }
    }
    remove(note);
  }
  return removed;
}

function notesIn(store: Store): string {
  return join(store.root, 'placing');
}
