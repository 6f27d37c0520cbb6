/** What a vendor's program does to a session of its own that no writing of ours can help: seen, and no failure. */

import type { Column } from './checks.ts';

/** One such thing: the check that it fails, and what that says. When the check passes, the entry has to go. */
export type Known = {
  readonly pair: string;
  readonly column: Column;
  readonly says: RegExp;
  readonly why: string;
};

/** All of them. */
export const known: readonly Known[] = [
  {
    pair: 'claude-code@2.0.76 → claude-code@2.0.76',
    column: 'lineage',
    says: /^the session grew by 13 messages/,
    why: 'it writes its own prompt of text and image again, and what follows, under new ids',
  },
];
