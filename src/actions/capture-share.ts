/** Capturing on two threads: each takes half of the sources, with an index connection of its own. */

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
/** So many bytes go to a thread however few sources they are: its heap is bounded. */
const largeBytes = 64 << 20;

/** What a thread is to capture: plain data. */
export interface Share {
  readonly env: { readonly [name: string]: string | undefined };
  readonly homeDir: string;
  readonly sources: readonly { readonly tool: string; readonly source: Source }[];
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
  const threads = halves(changed, sizeOf).map((share) => captureAway(site, share, report));
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
  report: (captured: Captured) => void,
): Promise<void> {
  const share: Share = {
    env: { ...site.machine.env },
    homeDir: site.machine.homeDir,
    sources: sources.map(({ adapter, source }) => ({ tool: adapter.id, source })),
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

/** One thread's work: captures its share and tells of each source. */
export async function runShare(context: Context, share: Share, post: (message: ShareMessage) => void): Promise<void> {
  const places = new Map<Source, number>();
  const sources = share.sources.flatMap(({ tool, source }, at): Found[] => {
    const adapter = context.adapters.find(({ id }) => id === tool);
    places.set(source, at);
    return adapter === undefined ? [] : [{ adapter, source }];
  });
  try {
    await withIndex(context, { create: false }, (index) =>
      captureAll({ machine: context.machine, store: context.store, index }, sources, ({ found, ...captured }) =>
        post({ at: places.get(found.source) ?? -1, captured }),
      ),
    );
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    post({ broken: { code: cause.code, message: cause.message, hint: cause.hint } });
  }
}

/** Two shares of about the same weight, each in the same order; one of a single source. */
function halves(sources: readonly Found[], sizeOf: (found: Found) => number): readonly (readonly Found[])[] {
  const one: Found[] = [];
  const other: Found[] = [];
  let balance = 0;
  for (const found of sources) {
    const size = sizeOf(found);
    if (balance <= 0) one.push(found);
    else other.push(found);
    balance += balance <= 0 ? size : -size;
  }
  return [one, other].filter((share) => share.length > 0);
}
