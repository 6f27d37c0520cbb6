/** Files held by one writer at a time. */

import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { systemCodeOf } from '../errors.ts';
import { builtin } from './builtin.ts';
import { unwritable } from './file-errors.ts';

const heldLocks = new Set<string>();

/** Process and thread: two threads of one process are two writers. */
function ownMark(): string {
  return `${process.pid}/${builtin('node:worker_threads').threadId}`;
}

/** A file held by one writer: its text is process and thread. `false` when a running one, this one included, holds it. */
export function takeLock(path: string, isRunning: (pid: number) => boolean): boolean {
  if (heldLocks.has(path)) return false;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, ownMark());
      closeSync(file);
      heldLocks.add(path);
      return true;
    } catch (cause) {
      if (systemCodeOf(cause) !== 'EEXIST') throw unwritable(path, cause);
    }
    const mark = readIfThere(path);
    const holder = Number(mark.split('/')[0]);
    // The own mark, and this thread does not hold it: left by a process that had the same number.
    if (mark !== ownMark() && Number.isInteger(holder) && holder > 0 && isRunning(holder)) return false;
    rmSync(path, { force: true });
  }
  return false;
}

/** Lets a lock go that {@link takeLock} gave. */
export function releaseLock(path: string): void {
  heldLocks.delete(path);
  rmSync(path, { force: true });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Released meanwhile: as good as empty.
    return '';
  }
}
