/** Files held by one writer at a time. */

import { linkSync, openSync, closeSync, readFileSync, rmSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
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
      if (borrowed(path) || made(path)) {
        heldLocks.add(path);
        return true;
      }
    } catch (cause) {
      throw unwritable(path, cause);
    }
    const mark = readIfThere(path);
    const holder = Number(mark.split('/')[0]);
    // The own mark, and this thread does not hold it: left by a process that had the same number.
    if (mark !== ownMark() && Number.isInteger(holder) && holder > 0 && isRunning(holder)) return false;
    rmSync(path, { force: true });
  }
  return false;
}

/**
 * Sees to it that a lock which {@link takeLock} gave is still held: one that somebody removed is taken again. `false` when another
 * process has it by now.
 */
export function keepLock(path: string, isRunning: (pid: number) => boolean): boolean {
  if (readIfThere(path) === ownMark()) return true;
  heldLocks.delete(path);
  return takeLock(path, isRunning);
}

/** Lets a lock go that {@link takeLock} gave. */
export function releaseLock(path: string): void {
  heldLocks.delete(path);
  try {
    unlinkSync(path);
  } catch (cause) {
    // Gone with its folder.
    if (systemCodeOf(cause) !== 'ENOENT') throw cause;
  }
}

/**
 * A lock that is held already says the same, so it serves as the new one's file too. An import takes thousands, and ext4 looks
 * at every file that was removed within the last minute before it makes one.
 */
function borrowed(path: string): boolean {
  const [lender] = heldLocks;
  return lender !== undefined && linked(lender, path) === 'done';
}

/** Makes a lock that has its text from the moment it is seen; `false` when there is one. */
function made(path: string): boolean {
  const draft = `${path}.${ownMark().replace('/', '-')}`;
  writeFileSync(draft, ownMark(), { mode: 0o600 });
  try {
    const outcome = linked(draft, path);
    return outcome === 'unable' ? createdAt(path) : outcome === 'done';
  } finally {
    rmSync(draft, { force: true });
  }
}

/** `unable`: the file system has no (more) hard links. */
function linked(from: string, to: string): 'done' | 'taken' | 'unable' {
  try {
    linkSync(from, to);
    return 'done';
  } catch (cause) {
    return systemCodeOf(cause) === 'EEXIST' ? 'taken' : 'unable';
  }
}

function createdAt(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    writeSync(file, ownMark());
    closeSync(file);
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === 'EEXIST') return false;
    throw cause;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Released meanwhile: as good as empty.
    return '';
  }
}
