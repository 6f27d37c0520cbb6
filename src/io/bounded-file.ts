/** A file that several processes append to and that stays bounded: the older half is a second file, `<path>.1`. */

import { appendFileSync, renameSync, statSync } from 'node:fs';
import { unwritable } from './file-errors.ts';
import { releaseLock, takeLock } from './lock.ts';

/**
 * Appends text of whole lines, mode 0600; not flushed. A file that would get larger than `limitBytes` becomes `<path>.1` first, in
 * place of the one before. Throws `store-unwritable`.
 */
export function appendBounded(
  path: string,
  text: string,
  { limitBytes, isRunning }: { readonly limitBytes: number; readonly isRunning: (pid: number) => boolean },
): void {
  const isFull = (): boolean => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    return size > 0 && size + text.length > limitBytes;
  };
  const lock = `${path}.lock`;
  try {
    // Of several that find it full one moves it.
    if (isFull() && takeLock(lock, isRunning)) {
      try {
        if (isFull()) renameSync(path, `${path}.1`);
      } finally {
        releaseLock(lock);
      }
    }
    appendFileSync(path, text, { mode: 0o600 });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
