/** What the daemon captured, for the audit log: a line for each session when it has been quiet for a while, not for each append. */

import { captureEntry } from '../capture/audit.ts';
import type { Captured } from '../capture/capture.ts';
import type { AuditEntry, AuditLog } from '../store/audit.ts';

/** A session is quiet when nothing came in for so long. */
const quietMs = 60_000;
/** One that is never quiet has a line this often all the same. */
const longestMs = 600_000;
/** So many sessions wait for their line at most. */
const mostWaiting = 1000;

interface Waiting {
  readonly first: Captured;
  readonly sinceMs: number;
  lastMs: number;
  last: Captured;
  messages: number;
  bytes: number;
}

/** Gathers captures by session. What waits when the process is killed has no line. */
export class CaptureAudit {
  readonly #log: AuditLog;
  readonly #waiting = new Map<string, Waiting>();

  constructor(log: AuditLog) {
    this.#log = log;
  }

  /** Notes what capturing one source came to. */
  add(captured: Captured, nowMs: number): void {
    if (captureEntry(captured) === undefined) return;
    const { sessionId, messages, bytes } = captured;
    const waiting = this.#waiting.get(sessionId);
    if (waiting === undefined)
      this.#waiting.set(sessionId, { first: captured, sinceMs: nowMs, lastMs: nowMs, last: captured, messages, bytes });
    else {
      waiting.lastMs = nowMs;
      waiting.last = captured;
      waiting.messages += messages;
      waiting.bytes += bytes;
    }
    if (this.#waiting.size >= mostWaiting) this.writeAll();
  }

  /** Writes the lines of those that are quiet. */
  write(nowMs: number): void {
    for (const [id, { sinceMs, lastMs }] of this.#waiting)
      if (nowMs - lastMs >= quietMs || nowMs - sinceMs >= longestMs) this.#take(id);
    this.#log.write();
  }

  /** Writes every line that waits. */
  writeAll(): void {
    for (const id of this.#waiting.keys()) this.#take(id);
    this.#log.write();
  }

  #take(id: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting !== undefined) this.#log.add(entryOf(waiting));
  }
}

/** A session that was new and then grew was new; of what failed and then came in, the end counts. */
function entryOf({ first, last, messages, bytes }: Waiting): AuditEntry {
  const outcome = first.outcome === 'new' || first.outcome === 'rewritten' ? first.outcome : last.outcome;
  return {
    event: 'capture',
    session_id: last.sessionId,
    tool: last.found.adapter.id,
    outcome,
    details: { messages, bytes },
  };
}
