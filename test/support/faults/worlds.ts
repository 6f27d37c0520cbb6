/** Each kind of source there is, of each tool. */

import type { Random } from '../../../bench/corpus/random.ts';
import { DocumentWorld } from './document-world.ts';
import { EditorWorld } from './editor-world.ts';
import { claude, codex, gemini, transcript } from './log-forms.ts';
import { LogWorld } from './log-world.ts';
import { StoreWorld } from './store-world.ts';
import type { Size, World } from './world.ts';
import { small } from './world.ts';

/** One kind of source of one tool. */
export interface WorldKind {
  readonly adapter: string;
  readonly kind: string;
  /** Is its tool's home watched all of the time? */
  readonly isWatched: boolean;
  /** Makes one below the tool's home. */
  make(home: string, random: Random, size?: Size): World;
}

const logs = [
  ['claude-code', 'log', claude, true],
  ['codex', 'log', codex, true],
  ['gemini-cli', 'log', gemini, true],
  ['cursor', 'transcript', transcript, false],
] as const;

export const worlds: readonly WorldKind[] = [
  ...logs.map(([adapter, kind, form, isWatched]): WorldKind => ({
    adapter,
    kind,
    isWatched,
    make: (home, random, size = small) => new LogWorld({ adapter, kind, form, home }, random, size),
  })),
  {
    adapter: 'gemini-cli',
    kind: 'document',
    isWatched: true,
    make: (home, random, size = small) => new DocumentWorld(home, random, size),
  },
  {
    adapter: 'cursor',
    kind: 'database',
    isWatched: true,
    make: (home, random, size = small) => new EditorWorld(home, random, size),
  },
  {
    adapter: 'cursor',
    kind: 'database of blobs',
    isWatched: false,
    make: (home, random, size = small) => new StoreWorld(home, random, size),
  },
];
