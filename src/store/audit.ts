/**
 * `audit.log`: what was done with sessions, by whom and when, a JSON object a line; never what was said in one, and no secrets. It
 * is bounded: at 8 MiB it becomes `audit.log.1`, in place of the one before.
 */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { decodeLine, encodeLine } from '../format/line.ts';
import { accountName } from '../io/account.ts';
import { appendBounded } from '../io/bounded-file.ts';
import { exists, readBytes } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import { isObject } from '../model/json.ts';
import type { Store } from './store.ts';
import { storeExists } from './store.ts';

/**
 * What can happen to sessions.
 * - `capture`: one session of a tool came in, or could not be read.
 * - `import`: a run over the tools of this machine, or a path, that changed something.
 * - `take-in`: a `.sfs` directory from elsewhere came in.
 * - `purge`: removed for good.
 */
export const auditEvents = ['capture', 'import', 'take-in', 'resume', 'export', 'delete', 'restore', 'purge'] as const;

/** A name of {@link auditEvents}. */
export type AuditEvent = (typeof auditEvents)[number];

/** What happened. */
export interface AuditEntry {
  readonly event: AuditEvent;
  /** `null` where it is of several, or of none that was found. */
  readonly session_id: string | null;
  readonly tool: string | null;
  /** `done`, what it came to (`new`, `restored`, …), or the code of the error it ended with. */
  readonly outcome: string;
  /** Numbers and names that belong to it. */
  readonly details?: { readonly [name: string]: number | string | readonly string[] };
}

/** A line of the log. */
export interface AuditLine extends AuditEntry {
  /** ISO 8601. */
  readonly at: string;
  /** The account of the system. */
  readonly account: string;
  /** A command that somebody typed, or the daemon by itself. */
  readonly by: 'command' | 'daemon';
}

const limitBytes = 8 << 20;
/** So much is gathered before it is written, for so long at most. */
const gatherBytes = 64 << 10;
const gatherMs = 1000;

/** Where it is. */
export function auditPath(store: Store): string {
  return join(store.root, 'audit.log');
}

/** Writes to the log. On a full or read-only disk lines are left out: what they tell of goes on, and `sfs doctor` says so. */
export class AuditLog {
  readonly #store: Store;
  readonly #machine: Machine;
  readonly #by: AuditLine['by'];
  #gathered = '';
  #since = 0;

  constructor(store: Store, machine: Machine, by: AuditLine['by']) {
    this.#store = store;
    this.#machine = machine;
    this.#by = by;
  }

  /** Adds a line, which is in the file after {@link write}, or after a while of adding. */
  add(entry: AuditEntry): void {
    const now = Date.now();
    if (this.#gathered === '') this.#since = now;
    const line: AuditLine = {
      at: this.#machine.now().toISOString(),
      account: accountName(),
      by: this.#by,
      ...entry,
    };
    this.#gathered += `${encodeLine(line)}\n`;
    if (this.#gathered.length >= gatherBytes || now - this.#since >= gatherMs) this.write();
  }

  /** Appends what was gathered, in one write. */
  write(): void {
    const text = this.#gathered;
    this.#gathered = '';
    if (text === '' || !storeExists(this.#store)) return;
    try {
      appendBounded(auditPath(this.#store), text, { limitBytes, isRunning: this.#machine.isRunning });
    } catch (cause) {
      if (!(cause instanceof SessionFsError)) throw cause;
    }
  }
}

/** Every line that can be read, oldest first. */
export function auditLines(store: Store): AuditLine[] {
  const path = auditPath(store);
  return [`${path}.1`, path].flatMap((file) => {
    if (!exists(file)) return [];
    const lines = readBytes(file).toString('utf8').split('\n').filter(Boolean).map(decodeLine);
    return lines.filter(isAuditLine);
  });
}

function isAuditLine(value: unknown): value is AuditLine {
  if (!isObject(value)) return false;
  const { at, event, outcome, session_id: id } = value;
  return (
    typeof at === 'string' &&
    typeof event === 'string' &&
    typeof outcome === 'string' &&
    (id === null || typeof id === 'string')
  );
}
