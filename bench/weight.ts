/** What a store weighs on the disk, by part. */

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './figure.ts';
import { megabytes } from './figure.ts';

/** The parts of a store. */
type Part = 'native archive' | 'messages' | 'meta' | 'index' | 'folders';

/** Bytes of the files, and bytes of the disk blocks they take. */
interface Weight {
  readonly apparent: number;
  readonly blocks: number;
}

/** What a store weighs beside the native bytes it was made from. */
export function weightFigures(store: string, nativeBytes: number): Figure[] {
  const { all, ...parts } = weigh(store);
  const ratio = (bytes: number): string => `${(bytes / nativeBytes).toFixed(3)} ×`;
  const figure = (name: string, weight: Weight): Figure => ({
    name,
    value: `${megabytes(weight.apparent)}; blocks ${megabytes(weight.blocks)}`,
    floor: megabytes(nativeBytes),
    against: `${ratio(weight.apparent)}; blocks ${ratio(weight.blocks)}`,
    numbers: { ...weight },
  });
  return [
    {
      ...figure('stored, all included', all),
      goal: '≤ 1.0 ×',
      met: Math.max(all.apparent, all.blocks) <= nativeBytes,
    },
    ...Object.entries(parts).map(([part, weight]) => figure(`  ${part}`, weight)),
  ];
}

/** The weight of every part. `meta`: commits, manifests and what else stands beside the messages. */
function weigh(store: string): Record<Part | 'all', Weight> {
  const parts = {
    'native archive': zero(),
    messages: zero(),
    meta: zero(),
    index: zero(),
    folders: zero(),
    all: zero(),
  };
  const add = (part: Part, path: string): void => {
    const { size, blocks } = lstatSync(path);
    for (const weight of [parts[part], parts.all]) {
      weight.apparent += part === 'folders' ? 0 : size;
      weight.blocks += blocks * 512;
    }
  };
  const walk = (folder: string, part: Part): void => {
    add('folders', folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path, entry.name === 'native' ? 'native archive' : part);
      else add(partOf(entry.name, part), path);
    }
  };
  walk(store, 'meta');
  return parts;
}

function partOf(name: string, folder: Part): Part {
  if (name.startsWith('index.db')) return 'index';
  return name === 'messages.jsonl' ? 'messages' : folder;
}

function zero(): { apparent: number; blocks: number } {
  return { apparent: 0, blocks: 0 };
}
