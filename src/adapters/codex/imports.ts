/** Threads that Codex's own importer made of sessions of other tools, and what it notes of them. */

import type { SessionFacts } from '../adapter.ts';
import type { Machine } from '../../io/machine.ts';
import { listAt, stringAt } from '../../model/json.ts';
import { parseText, readTextAt } from './names.ts';

/** The session a thread was made of. */
export type Origin = NonNullable<SessionFacts['parent']>;

/**
 * By thread id, the session it was made of, as far as the ledger tells one that can be read: a file of Claude Code is called
 * after its session. Of several imports of one file each made a thread of its own.
 *
 *     {"records":[{"source_path":"/home/me/.claude/projects/-w/5b0e6a52-….jsonl","content_sha256":"…",
 *      "imported_thread_id":"01a2…","imported_at":1795411117,"source_modified_at":1795411000000000000}]}
 */
export function importedThreads(machine: Machine, home: string): Map<string, Origin> {
  const ledger = parseText(readTextAt(machine, `${home}/external_agent_session_imports.json`) ?? '');
  const origins = new Map<string, Origin>();
  for (const record of listAt(ledger, 'records')) {
    const thread = stringAt(record, 'imported_thread_id');
    const nativeId = claudeFile.exec(stringAt(record, 'source_path') ?? '')?.[1];
    if (thread !== undefined && nativeId !== undefined) origins.set(thread, { tool: 'claude-code', nativeId });
  }
  return origins;
}

const claudeFile =
  /[\\/]projects[\\/][^\\/]+[\\/]([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.jsonl$/i;

/** A turn that the importer made; one of Codex itself has a UUID. */
export function isImportedTurn(turnId: string | undefined): boolean {
  return turnId?.startsWith('external-import-turn-') === true;
}
