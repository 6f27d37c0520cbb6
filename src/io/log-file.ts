/** A log that stays small: lines with their time, the older half in a second file. */

import { appendFileSync, renameSync, statSync } from 'node:fs';
import { unwritable } from './file-errors.ts';

/** Writes lines at the end of a file of mode 0600. */
export interface LogFile {
  /** One line; control characters become spaces. Throws `store-unwritable`. */
  add(text: string): void;
}

/** At `limitBytes` the file becomes `<path>.1`, in place of the one before. */
export function logFile(path: string, limitBytes = 1 << 20): LogFile {
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return {
    add: (text) => {
      const line = `${new Date().toISOString()} ${text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')}\n`;
      try {
        if (size > 0 && size + line.length > limitBytes) {
          renameSync(path, `${path}.1`);
          size = 0;
        }
        appendFileSync(path, line, { mode: 0o600 });
        size += Buffer.byteLength(line);
      } catch (cause) {
        throw unwritable(path, cause);
      }
    },
  };
}
