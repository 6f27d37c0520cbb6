/** A `.sfs` directory from elsewhere becomes a session of this store under an id of its own. */

import { join } from 'node:path';
import { costOf } from '../capture/price.ts';
import { Gathering } from '../capture/gather.ts';
import { decodeForeignMessage } from '../format/decode.ts';
import { layout } from '../format/layout.ts';
import { sessionId } from '../model/ids.ts';
import type { Manifest, ManifestMetadata, Workspace } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import { statsOf } from '../model/tally.ts';
import { exists } from '../io/files.ts';
import { SessionReader, readLiveOps, readManifest, readTools, readWorkspace } from '../store/session-reader.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import { sessionFolder } from '../store/store.ts';
import { deletedSessions } from '../store/trash.ts';
import { SessionFsError } from '../errors.ts';
import { checkpointNames } from '../store/checkpoints.ts';
import type { Context } from './context.ts';
import { takeCheckpoints, theirCheckpoints } from './import-checkpoints.ts';
import type { ImportResult } from './import.ts';
import { withIndex } from './with-index.ts';

/** How a directory is taken in. */
export interface TakingIn {
  /** What the person called it, when it was unpacked from something. */
  readonly shownAs?: string;
  /** Of other sessions that come along: their id there → here. */
  readonly names?: ReadonlyMap<string, string>;
  /** Checkpoints that were left out before, since their names are none. */
  readonly misnamedCheckpoints?: number;
}

/** The id of a session taken in: never one of ours, so that what came from elsewhere does not merge into an own session. */
export function takenInId(theirs: Manifest): string {
  return takenInIdOf(theirs.source.tool, theirs.session_id);
}

function takenInIdOf(tool: string, id: string): string {
  return sessionId('sfs', `${tool}\n${id}`);
}

/** Takes the directory in; again, it adds only what is new there. Throws `newer-format`, `invalid-session`. */
export async function importDirectory(context: Context, path: string, how: TakingIn = {}): Promise<ImportResult> {
  refuseOdd(context, path);
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
      const opsBefore = takeLive(theirs, path, writer, gathering);
      gathering.finish();
      const checkpoints = theirCheckpoints(theirs, writer.folder, context.machine, (name) => gathering.loss(name));
      for (let left = how.misnamedCheckpoints ?? 0; left > 0; left -= 1) gathering.loss('checkpoint-name');
      const malformed = (): void => gathering.loss('malformed-field');
      const workspace = workspaceOf(path, (name) => gathering.loss(name));
      const tools = readTools(path, malformed);
      const manifest = await manifestOf(context, readManifest(join(path, layout.manifest), malformed), id, gathering, {
        before: writer.manifest(),
        names: how.names,
        checkpoints: checkpointNames(writer.folder).length + checkpoints.stood.length + checkpoints.copies.size,
      });
      const staged = writer.stage(
        {
          ...writer.before,
          tally: gathering.tally,
          promptTitle: gathering.promptTitle,
          records: { message: gathering.tally.messages },
          losses: Object.fromEntries(gathering.losses),
        },
        { manifest, workspace, tools },
      );
      const { failed } = await commitAll([staged]);
      for (const { why } of failed) throw why;
      takeCheckpoints(theirs, SessionReader.at(writer.folder), context.machine, checkpoints, opsBefore, (copy) =>
        hungMessages(copy),
      );
      index.put([{ manifest, workspace, commit: staged.commit }], context.machine);
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

/** A pipe would never end, and a device neither. */
function refuseOdd(context: Context, path: string): void {
  for (const name of [layout.manifest, layout.messages, layout.workspace, layout.tools, layout.live, layout.commit]) {
    const file = join(path, name);
    if ((context.machine.stat(file)?.kind ?? 'file') === 'file') continue;
    throw new SessionFsError('invalid-session', `${file} is no file`, 'nothing was taken in; have it exported again');
  }
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
  loss: (name: string) => void = () => undefined,
  skipped: number[] = [],
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

/**
 * Their live view: what they appended since the last time; all of it when they began again. How many operations stand before
 * their first.
 */
function takeLive(theirs: SessionReader, path: string, writer: SessionWriter, gathering: Gathering): number {
  const ops = readLiveOps(join(path, layout.live), theirs.commit?.liveBytes);
  const known = readLiveOps(join(writer.folder, layout.live), writer.before.liveBytes);
  const isContinued = known.every((op, index) => JSON.stringify(op) === JSON.stringify(ops[index]));
  for (const op of isContinued ? ops.slice(known.length) : ops) gathering.live(op);
  return isContinued ? 0 : known.length;
}

/** The workspace without files that lie elsewhere, and only with a root that is one on some system. */
function workspaceOf(path: string, loss: (name: string) => void): Workspace | undefined {
  const theirs = readWorkspace(path, () => loss('malformed-field'));
  if (theirs === undefined) return undefined;
  if (!/^([A-Za-z]:)?[\\/]/.test(theirs.root_path)) {
    loss('malformed-field');
    return undefined;
  }
  const files = theirs.files?.filter(({ path: name }) => isBelow(name));
  for (let left = (theirs.files?.length ?? 0) - (files?.length ?? 0); left > 0; left -= 1) loss('malformed-field');
  return files === undefined ? theirs : { ...theirs, files };
}

function isBelow(path: string): boolean {
  return !/^([A-Za-z]:|[\\/])|\0/.test(path) && !path.split(/[\\/]/).includes('..');
}

/** Theirs under our id; what the user set here since the last time stays. */
async function manifestOf(
  context: Context,
  theirs: Manifest,
  id: string,
  gathering: Gathering,
  known: {
    readonly before: Manifest | undefined;
    readonly names: ReadonlyMap<string, string> | undefined;
    readonly checkpoints: number;
  },
): Promise<Manifest> {
  const { tally } = gathering;
  const { before, names } = known;
  const named = before?.metadata?.named;
  const { base, losses: lostThere, imported_parent: _earlier, ...metadata } = theirs.metadata ?? {};
  const stated = theirs.parent_session_id ?? base?.session;
  const parent = stated === undefined ? undefined : (names?.get(stated) ?? takenInParent(context, theirs, stated));
  return {
    ...theirs,
    session_id: id,
    parent_session_id: parent ?? null,
    ...(named === undefined ? {} : { title: named }),
    tags: before?.tags ?? theirs.tags ?? [],
    checkpoint_count: known.checkpoints,
    stats: theirs.stats ?? statsOf(tally, await costOf(tally.models)),
    source: { ...theirs.source, original_path: null },
    metadata: {
      ...metadata,
      ...(base === undefined || parent === undefined ? {} : { base: { session: parent, msg: base.msg } }),
      ...(stated === undefined || parent !== undefined ? {} : { imported_parent: stated }),
      ...(named === undefined ? {} : { named, title_by: 'person' as const }),
      imported_from: theirs.session_id,
      ...lossesOf(lostThere, gathering.losses),
    },
  };
}

/** What was lost where it was captured, and what is lost in taking it in. */
function lossesOf(
  there: { readonly [name: string]: number } = {},
  here: ReadonlyMap<string, number>,
): ManifestMetadata {
  const losses = new Map(Object.entries(there));
  for (const [name, count] of here) losses.set(name, (losses.get(name) ?? 0) + count);
  return losses.size === 0 ? {} : { losses: Object.fromEntries(losses) };
}

/** The parent they name, where it was taken in too. What they say never makes a session of ours a parent. */
function takenInParent(context: Context, theirs: Manifest, parent: string): string | undefined {
  const tools = [theirs.source.tool, ...context.adapters.map(({ id }) => id)];
  return tools
    .map((tool) => takenInIdOf(tool, parent))
    .find((id) => exists(join(sessionFolder(context.store, id), layout.manifest)));
}
