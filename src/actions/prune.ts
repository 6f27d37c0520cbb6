/** Making room: the sessions that are old or large enough go, and none that somebody would miss. */

import { SessionFsError } from '../errors.ts';
import { remove } from '../io/files.ts';
import { weightOf } from '../io/weigh.ts';
import { aliasesIn } from '../store/aliases.ts';
import { checkpointNames } from '../store/checkpoints.ts';
import type { SessionIndex, SessionRow } from '../store/session-index.ts';
import { SessionReader } from '../store/session-reader.ts';
import { sessionFolder, storeExists } from '../store/store.ts';
import { moveToTrash } from '../store/trash.ts';
import { auditOf } from './audit.ts';
import type { Context } from './context.ts';
import { hasNative } from './ghost.ts';
import type { Counted, WeighedSession } from './storage.ts';
import { weighedOf } from './storage.ts';
import { homeOf } from './tools.ts';
import { withIndex } from './with-index.ts';

/** Which sessions, and how. At least one of the first three. */
export interface PruneRequest {
  /** ISO 8601: last updated before. */
  readonly olderThan?: string;
  /** Takes more bytes. */
  readonly largerThan?: number;
  /** So many bytes may all sessions take together: the oldest go until they do. */
  readonly keepUnder?: number;
  /** Only of this tool, by id. */
  readonly tool?: string;
  /** Those too that a person has marked: a tag, an alias, a name, a checkpoint. */
  readonly marked: boolean;
  /** Those too that are nowhere else: the tool has deleted its own copy, or they were never captured here. */
  readonly ghosts: boolean;
  /** Not into the trash: away. */
  readonly permanently: boolean;
  /** Without it nothing is done. */
  readonly yes: boolean;
}

/**
 * Why a session stays that was old or large enough.
 * - `live`: its tool has it open, something was said within ten minutes, or a process is writing it here.
 * - `marked`: a person has marked it.
 * - `only-copy`: it is nowhere else.
 */
export type Spared = 'live' | 'marked' | 'only-copy';

/** `prune --json`. Bytes are those on the disk. */
export interface Pruned {
  /** Was it done, or only said? */
  readonly done: boolean;
  readonly permanently: boolean;
  /** Oldest first. */
  readonly sessions: readonly WeighedSession[];
  /** What they take; in the trash, until it is emptied. */
  readonly bytes: number;
  /** How many stay for which reason. */
  readonly spared: Readonly<Record<Spared, number>>;
  /** What all sessions take together, before and after; `null` where nobody asked for a size and it was not weighed. */
  readonly sessions_bytes: { readonly before: number; readonly after: number } | null;
  /** What could not be removed. */
  readonly problems: readonly { readonly session_id: string; readonly problem: string }[];
}

/** So long after something was said a session counts as live. */
const liveMs = 10 * 60_000;
/** So many are taken out of the index at once. */
const groupSize = 200;

/** Says which sessions would go, and with `yes` lets them. Throws `usage`, `store-unwritable`. */
export async function pruneSessions(context: Context, request: PruneRequest, report: Counted): Promise<Pruned> {
  if (request.olderThan === undefined && request.largerThan === undefined && request.keepUnder === undefined)
    throw new SessionFsError(
      'usage',
      'nothing says which sessions are to go',
      'type one of: sfs prune --older-than 90d, sfs prune --larger-than 100MB, sfs prune --keep-under 5GB',
    );
  if (!storeExists(context.store)) return prunedOf(request, [], new Spares(), undefined, []);
  return withIndex(context, { create: false }, (index) => new Pruning(context, request, index, report).run());
}

/** One run. */
class Pruning {
  readonly #context: Context;
  readonly #request: PruneRequest;
  readonly #index: SessionIndex;
  readonly #report: Counted;
  readonly #aliased: ReadonlySet<string>;

  constructor(context: Context, request: PruneRequest, index: SessionIndex, report: Counted) {
    this.#context = context;
    this.#request = request;
    this.#index = index;
    this.#report = report;
    this.#aliased = new Set(aliasesIn(context.store).values());
  }

  run(): Pruned {
    const { keepUnder, tool } = this.#request;
    const rows = this.#index.list({ sort: 'oldest' }).rows;
    const wanted = rows.filter((row) => (tool === undefined || row.tool === tool) && this.#isOld(row));
    const spares = new Spares();
    const going: WeighedSession[] = [];
    const before = keepUnder === undefined ? undefined : this.#weighAll(rows);
    let left = before?.total ?? 0;
    for (const [done, row] of wanted.entries()) {
      if (keepUnder !== undefined && left <= keepUnder) break;
      this.#report(done, wanted.length);
      const bytes = before?.of.get(row.session_id) ?? this.#weigh(row);
      if (bytes <= (this.#request.largerThan ?? -1)) continue;
      const spared = this.#spared(row);
      if (spared !== undefined) {
        spares.count(spared);
        continue;
      }
      going.push(weighedOf(this.#context, row.session_id, row, bytes));
      left -= bytes;
    }
    const { removed, problems } = this.#request.yes ? this.#remove(going) : { removed: going, problems: [] };
    return prunedOf(this.#request, removed, spares, before?.total, problems);
  }

  #isOld({ updated_at: at }: SessionRow): boolean {
    const { olderThan } = this.#request;
    return olderThan === undefined || Date.parse(at) < Date.parse(olderThan);
  }

  #weigh({ session_id: id }: SessionRow): number {
    return weightOf(sessionFolder(this.#context.store, id));
  }

  #weighAll(rows: readonly SessionRow[]): { readonly total: number; readonly of: ReadonlyMap<string, number> } {
    const of = new Map<string, number>();
    let total = 0;
    for (const [done, row] of rows.entries()) {
      this.#report(done, rows.length);
      const bytes = this.#weigh(row);
      of.set(row.session_id, bytes);
      total += bytes;
    }
    return { total, of };
  }

  /** Why it stays, whatever its age and size. */
  #spared(row: SessionRow): Spared | undefined {
    if (this.#isLive(row)) return 'live';
    if (!this.#request.ghosts && !hasNative(this.#context.machine, row)) return 'only-copy';
    if (!this.#request.marked && this.#isMarked(row)) return 'marked';
    return undefined;
  }

  #isLive(row: SessionRow): boolean {
    const { machine } = this.#context;
    if (machine.now().getTime() - Date.parse(row.updated_at) < liveMs) return true;
    const adapter = this.#context.adapters.find(({ id }) => id === row.tool);
    if (adapter?.writer === undefined || row.native_id === null || row.native_path === null) return false;
    return adapter.writer.live(machine, machine.realPath(homeOf(this.#context, adapter)), row.native_id);
  }

  #isMarked(row: SessionRow): boolean {
    if (row.tags !== '[]' || this.#aliased.has(row.session_id)) return true;
    const folder = sessionFolder(this.#context.store, row.session_id);
    if (checkpointNames(folder).length > 0) return true;
    try {
      return SessionReader.at(folder).manifest.metadata?.named !== undefined;
    } catch (cause) {
      if (!(cause instanceof SessionFsError)) throw cause;
      // It cannot be read: nobody can say.
      return true;
    }
  }

  /** One that cannot be moved stays, and is told; a store that cannot be written ends it. */
  #remove(going: readonly WeighedSession[]): {
    readonly removed: readonly WeighedSession[];
    readonly problems: Pruned['problems'];
  } {
    const { store, machine } = this.#context;
    const removed: WeighedSession[] = [];
    const problems: { session_id: string; problem: string }[] = [];
    const log = auditOf(this.#context);
    let group: string[] = [];
    const forget = (): void => {
      if (group.length > 0) this.#index.forget(group, machine);
      group = [];
    };
    try {
      for (const [done, session] of going.entries()) {
        this.#report(done, going.length);
        const { session_id: id, tool } = session;
        try {
          const directory = moveToTrash(store, machine, id);
          log.add({ event: 'delete', session_id: id, tool, outcome: 'done' });
          group.push(id);
          if (this.#request.permanently) {
            remove(directory);
            log.add({ event: 'purge', session_id: id, tool, outcome: 'done' });
          }
          removed.push(session);
        } catch (cause) {
          if (!(cause instanceof SessionFsError) || cause.code === 'store-unwritable') throw cause;
          problems.push({ session_id: id, problem: cause.message });
        }
        if (group.length >= groupSize) forget();
      }
    } finally {
      forget();
      log.write();
    }
    return { removed, problems };
  }
}

/** Counts why sessions stay. */
class Spares {
  readonly counts: Record<Spared, number> = { live: 0, marked: 0, 'only-copy': 0 };

  count(why: Spared): void {
    this.counts[why] += 1;
  }
}

function prunedOf(
  request: PruneRequest,
  sessions: readonly WeighedSession[],
  spares: Spares,
  before: number | undefined,
  problems: Pruned['problems'],
): Pruned {
  const bytes = sessions.reduce((sum, session) => sum + session.bytes, 0);
  return {
    done: request.yes,
    permanently: request.permanently,
    sessions,
    bytes,
    spared: spares.counts,
    sessions_bytes: before === undefined ? null : { before, after: before - bytes },
    problems,
  };
}
