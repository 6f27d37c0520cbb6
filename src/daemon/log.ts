/** `daemon.log`: what the daemon did, a line each; never what was said in a session. */

import { SessionFsError } from '../errors.ts';
import { exists, readBytes, sizeOf } from '../io/files.ts';
import type { LogFile } from '../io/log-file.ts';
import { logFile } from '../io/log-file.ts';
import type { Store } from '../store/store.ts';
import { prepareStore } from '../store/store.ts';
import { daemonFiles } from './status.ts';

/** Read from the end of the log at most: enough for thousands of lines. Bytes. */
const tailBytes = 1 << 20;

/** Writes lines into the log. On a full disk they are left out: the status says what is wrong. */
export function daemonLog(store: Store): (text: string) => void {
  let log: LogFile | undefined;
  return (text) => {
    try {
      if (log === undefined) {
        prepareStore(store);
        log = logFile(daemonFiles(store).log);
      }
      log.add(text);
    } catch (cause) {
      if (!(cause instanceof SessionFsError)) throw cause;
    }
  };
}

/** The last lines of the log, the one before it included; and the bytes of it that were read, to go on from. */
export function lastLines(store: Store, count: number): { readonly lines: readonly string[]; readonly bytes: number } {
  const { log } = daemonFiles(store);
  const bytes = exists(log) ? sizeOf(log) : 0;
  const lines = [`${log}.1`, log].flatMap((path) => {
    if (!exists(path)) return [];
    const size = path === log ? bytes : sizeOf(path);
    const from = Math.max(0, size - tailBytes);
    return readBytes(path, from, size - from)
      .toString('utf8')
      .split('\n')
      .filter(Boolean);
  });
  return { lines: count === 0 ? [] : lines.slice(-count), bytes };
}

/** What was added to the log behind `bytes`, as far as it is there; from the start when the log is a new one. */
export function linesBehind(
  store: Store,
  bytes: number,
): { readonly lines: readonly string[]; readonly bytes: number } {
  const { log } = daemonFiles(store);
  if (!exists(log)) return { lines: [], bytes: 0 };
  const from = sizeOf(log) < bytes ? 0 : bytes;
  const added = readBytes(log, from);
  const end = added.lastIndexOf('\n') + 1;
  return { lines: added.subarray(0, end).toString('utf8').split('\n').filter(Boolean), bytes: from + end };
}
