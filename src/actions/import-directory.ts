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

/** How a directory is taken in. */
export interface TakingIn {
  /** What the person called it, when it was unpacked from something. */
  readonly shownAs?: string;
  /** Of other sessions that come along: their id there → here. */
  readonly names?: ReadonlyMap<string, string>;
}

/** The id of a session taken in: never one of ours, so that what came from elsewhere does not merge into an own session. */
export function takenInId(theirs: Manifest): string {
  return sessionId('sfs', `${theirs.source.tool}\n${theirs.session_id}`);
}

/** Takes the directory in; again, it adds only what is new there. Throws `newer-format`, `invalid-session`. */
export async function importDirectory(context: Context, path: string, how: TakingIn = {}): Promise<ImportResult> {
  const theirs = SessionReader.at(path);
  const { tool } = theirs.manifest.source;
  const id = takenInId(theirs.manifest);
  const home = how.shownAs ?? path;
  if (deletedSessions(context.store).has(id))
    throw new SessionFsError(
      'already-exists',
      `${home} was taken in as ${id}, which was deleted here`,
      `take it back first: sfs restore ${id}`,
    );
  return withIndex(context, { create: true }, async (index) => {
    const writer = openForWriting(context.store, context.machine, id);
    try {
      const gathering = new Gathering(writer);
      gathering.losses.clear();
      const skipped: number[] = [];
      for (const message of hungMessages(theirs, (name) => gathering.loss(name), skipped)) take(gathering, message);
      takeLive(theirs, path, writer, gathering);
      gathering.finish();
      const manifest = await manifestOf(theirs.manifest, id, gathering, {
        before: writer.manifest(),
        names: how.names,
      });
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
            home,
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
          path: `${join(home, layout.messages)}:${line}`,
          problem: 'is not a message; it was left out',
        })),
      };
    } catch (cause) {
      writer.close();
      throw cause;
    }
  });
}

/** One that is nested deeper than the runtime can write is left out and counted. */
function take(gathering: Gathering, message: Message): void {
  try {
    gathering.message(message);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    gathering.loss('malformed-message');
  }
}

/** Their messages in line order, which says which revision is the newest; those of a flat list hung in a line. */
function* hungMessages(
  theirs: SessionReader,
  loss: (name: string) => void,
  skipped: number[],
): Generator<Message, void, void> {
  const messages = foreignMessages(theirs, loss, (line) => skipped.push(line));
  if (isFlat(foreignMessages(theirs))) yield* chained(messages);
  else yield* messages;
}

function* foreignMessages(
  theirs: SessionReader,
  loss: (name: string) => void = () => undefined,
  skip: (line: number) => void = () => undefined,
): Generator<Message, void, void> {
  let time = theirs.manifest.created_at;
  let line = 0;
  for (const text of theirs.rawLines()) {
    line += 1;
    const message = decodeForeignMessage(text, time, loss);
    if (message === undefined) {
      loss('malformed-message');
      skip(line);
      continue;
    }
    time = message.timestamp;
    yield message;
  }
}

/** 0.1.0 wrote Codex and Gemini sessions without parents. */
function isFlat(messages: Iterable<Message>): boolean {
  let count = 0;
  for (const { parent_msg_id: parent } of messages) {
    if (parent !== null) return false;
    count += 1;
  }
  return count > 1;
}

/** Each message hangs on the one before it, a sub-agent's on that sub-agent's. */
function* chained(messages: Iterable<Message>): Generator<Message, void, void> {
  const last = new Map<string, string>();
  for (const message of messages) {
    const thread = message.agent_id ?? '';
    const parent = last.get(thread) ?? null;
    last.set(thread, message.msg_id);
    yield { ...message, parent_msg_id: parent };
  }
}

/** Their live view: what they appended since the last time; all of it when they began again. */
function takeLive(theirs: SessionReader, path: string, writer: SessionWriter, gathering: Gathering): void {
  const ops = readLiveOps(join(path, layout.live), theirs.commit?.liveBytes);
  const known = readLiveOps(join(writer.folder, layout.live), writer.before.liveBytes);
  const isContinued = known.every((op, index) => JSON.stringify(op) === JSON.stringify(ops[index]));
  for (const op of isContinued ? ops.slice(known.length) : ops) gathering.live(op);
}

const manifestFields: ReadonlySet<string> = new Set([
  'sfs_version',
  'session_id',
  'title',
  'tags',
  'created_at',
  'updated_at',
  'source',
  'model',
  'ownership',
  'stats',
  'sync',
  'parent_session_id',
  'checkpoint_count',
  'sub_agents',
  'metadata',
] satisfies (keyof Manifest)[]);

/** Theirs under our id; what the user set here since the last time stays. */
async function manifestOf(
  theirs: Manifest,
  id: string,
  gathering: Gathering,
  known: { readonly before: Manifest | undefined; readonly names: ReadonlyMap<string, string> | undefined },
): Promise<Manifest> {
  const { losses, tally } = gathering;
  const { before, names } = known;
  const named = before?.metadata?.named;
  const parent = theirs.parent_session_id;
  // Fields of their own, as 0.1.0's `forked_from_checkpoint`, have their place below `metadata`.
  const others = Object.fromEntries(
    Object.entries(theirs).filter(([field, value]) => !manifestFields.has(field) && value != null),
  );
  const own = { ...theirs };
  for (const field of Object.keys(own)) if (!manifestFields.has(field)) Reflect.deleteProperty(own, field);
  return {
    ...own,
    session_id: id,
    ...(parent == null ? {} : { parent_session_id: names?.get(parent) ?? parent }),
    ...(named === undefined ? {} : { title: named }),
    tags: before?.tags ?? theirs.tags ?? [],
    checkpoint_count: before?.checkpoint_count ?? 0,
    stats: theirs.stats ?? statsOf(tally, await costOf(tally.models)),
    metadata: {
      ...others,
      ...theirs.metadata,
      ...(named === undefined ? {} : { named, title_by: 'person' as const }),
      imported_from: theirs.session_id,
      ...(losses.size === 0 ? {} : { losses: Object.fromEntries(losses) }),
    },
  };
}
