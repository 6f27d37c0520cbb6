/** The audit log as actions write and read it. */

import { SessionFsError } from '../errors.ts';
import { isThread } from '../io/worker.ts';
import type { AuditEntry, AuditEvent, AuditLine } from '../store/audit.ts';
import { AuditLog, auditEvents, auditLines } from '../store/audit.ts';
export type { AuditLine } from '../store/audit.ts';
import type { Site } from './site.ts';

/** A log for one command. */
export function auditOf({ store, machine }: Site): AuditLog {
  return new AuditLog(store, machine, 'command');
}

/** Does the work and notes what it came to, also what it was refused for. What was not found, or wrongly typed, is nothing. */
export async function audited<Result>(
  site: Site,
  event: AuditEvent,
  work: () => Promise<Result>,
  describe: (result: Result) => Omit<AuditEntry, 'event'> | undefined,
): Promise<Result> {
  // What is done there is noted by who asked for it.
  if (isThread()) return work();
  const log = auditOf(site);
  try {
    const result = await work();
    const entry = describe(result);
    if (entry !== undefined) log.add({ event, ...entry });
    return result;
  } catch (cause) {
    if (cause instanceof SessionFsError && cause.exit !== 2 && cause.exit !== 3)
      log.add({ event, session_id: null, tool: null, outcome: cause.code });
    throw cause;
  } finally {
    log.write();
  }
}

/** Which lines. */
export interface AuditQuery {
  /** ISO 8601: at or after. */
  readonly since?: string;
  readonly event?: string;
  /** An id, or the beginning of one. */
  readonly session?: string;
  readonly limit?: number;
}

/** The lines asked for, newest first: `audit --json`. Throws `usage` for an event that there is not. */
export function readAudit({ store }: Site, { since, event, session, limit }: AuditQuery): AuditLine[] {
  if (event !== undefined && !auditEvents.some((known) => known === event))
    throw new SessionFsError(
      'usage',
      `${JSON.stringify(event)} is never noted`,
      `name one of: ${auditEvents.join(', ')}`,
    );
  return auditLines(store)
    .filter(
      (line) =>
        (since === undefined || line.at >= since) &&
        (event === undefined || line.event === event) &&
        (session === undefined ||
          line.session_id?.startsWith(session) === true ||
          line.session_id?.startsWith(`ses_${session}`) === true),
    )
    .toReversed()
    .slice(0, limit);
}
