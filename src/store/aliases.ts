/** Aliases: names that a person gave to sessions, kept in the ledger. */

import { isObject } from '../model/json.ts';
import { ledgerLines } from './ledger.ts';
import type { Store } from './store.ts';

/** Alias → session id, in the order they were given. */
export function aliasesIn(store: Store): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const entry of ledgerLines(store, 'aliases')) {
    if (!isObject(entry) || typeof entry['alias'] !== 'string') continue;
    aliases.delete(entry['alias']);
    if (typeof entry['session_id'] === 'string') aliases.set(entry['alias'], entry['session_id']);
  }
  return aliases;
}
