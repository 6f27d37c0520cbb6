/** Checkpoints of a session: made, listed, deleted. */

import { wrongName } from '../model/name.ts';
import type { Checkpoint } from '../store/checkpoints.ts';
import { checkpointsIn, createCheckpoint, deleteCheckpoint } from '../store/checkpoints.ts';
import type { SessionIndex } from '../store/session-index.ts';
import { SessionReader } from '../store/session-reader.ts';
import { sessionFolder } from '../store/store.ts';
import { catchUp } from './catch-up.ts';
import type { Context } from './context.ts';
import { findSession } from './find-session.ts';
import { onThread } from './on-thread.ts';
import { refuse } from './registers.ts';
import type { Site } from './site.ts';
import { withIndex } from './with-index.ts';

/** One checkpoint: `checkpoint create --json`, and one object each in `checkpoint list --json`. */
export interface ShownCheckpoint {
  readonly session_id: string;
  readonly name: string;
  readonly created_at: string;
  /** Message id. */
  readonly leaf: string | null;
  readonly message_count: number;
}

/** Makes a checkpoint of the session as it is now. Throws `usage`, `already-exists`. */
export async function makeCheckpoint(
  context: Context,
  request: { readonly session: string; readonly name: string },
): Promise<ShownCheckpoint> {
  const { session: argument, name } = request;
  refuse('a name', name, wrongName(name), `type another: sfs checkpoint create ${argument} before-refactor`);
  return withIndex(context, { create: false }, async (index) => {
    const found = findSession(index, argument, context);
    const done = await onThread<ShownCheckpoint>(context, found.session_id, 'makeCheckpoint', request);
    if (done !== undefined) return done;
    const adapter = context.adapters.find(({ id }) => id === found.tool);
    await catchUp({ machine: context.machine, store: context.store, index }, adapter, found);
    const id = found.session_id;
    const made = createCheckpoint(sessionFolder(context.store, id), context.machine, id, name);
    refresh(context, index, id);
    return shownOf(id, made);
  });
}

/** The checkpoints of a session, oldest first. */
export async function listCheckpoints(site: Site, argument: string): Promise<ShownCheckpoint[]> {
  return withIndex(site, { create: false }, (index) => {
    const { session_id: id } = findSession(index, argument, site);
    return checkpointsIn(sessionFolder(site.store, id), site.machine).map((one) => shownOf(id, one));
  });
}

/** Deletes a checkpoint; sessions that were forked from it stay. Throws `checkpoint-not-found`. */
export async function removeCheckpoint(
  site: Site,
  argument: string,
  name: string,
): Promise<{ readonly session_id: string; readonly name: string }> {
  return withIndex(site, { create: false }, (index) => {
    const { session_id: id } = findSession(index, argument, site);
    deleteCheckpoint(sessionFolder(site.store, id), site.machine, id, name);
    refresh(site, index, id);
    return { session_id: id, name };
  });
}

function refresh(site: Site, index: SessionIndex, id: string): void {
  const { manifest, workspace, commit } = SessionReader.open(site.store, id);
  index.put([{ manifest, workspace, commit }], site.machine);
}

function shownOf(id: string, { name, created_at: at, leaf, message_count: count }: Checkpoint): ShownCheckpoint {
  return { session_id: id, name, created_at: at, leaf, message_count: count };
}
