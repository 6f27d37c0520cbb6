/** What files take on the disk. */

import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { unreadable } from './file-errors.ts';

/** A file or folder, and the bytes it takes itself. */
export interface Weighed {
  /** Names from the folder that was asked for downwards; empty for that folder itself. */
  readonly path: readonly string[];
  readonly bytes: number;
}

/** Everything in a folder, itself included, as `du` counts it; links are not followed. Nothing there: nothing. Throws `unreadable`. */
export function* weigh(folder: string): Generator<Weighed> {
  yield* weighAt(folder, []);
}

/** The sum of {@link weigh}. */
export function weightOf(path: string): number {
  let sum = 0;
  for (const { bytes } of weigh(path)) sum += bytes;
  return sum;
}

function* weighAt(path: string, names: readonly string[]): Generator<Weighed> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  yield { path: names, bytes: diskBytes(stats) };
  if (!stats.isDirectory()) return;
  for (const name of namesIn(path)) yield* weighAt(join(path, name), [...names, name]);
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (cause) {
    // Removed meanwhile.
    if (systemCodeOf(cause) === 'ENOENT') return [];
    throw unreadable(path, cause);
  }
}

const blockBytes = 512;

/** A system that does not count blocks says 0, or nothing. */
function diskBytes({ blocks, size }: Stats): number {
  return blocks > 0 ? blocks * blockBytes : size;
}

/** Room on the disk a path lies on: what this account may still write, and how large it is. Bytes. Throws `unreadable`. */
export function roomAt(path: string): { readonly freeBytes: number; readonly totalBytes: number } {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}
