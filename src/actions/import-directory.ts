/** A `.sfs` directory from elsewhere becomes a session of this store under an id of its own. */

import { join } from 'node:path';
import { costOf } from '../capture/price.ts';
import { Gathering } from '../capture/gather.ts';
import { decodeForeignMessage } from '../format/decode.ts';
import { layout } from '../format/layout.ts';
import { sessionId } from '../model/ids.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import { statsOf } from '../model/tally.ts';
import { SessionReader, readLiveOps } from '../store/session-reader.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import { deletedSessions } from '../store/trash.ts';
import { SessionFsError } from '../errors.ts';
import type { Context } from './context.ts';
import type { ImportResult } from './import.ts';
import { withIndex } from './with-index.ts';

/** Takes the directory in; again, it adds only what is new there. Throws `newer-format`, `invalid-session`. */
export async function importDirectory(context: Context, path: string): Promise<ImportResult> {
  const theirs = SessionReader.at(path);
  const { tool } = theirs.manifest.source;
  // Never the id of one of ours: what came from elsewhere does not merge into an own session.
  const id = sessionId('sfs', `${tool}\n${theirs.manifest.session_id}`);
  if (deletedSessions(context.store).has(id))
    throw new SessionFsError(
      'already-exists',
      `${path} was taken in as ${id}, which was deleted here`,
      `take it back first: sfs restore ${id}`,
    );
  return withIndex(context, { create: true }, async (index) => {
    const writer = openForWriting(context.store, context.machine, id);
    try {
      const gathering = new Gathering(writer);
      gathering.losses.clear();
      const { messages, skipped } = foreignMessages(theirs, gathering);
      for (const message of messages) gathering.message(message);
      takeLive(theirs, path, writer, gathering);
      gathering.finish();
      const manifest = await manifestOf(theirs.manifest, id, gathering, writer.manifest());
      const staged = writer.stage(
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
            deleted: 0,
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

/** Their messages in line order, which says which revision is the newest. */
function foreignMessages(
  theirs: SessionReader,
  gathering: Gathering,
): { readonly messages: readonly Message[]; readonly skipped: readonly number[] } {
  const messages: Message[] = [];
  const skipped: number[] = [];
  let time = theirs.manifest.created_at;
  let line = 0;
  for (const text of theirs.rawLines()) {
    line += 1;
    const message = decodeForeignMessage(text, time, (name) => gathering.loss(name));
    if (message === undefined) {
      gathering.loss('malformed-message');
      skipped.push(line);
      continue;
    }
    time = message.timestamp;
    messages.push(message);
  }
  return { messages: isFlat(messages) ? chained(messages) : messages, skipped };
}

/** 0.1.0 wrote Codex and Gemini sessions without parents. */
function isFlat(messages: readonly Message[]): boolean {
  return messages.length > 1 && messages.every(({ parent_msg_id: parent }) => parent === null);
}

/** Each message hangs on the one before it, a sub-agent's on that sub-agent's. */
function chained(messages: readonly Message[]): Message[] {
  const last = new Map<string, string>();
  return messages.map((message) => {
    const thread = message.agent_id ?? '';
    const parent = last.get(thread) ?? null;
    last.set(thread, message.msg_id);
    return { ...message, parent_msg_id: parent };
  });
}

/** Their live view: what they appended since the last time; all of it when they began again. */
function takeLive(theirs: SessionReader, path: string, writer: SessionWriter, gathering: Gathering): void {
  const ops = readLiveOps(join(path, layout.live), theirs.commit?.liveBytes);
  const known = readLiveOps(join(writer.folder, layout.live), writer.before.liveBytes);
  const isContinued = known.every((op, index) => JSON.stringify(op) === JSON.stringify(ops[index]));
  for (const op of isContinued ? ops.slice(known.length) : ops) gathering.live(op);
}

/** Theirs under our id; what the user set here since the last time stays. */
async function manifestOf(
  theirs: Manifest,
  id: string,
  gathering: Gathering,
  before: Manifest | undefined,
): Promise<Manifest> {
  const { losses, tally } = gathering;
  const named = before?.metadata?.named;
  // Version 0.1.0 writes it beside the other fields, where its own schema allows none.
  const { forked_from_checkpoint: checkpoint, ...known } = theirs as Manifest & {
    readonly forked_from_checkpoint?: unknown;
  };
  return {
    ...known,
    session_id: id,
    ...(named === undefined ? {} : { title: named }),
    tags: before?.tags ?? theirs.tags ?? [],
    checkpoint_count: before?.checkpoint_count ?? 0,
    stats: theirs.stats ?? statsOf(tally, await costOf(tally.models)),
    metadata: {
      ...theirs.metadata,
      ...(typeof checkpoint === 'string' ? { forked_from_checkpoint: checkpoint } : {}),
      ...(named === undefined ? {} : { named, title_by: 'person' as const }),
      imported_from: theirs.session_id,
      ...(losses.size === 0 ? {} : { losses: Object.fromEntries(losses) }),
    },
  };
}
