/** A fork: a new session that goes on from an earlier point of another, whole by itself. */

import { LiveCopy } from '../capture/adopt.ts';
import { deriveManifest, deriveTools, deriveWorkspace } from '../capture/derive.ts';
import { SessionFsError } from '../errors.ts';
import { sessionId } from '../model/ids.ts';
import { wrongTitle } from '../model/name.ts';
import { nearest } from '../model/near.ts';
import { emptyTally } from '../model/tally.ts';
import { readerAt } from '../store/checkpoints.ts';
import { SessionReader } from '../store/session-reader.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import { catchUp } from './catch-up.ts';
import type { Context } from './context.ts';
import { findSession } from './find-session.ts';
import { onThread } from './on-thread.ts';
import { refuse } from './registers.ts';
import { withIndex } from './with-index.ts';

/** What is asked; without a checkpoint or a message the fork begins where the session is now. */
export interface ForkRequest {
  readonly session: string;
  /** The title of the fork. */
  readonly name: string;
  readonly checkpoint?: string;
  /** A message id, or the beginning of one. */
  readonly at?: string;
}

/** `fork --json` */
export interface Forked {
  readonly session_id: string;
  readonly parent_session_id: string;
  readonly tool: string;
  readonly title: string;
  /** The last message it has from its parent. */
  readonly base_msg_id: string;
  readonly forked_from_checkpoint: string | null;
  /** Messages it has from its parent. */
  readonly message_count: number;
  readonly directory: string;
}

/** Makes the fork. Throws `usage`, `checkpoint-not-found`, `message-not-found`, `ambiguous-message`, `invalid-session`. */
export async function forkSession(context: Context, request: ForkRequest): Promise<Forked> {
  const { machine, store } = context;
  refuse('a title', request.name, wrongTitle(request.name), `name it: sfs fork ${request.session} --name 'Other way'`);
  if (request.checkpoint !== undefined && request.at !== undefined)
    throw new SessionFsError(
      'usage',
      'a fork begins at a checkpoint or at a message, not at both',
      'leave out --from-checkpoint or --at',
    );
  return withIndex(context, { create: false }, async (index) => {
    const found = findSession(index, request.session, context);
    const done = await onThread<Forked>(context, found.session_id, 'forkSession', request);
    if (done !== undefined) return done;
    const adapter = context.adapters.find(({ id }) => id === found.tool);
    if (request.checkpoint === undefined) await catchUp({ machine, store, index }, adapter, found);
    const parent = SessionReader.open(store, found.session_id);
    const then = request.checkpoint === undefined ? parent : readerAt(parent, machine, request.checkpoint);
    const leaf = request.at === undefined ? undefined : messageNamed(then, request.at);
    const writer = openForWriting(store, machine, sessionId('sfs', `fork\n${machine.uuid()}`));
    try {
      const forked = await write(context, writer, parent, then.liveLines(leaf), request);
      const { manifest, workspace, commit } = SessionReader.open(store, writer.id);
      index.put([{ manifest, workspace, commit }], machine);
      return forked;
    } catch (cause) {
      writer.close();
      throw cause;
    }
  });
}

async function write(
  context: Context,
  writer: SessionWriter,
  parent: SessionReader,
  live: ReturnType<SessionReader['liveLines']>,
  { name, checkpoint }: ForkRequest,
): Promise<Forked> {
  const copy = new LiveCopy(writer, live);
  const last = copy.finish();
  const now = context.machine.now().toISOString();
  const { git, root_path: cwd } = parent.workspace ?? {};
  const facts = {
    ...(cwd === undefined ? {} : { cwd }),
    ...(git == null ? {} : { git }),
    title: { text: name, by: 'person' as const },
  };
  const tally = emptyTally();
  const { source, model, tags } = parent.manifest;
  const derived = deriveManifest({
    sessionId: writer.id,
    tool: source.tool,
    nativeId: '',
    nativePath: undefined,
    facts,
    tally,
    promptTitle: null,
    losses: new Map(),
    cost: null,
    fallbackTime: now,
    isPlaced: true,
    before: undefined,
    parent: { session: parent.id, msg: last },
  });
  const manifest = {
    ...derived,
    title: name,
    tags: tags ?? [],
    model: model ?? null,
    // No tool has it yet: the first resume writes it for one.
    source: { ...derived.source, tool_version: source.tool_version ?? null, original_session_id: null },
    metadata: {
      ...derived.metadata,
      named: name,
      ...(checkpoint === undefined ? {} : { forked_from_checkpoint: checkpoint }),
    },
  };
  const staged = writer.stage(
    { ...writer.before, facts, tally },
    { manifest, workspace: deriveWorkspace(facts), tools: deriveTools(facts, tally) },
  );
  const { failed } = await commitAll([staged]);
  for (const { why } of failed) throw why;
  return {
    session_id: writer.id,
    parent_session_id: parent.id,
    tool: source.tool,
    title: name,
    base_msg_id: last,
    forked_from_checkpoint: checkpoint ?? null,
    message_count: copy.count,
    directory: writer.folder,
  };
}

/** A message of the main conversation by its id or the beginning of it. */
function messageNamed(reader: SessionReader, text: string): string {
  const ids = reader.mainIds();
  if (ids.includes(text)) return text;
  const [found, ...others] = text === '' ? [] : ids.filter((id) => id.startsWith(text));
  const list = `sfs show ${reader.id} --messages`;
  if (found === undefined) {
    const near = nearest(text, ids);
    throw new SessionFsError(
      'message-not-found',
      `the conversation of ${reader.id} has no message ${JSON.stringify(text)}`,
      near === undefined ? `list them: ${list}` : `did you mean ${near}? All of them: ${list}`,
    );
  }
  if (others.length > 0)
    throw new SessionFsError(
      'ambiguous-message',
      `${JSON.stringify(text)} means ${others.length + 1} messages of ${reader.id}`,
      `type more of the id: ${list}`,
    );
  return found;
}
