/** The system's own record of a file as ours. */

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
