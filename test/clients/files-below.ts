/** A walk over regular files that others add and remove meanwhile. */

import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Paths of the regular files below `folder`, relative to it, sorted. Links are not followed; what is gone has none. */
export function filesBelow(folder: string): readonly string[] {
  const walk = (place: string): readonly string[] =>
    (unlessGone(() => readdirSync(place, { withFileTypes: true })) ?? []).flatMap((entry) => {
      const path = join(place, entry.name);
      if (entry.isDirectory()) return walk(path);
      return entry.isFile() ? [relative(folder, path)] : [];
    });
  return walk(folder).toSorted();
}

/** The text of a file; empty when it has gone since it was listed. */
export function textOfFile(path: string): string {
  return unlessGone(() => readFileSync(path, 'utf8')) ?? '';
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
