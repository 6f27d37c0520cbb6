/** A `.sfs` directory from elsewhere becomes a session of this store under an id of its own. */

import { join } from 'node:path';
import { Gathering } from '../capture/gather.ts';
import { SessionReader, readLiveOps } from '../store/session-reader.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import { layout } from '../format/layout.ts';
import { sessionId } from '../model/ids.ts';
import { readingOrder } from '../model/order.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Context } from './context.ts';
import { withIndex } from './with-index.ts';
import type { ImportResult } from './import.ts';

/** Takes the directory in; again, it adds only what is new there. Throws `newer-format`, `invalid-session`. */
export async function importDirectory(context: Context, path: string): Promise<ImportResult> {
  const theirs = SessionReader.at(path);
  // Never the id of one of ours: what came from elsewhere does not merge into an own session.
  const id = sessionId('sfs', `${theirs.manifest.source.tool}\n${theirs.manifest.session_id}`);
  return withIndex(context, { create: true }, async (index) => {
    const writer = openForWriting(context.store, context.machine, id);
    try {
      const gathering = new Gathering(writer);
      const skipped: number[] = [];
      for (const message of readingOrder(theirs.lines((line) => skipped.push(line)))) gathering.message(message);
      if (writer.isNew)
        for (const op of readLiveOps(join(path, layout.live), theirs.commit?.liveBytes)) gathering.live(op);
      for (const _ of skipped) gathering.loss('malformed-message');
      const manifest: Manifest = {
        ...theirs.manifest,
        session_id: id,
        metadata: {
          ...theirs.manifest.metadata,
          imported_from: theirs.manifest.session_id,
          ...(gathering.losses.size === 0 ? {} : { losses: Object.fromEntries(gathering.losses) }),
        },
      };
      const staged = await writer.stage(
        {
          ...writer.before,
          tally: gathering.tally,
          promptTitle: gathering.promptTitle,
          records: { message: gathering.tally.messages },
          losses: Object.fromEntries(gathering.losses),
        },
        { manifest, workspace: theirs.workspace, tools: theirs.tools },
      );
      const { failed } = await commitAll([staged]);
      for (const { why } of failed) throw why;
      index.put([{ manifest, workspace: theirs.workspace, commit: staged.commit }], context.machine);
      const outcome = writer.isNew ? 'new' : gathering.added > 0 ? 'grown' : 'unchanged';
      const tool = theirs.manifest.source.tool;
      return {
        tools: [
          {
            tool,
            home: path,
            found: 1,
            new: Number(outcome === 'new'),
            grown: Number(outcome === 'grown'),
            unchanged: Number(outcome === 'unchanged'),
            failed: 0,
            messages: gathering.added,
          },
        ],
        sessions: [{ session_id: id, tool, outcome, messages: gathering.added }],
        bytes: 0,
        problems: skipped.map((line) => ({
          path: `${join(path, layout.messages)}:${line}`,
          problem: 'is not a message; it was left out',
        })),
      };
    } catch (cause) {
      writer.close();
      throw cause;
    }
  });
}
