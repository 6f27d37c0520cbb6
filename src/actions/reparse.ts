/** Deriving messages again, by today's readers, from the native bytes that are kept. */

import type { Adapter } from '../adapters/adapter.ts';
import { rederive } from '../capture/rederive.ts';
import { SessionFsError } from '../errors.ts';
import type { SessionIndex, SessionRow } from '../store/session-index.ts';
import type { Context } from './context.ts';
import { findSession } from './find-session.ts';
import { toolNamed } from './tools.ts';
import { withIndex } from './with-index.ts';

/** Which sessions: one, those of a tool, or all. */
export interface ReparseRequest {
  readonly session?: string;
  readonly from?: string;
  readonly all: boolean;
  /** Say what would change, and change nothing. */
  readonly dryRun: boolean;
}

/** What it came to for one session: an object of `reparse --json`. */
export interface Reparsed {
  readonly session_id: string;
  readonly tool: string;
  readonly title: string | null;
  /** `left`: it cannot be derived again, as `why` says. `failed`: what is kept of it is damaged, or it is in use. */
  readonly outcome: 'changed' | 'unchanged' | 'left' | 'failed';
  /** Messages that were not there. */
  readonly added: number;
  /** Newer forms of messages that were. */
  readonly revised: number;
  readonly why: string | null;
}

/** Derives each session again and says what changed. Throws `usage`, `unknown-tool`, `session-not-found`, `store-unwritable`. */
export async function reparseSessions(
  context: Context,
  request: ReparseRequest,
  report: (done: number, total: number) => void,
): Promise<readonly Reparsed[]> {
  const asked = [request.session !== undefined, request.from !== undefined || request.all].filter(Boolean);
  if (asked.length !== 1)
    throw new SessionFsError(
      'usage',
      asked.length === 0 ? 'no session was named' : 'one session was named, and others',
      'type one of: sfs reparse ID, sfs reparse --from TOOL, sfs reparse --all',
    );
  const only = request.from === undefined ? undefined : toolNamed(context, request.from);
  return withIndex(context, { create: false }, async (index) => {
    const rows =
      request.session === undefined
        ? index.list(only === undefined ? {} : { tool: only.id }).rows
        : [findSession(index, request.session, context)];
    const done: Reparsed[] = [];
    for (const row of rows) {
      const adapter = context.adapters.find(({ id }) => id === row.tool);
      done.push(await reparseOne(context, index, adapter, row, request.dryRun));
      report(done.length, rows.length);
    }
    return done;
  });
}

/** A session that fails leaves the others alone; a store that cannot be written ends it. */
async function reparseOne(
  context: Context,
  index: SessionIndex,
  adapter: Adapter | undefined,
  row: SessionRow,
  isTrial: boolean,
): Promise<Reparsed> {
  const { session_id: id, tool, title } = row;
  const nothing = { session_id: id, tool, title, added: 0, revised: 0, why: null };
  try {
    const site = { machine: context.machine, store: context.store, index };
    return { ...nothing, ...(await rederive(site, adapter, id, { isTrial })) };
  } catch (cause) {
    if (!(cause instanceof SessionFsError) || cause.code === 'store-unwritable') throw cause;
    return { ...nothing, outcome: 'failed', why: cause.message };
  }
}
