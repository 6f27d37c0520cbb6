/**
 * Which events beside a database tell of a change. Its readers make some too: SQLite sets the owner of `-wal` and `-shm` anew
 * when root opens them, and notes in `-shm` what is being read. Who searches at each of these searches for ever.
 */

import type { FileInfo } from '../io/machine.ts';

/** So long after the last write a file's time tells one state of it from the next; some file systems know seconds only. Milliseconds. */
const settledMs = (modifiedMs: number): number => (modifiedMs % 1000 === 0 ? 2000 : 10);

/** How each file lay when its change was last told, as far as that tells. */
export class DatabaseChanges {
  readonly #told = new Map<string, string>();

  /** Does an event at this path say that something was written? `info`: how the file lies now, at `nowMs` since 1970. */
  isWrite(path: string, info: FileInfo | undefined, nowMs: number): boolean {
    if (path.endsWith('-shm')) return false;
    const before = this.#told.get(path);
    this.#told.delete(path);
    if (info === undefined) return true;
    const lies = `${info.inode} ${info.sizeBytes} ${info.modifiedMs}`;
    if (nowMs - info.modifiedMs > settledMs(info.modifiedMs)) this.#told.set(path, lies);
    return lies !== before;
  }
}
