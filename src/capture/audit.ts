/** What capture leaves in the audit log. */

import type { AuditEntry } from '../store/audit.ts';
import type { Captured } from './capture.ts';

/** The entry of one source that was looked at; `undefined` when nothing came of it. */
export function captureEntry({ found, sessionId, outcome, messages, bytes }: Captured): AuditEntry | undefined {
  if (outcome === 'unchanged' || outcome === 'empty' || outcome === 'deleted') return undefined;
  return { event: 'capture', session_id: sessionId, tool: found.adapter.id, outcome, details: { messages, bytes } };
}
