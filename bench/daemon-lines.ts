/** What a person says in a session of Claude Code while the daemon watches. */

import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';

/** A prompt as Claude Code appends it: the one with this number, on the one before it. */
export function promptLine(sessionId: string, round: number): string {
  const uuid = `${String(round).padStart(8, '0')}-0000-4000-8000-000000000000`;
  const parent = round === 0 ? null : `${String(round - 1).padStart(8, '0')}-0000-4000-8000-000000000000`;
  return `${JSON.stringify({
    parentUuid: parent,
    isSidechain: false,
    userType: 'external',
    cwd: '/home/me/work',
    sessionId,
    version: '2.1.330',
    type: 'user',
    message: { role: 'user', content: `Go on with number ${round}.` },
    uuid,
    timestamp: new Date().toISOString(),
  })}\n`;
}

/** How many messages each session has in the list: a row of the index, by native id. */
export function listing(store: string): { count(nativeId: string): number; close(): void } {
  const index = new DatabaseSync(join(store, 'index.db'), { readOnly: true });
  const query = index.prepare('select message_count as count from sessions where native_id = ?');
  return { count: (nativeId) => Number(query.get(nativeId)?.['count'] ?? 0), close: () => index.close() };
}
