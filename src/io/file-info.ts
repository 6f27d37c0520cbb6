/** The system's own record of a file as ours. */

import { statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import type { FileInfo } from './machine.ts';

/** What we keep of the system's own record of a file. */
export function infoOf(stats: Stats): FileInfo {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    sizeBytes: stats.size,
    modifiedMs: stats.mtimeMs,
    device: stats.dev,
    inode: stats.ino,
  };
}

/** The same by path, links followed; `undefined` when nothing is there. */
export function statOf(path: string): FileInfo | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : infoOf(stats);
}
