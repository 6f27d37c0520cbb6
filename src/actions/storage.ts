/** What the store takes on the disk: by part, tool, project and session. */

import { join } from 'node:path';
import { roomAt, weightOf } from '../io/weigh.ts';
import { namesIn } from '../io/files.ts';
import type { SessionRow } from '../store/session-index.ts';
import { sessionFolder, sessionIdsBelow, sessionIdsIn, storeExists } from '../store/store.ts';
import type { SessionWeight } from '../store/weight.ts';
import { addWeights, noWeight, totalOf, weighSession } from '../store/weight.ts';
import { isGhost } from './ghost.ts';
import type { Site } from './site.ts';
import { withIndex } from './with-index.ts';

/** `storage --json`. Bytes are those on the disk, as `du` counts them. */
export interface Storage {
  /** Absolute path of the store. */
  readonly store: string;
  readonly session_count: number;
  /** All of the store. */
  readonly bytes: number;
  /** Sessions by what takes it, and what else is in the store. */
  readonly parts: SessionWeight & {
    /** Made again when it is removed. */
    readonly index: number;
    readonly trash: number;
    /** Ledger, logs, configuration, and whatever else lies there. */
    readonly other: number;
  };
  /** Deleted sessions that `sfs trash empty` would remove. */
  readonly trash_count: number;
  /** Largest first. */
  readonly tools: readonly { readonly tool: string; readonly session_count: number; readonly bytes: number }[];
  /** Largest first; `null`: those of no known folder. */
  readonly projects: readonly {
    readonly project: string | null;
    readonly session_count: number;
    readonly bytes: number;
  }[];
  /** Largest first. */
  readonly largest: readonly WeighedSession[];
  /** Sessions that are here more than once under one id of their tool: captured, and taken in from elsewhere too. */
  readonly duplicates: { readonly session_count: number; readonly bytes: number };
  /** Of the disk the store lies on. */
  readonly disk: { readonly free_bytes: number; readonly total_bytes: number };
}

/** A session and what it takes. */
export interface WeighedSession {
  readonly session_id: string;
  readonly tool: string;
  readonly title: string | null;
  readonly project: string | null;
  readonly updated_at: string;
  readonly ghost: boolean;
  readonly bytes: number;
}

/** Told while the work goes on. */
export type Counted = (done: number, total: number) => void;

/** Weighs everything; `undefined` when nothing has been captured. `limit`: so many projects and sessions. */
export async function weighStore(site: Site, limit: number, report: Counted): Promise<Storage | undefined> {
  const { store } = site;
  if (!storeExists(store)) return undefined;
  const rows = await withIndex(
    site,
    { create: false },
    (index) => new Map(index.list({}).rows.map((row) => [row.session_id, row])),
  );
  const ids = sessionIdsIn(store);
  let parts = noWeight;
  const largest: { readonly id: string; readonly bytes: number }[] = [];
  const tools = new Sums<string>();
  const projects = new Sums<string | null>();
  const natives = new Map<string, number[]>();
  for (const [done, id] of ids.entries()) {
    report(done, ids.length);
    const weight = weighSession(sessionFolder(store, id));
    const bytes = totalOf(weight);
    parts = addWeights(parts, weight);
    const row = rows.get(id);
    tools.add(row?.tool ?? 'unknown', bytes);
    projects.add(row?.project ?? null, bytes);
    largest.push({ id, bytes });
    if (largest.length > 2 * limit + 100) largest.sort(byWeight).splice(limit);
    if (row?.native_id != null) {
      const key = `${row.tool}\n${row.native_id}`;
      natives.set(key, [...(natives.get(key) ?? []), bytes]);
    }
  }
  report(ids.length, ids.length);
  const copies = [...natives.values()].flatMap((weights) => weights.toSorted((a, b) => b - a).slice(1));
  const index = namesIn(store.root)
    .filter((name) => name.startsWith('index.db'))
    .reduce((sum, name) => sum + weightOf(join(store.root, name)), 0);
  const trash = weightOf(store.trash);
  const rest = namesIn(store.root).filter(
    (name) => !name.startsWith('index.db') && !['sessions', 'trash'].includes(name),
  );
  const other = rest.reduce((sum, name) => sum + weightOf(join(store.root, name)), 0);
  const { freeBytes, totalBytes } = roomAt(store.root);
  return {
    store: store.root,
    session_count: ids.length,
    bytes: totalOf(parts) + index + trash + other,
    parts: { ...parts, index, trash, other },
    trash_count: sessionIdsBelow(store.trash).length,
    tools: tools.largest(Infinity).map(({ of, ...sum }) => ({ tool: of, ...sum })),
    projects: projects.largest(limit).map(({ of, ...sum }) => ({ project: of, ...sum })),
    largest: largest
      .sort(byWeight)
      .slice(0, limit)
      .map(({ id, bytes }) => weighedOf(site, id, rows.get(id), bytes)),
    duplicates: { session_count: copies.length, bytes: copies.reduce((sum, bytes) => sum + bytes, 0) },
    disk: { free_bytes: freeBytes, total_bytes: totalBytes },
  };
}

/** A session with its weight; one without a row could not be read. */
export function weighedOf(site: Site, id: string, row: SessionRow | undefined, bytes: number): WeighedSession {
  return {
    session_id: id,
    tool: row?.tool ?? 'unknown',
    title: row?.title ?? null,
    project: row?.project ?? null,
    updated_at: row?.updated_at ?? '',
    ghost: row !== undefined && isGhost(site.machine, row),
    bytes,
  };
}

function byWeight(a: { readonly bytes: number }, b: { readonly bytes: number }): number {
  return b.bytes - a.bytes;
}

/** Sessions and bytes by something they have in common. */
class Sums<Of> {
  readonly #sums = new Map<Of, { session_count: number; bytes: number }>();

  add(of: Of, bytes: number): void {
    const sum = this.#sums.get(of) ?? { session_count: 0, bytes: 0 };
    sum.session_count += 1;
    sum.bytes += bytes;
    this.#sums.set(of, sum);
  }

  largest(limit: number): { readonly of: Of; readonly session_count: number; readonly bytes: number }[] {
    return Array.from(this.#sums, ([of, sum]) => ({ of, ...sum }))
      .sort(byWeight)
      .slice(0, limit);
  }
}
