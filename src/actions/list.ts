/** Listing sessions: one documented shape for people's tables and for `--json`. */

import { SessionFsError } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { decodeLine } from '../format/line.ts';
import type { ListQuery, SessionRow } from '../store/session-index.ts';
import { threads } from '../model/thread.ts';
import { storeExists } from '../store/store.ts';
import { isGhost } from './ghost.ts';
import type { Site } from './site.ts';
import { withIndex } from './with-index.ts';

/** One session in `list --json`. Times are ISO 8601; tokens exclude what was read from or written to a cache. */
export interface ListedSession {
  readonly session_id: string;
  readonly native_id: string | null;
  readonly tool: string;
  readonly title: string | null;
  readonly project: string | null;
  readonly model: string | null;
  readonly message_count: number;
  readonly turn_count: number;
  readonly tool_use_count: number;
  readonly total_input_tokens: number;
  readonly total_output_tokens: number;
  readonly estimated_cost_usd: number | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly parent_session_id: string | null;
  readonly tags: readonly string[];
  readonly git_branch: string | null;
  /** The tool has deleted its own copy. */
  readonly ghost: boolean;
}

/** The sessions asked for, and whether the limit left some out. */
export async function listSessions(
  site: Site,
  query: ListQuery,
): Promise<{ readonly sessions: readonly ListedSession[]; readonly more: boolean }> {
  if (!storeExists(site.store)) return { sessions: [], more: false };
  return withIndex(site, { create: false }, (index) => {
    const { rows, more } = index.list(query);
    return { sessions: rows.map((row) => listed(site.machine, row)), more };
  });
}

/** A session in its thread, `list --tree --json`: parents stand before their children. */
export interface ThreadedSession extends ListedSession {
  /** 0: begins a thread; 1: goes on from the last one above with 0; and so on. */
  readonly depth: number;
}

/** Whole threads of the sessions asked for; the limit counts threads. */
export async function listThreads(
  site: Site,
  { limit, ...query }: ListQuery,
): Promise<{ readonly sessions: readonly ThreadedSession[]; readonly more: boolean }> {
  if (!storeExists(site.store)) return { sessions: [], more: false };
  return withIndex(site, { create: false }, (index) => {
    const { members, more } = threads(index.list(query).rows, limit);
    return { sessions: members.map(({ depth, ...row }) => ({ ...listed(site.machine, row), depth })), more };
  });
}

/** A row as it is shown. */
export function listed(machine: Machine, row: SessionRow): ListedSession {
  const tags = decodeLine(row.tags);
  return {
    session_id: row.session_id,
    native_id: row.native_id,
    tool: row.tool,
    title: row.title,
    project: row.project,
    model: row.model,
    message_count: row.message_count,
    turn_count: row.turn_count,
    tool_use_count: row.tool_use_count,
    total_input_tokens: row.input_tokens,
    total_output_tokens: row.output_tokens,
    estimated_cost_usd: row.cost_usd,
    created_at: row.created_at,
    updated_at: row.updated_at,
    parent_session_id: row.parent_session_id,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [],
    git_branch: row.git_branch,
    ghost: isGhost(machine, row),
  };
}

/** `7d`, `12h`, `30m` ago or an ISO 8601 date, as ISO 8601. Throws `usage`. */
export function sinceOf(text: string, now: Date): string {
  const relative = /^(\d+)([mhdw])$/.exec(text);
  if (relative !== null) {
    const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[relative[2] as 'm' | 'h' | 'd' | 'w'];
    return new Date(now.getTime() - Number(relative[1]) * unitMs).toISOString();
  }
  const time = Date.parse(text);
  if (/^\d{4}-\d\d/.test(text) && Number.isFinite(time)) return new Date(time).toISOString();
  throw new SessionFsError(
    'usage',
    `${JSON.stringify(text)} is not a time`,
    'write 7d, 12h, 30m or a date: --since 2026-11-01',
  );
}
