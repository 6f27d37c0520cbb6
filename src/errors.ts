/** The one error class of the product and the one table of its codes. Open to every room. */

/**
 * What can go wrong, by code. `exit` is the process status (0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict,
 * 5 refused by policy); `http` is the status the server and the local API answer with.
 */
export const errorCodes = {
  failed: { exit: 1, http: 500 },
  unreadable: { exit: 1, http: 500 },
  'store-unwritable': { exit: 1, http: 507 },
  'newer-format': { exit: 1, http: 422 },
  'invalid-session': { exit: 1, http: 422 },
  'invalid-config': { exit: 1, http: 422 },
  usage: { exit: 2, http: 400 },
  'unknown-tool': { exit: 2, http: 400 },
  'unsupported-tool': { exit: 2, http: 400 },
  'session-not-found': { exit: 3, http: 404 },
  'message-not-found': { exit: 3, http: 404 },
  'checkpoint-not-found': { exit: 3, http: 404 },
  'alias-not-found': { exit: 3, http: 404 },
  'path-not-found': { exit: 3, http: 404 },
  'workspace-not-found': { exit: 3, http: 404 },
  'daemon-not-running': { exit: 3, http: 404 },
  'ambiguous-session': { exit: 4, http: 409 },
  'ambiguous-message': { exit: 4, http: 409 },
  'already-exists': { exit: 4, http: 409 },
  'session-live': { exit: 4, http: 409 },
  'session-busy': { exit: 4, http: 409 },
  'daemon-running': { exit: 4, http: 409 },
  'version-too-old': { exit: 5, http: 403 },
  'outside-home': { exit: 5, http: 403 },
} as const satisfies Record<string, { exit: number; http: number }>;

/** A code of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** An error a person can act on: what happened to what (`message`), and what to type next (`hint`). */
export class SessionFsError extends Error {
  readonly code: ErrorCode;
  /** One line: the command or the change that helps. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SessionFsError';
    this.code = code;
    this.hint = hint;
  }

  /** The process exit status for this error. */
  get exit(): number {
    return errorCodes[this.code].exit;
  }
}

/** The text of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system error code (`ENOENT`, `ENOSPC`, …) of anything thrown; `undefined` when it has none. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
