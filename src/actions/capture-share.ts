/** Capturing on two threads: each takes the next source whenever it has done with one, and has an index connection of its own. */

import type { Source } from '../adapters/adapter.ts';
import type { Captured, CaptureSite, Found } from '../capture/capture.ts';
import { captureAll, isUpToDate } from '../capture/capture.ts';
import type { ErrorCode } from '../errors.ts';
import { SessionFsError } from '../errors.ts';
import { hasSecondProcessor, runThread } from '../io/worker.ts';
import { adapters } from './adapters.ts';
import type { Context } from './context.ts';
import { withIndex } from './with-index.ts';

/** Below so many changed sources a second thread costs more than it saves. */
const worthSharing = 48;
/** An import keeps both processors of a small machine busy, and its memory is bounded for two. */
const mostThreads = 2;
/** So many bytes go to a thread however few sources they are: its heap is bounded. */
const largeBytes = 64 << 20;

/** What a thread is to capture: plain data. */
export interface Share {
  readonly env: { readonly [name: string]: string | undefined };
  readonly homeDir: string;
  readonly sources: readonly { readonly tool: string; readonly source: Source }[];
  /** Shared between the threads: the place of the next source that nobody has taken. */
  readonly next: Int32Array;
}

/** What a thread says of one source, by its place in the share; or why it cannot go on. */
export type ShareMessage =
  | { readonly at: number; readonly captured: Omit<Captured, 'found'> }
  | { readonly broken: { readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined } };

/** Captures everything, on two threads where that pays. Sessions are made durable newest first on each. Throws as `captureAll`. */
export async function captureShared(
  site: CaptureSite,
  sources: readonly Found[],
  sizeOf: (found: Found) => number,
  report: (captured: Captured) => void,
): Promise<void> {
  // The thread knows the tools of the registry and no others.
  const changed = hasSecondProcessor()
    ? sources.filter((found) => adapters.includes(found.adapter) && !isUpToDate(site, found))
    : [];
  const isLarge = changed.reduce((sum, found) => sum + sizeOf(found), 0) >= largeBytes;
  if (changed.length < worthSharing && !isLarge) return captureAll(site, sources, report);
  const shared = new Set(changed);
  const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const threads = changed.slice(0, mostThreads).map(() => captureAway(site, changed, next, report));
  // This thread's heap cannot be bounded any more, theirs can: it takes only what they cannot.
  const here = captureAll(
    site,
    sources.filter((found) => !shared.has(found)),
    report,
  );
  for (const result of await Promise.allSettled([here, ...threads]))
    if (result.status === 'rejected') throw result.reason;
}

async function captureAway(
  site: CaptureSite,
  sources: readonly Found[],
  next: Int32Array,
  report: (captured: Captured) => void,
): Promise<void> {
  const share: Share = {
    env: { ...site.machine.env },
    homeDir: site.machine.homeDir,
    sources: sources.map(({ adapter, source }) => ({ tool: adapter.id, source })),
    next,
  };
  let broken: SessionFsError | undefined;
  await runThread('capture-thread', share, (message) => {
    // Posted by runShare alone.
    const said = message as ShareMessage;
    if ('broken' in said) broken = new SessionFsError(said.broken.code, said.broken.message, said.broken.hint);
    else {
      const found = sources[said.at];
      if (found !== undefined) report({ ...said.captured, found });
    }
  });
  if (broken !== undefined) throw broken;
}

/** One thread's work: captures of its share what nobody else has taken, and tells of each source. */
export async function runShare(context: Context, share: Share, post: (message: ShareMessage) => void): Promise<void> {
  const places = new Map<Source, number>();
  function* taken(): Generator<Found> {
    for (let at = Atomics.add(share.next, 0, 1); at < share.sources.length; at = Atomics.add(share.next, 0, 1)) {
      const given = share.sources[at];
      const adapter = context.adapters.find(({ id }) => id === given?.tool);
      if (given === undefined || adapter === undefined) continue;
      places.set(given.source, at);
      yield { adapter, source: given.source };
    }
  }
  try {
    await withIndex(context, { create: false }, (index) =>
      captureAll({ machine: context.machine, store: context.store, index }, taken(), ({ found, ...captured }) =>
        post({ at: places.get(found.source) ?? -1, captured }),
      ),
    );
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    post({ broken: { code: cause.code, message: cause.message, hint: cause.hint } });
  }
}
