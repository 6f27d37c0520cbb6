/** One session in full: what it is, what was said, what it cost. */

import { costOf } from '../capture/price.ts';
import { aliasesIn } from '../store/aliases.ts';
import { checkpointsIn } from '../store/checkpoints.ts';
import { SessionReader } from '../store/session-reader.ts';
import type { ListedSession } from './list.ts';
import { listed } from './list.ts';
import type { Manifest, ModelUsage, Workspace } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import type { Site } from './site.ts';
import { withIndex } from './with-index.ts';
import { findSession } from './find-session.ts';

export { isKnown } from '../model/block.ts';

/** A session's facts, `show --json`. */
export interface Shown extends ListedSession {
  readonly manifest: Manifest;
  readonly workspace: Workspace | undefined;
  readonly aliases: readonly string[];
  /** Names, oldest first. */
  readonly checkpoints: readonly string[];
  /** Absolute path of the `.sfs` directory. */
  readonly directory: string;
}

/** What each model used and cost. US dollars; `null` when the price table does not know the model. */
export interface ModelCost extends ModelUsage {
  readonly model: string;
  readonly cost_usd: number | null;
}

/** The session meant by an argument. Throws as `findSession` and `SessionReader.open` do. */
export async function openSession(
  site: Site,
  argument: string,
): Promise<{ readonly shown: Shown; readonly reader: SessionReader }> {
  return withIndex(site, { create: false }, (index) => {
    const row = findSession(index, argument, site);
    const reader = SessionReader.open(site.store, row.session_id);
    return {
      reader,
      shown: {
        ...listed(site.machine, row),
        manifest: reader.manifest,
        workspace: reader.workspace,
        aliases: [...aliasesIn(site.store)].flatMap(([alias, id]) => (id === reader.id ? [alias] : [])),
        checkpoints: checkpointsIn(reader.folder, site.machine).map(({ name }) => name),
        directory: reader.folder,
      },
    };
  });
}

/** One message of the timeline, and whether the model would see it if the session went on now. */
export interface ShownMessage extends Message {
  readonly live: boolean;
}

/** The timeline in reading order with the live view marked, read from the disk one at a time. `last`: only so many at its end. */
export function* timelineOf(reader: SessionReader, last?: number): Generator<ShownMessage> {
  const live = new Set(reader.liveIds());
  for (const message of reader.timeline(last)) yield { ...message, live: live.has(message.msg_id) };
}

/** Usage and cost by model. */
export async function costs(manifest: Manifest): Promise<ModelCost[]> {
  const usage = Object.entries(manifest.metadata?.usage ?? {});
  return Promise.all(
    usage.map(async ([model, tokens]) => ({ model, ...tokens, cost_usd: await costOf({ [model]: tokens }) })),
  );
}
