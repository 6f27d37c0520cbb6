/**
 * The checkpoints of a directory that is taken in. Where theirs says how long their files were, ours says how long our own are
 * up to the same message; copies, as 0.1.0 kept them, are taken in message by message as the session is.
 */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { decodeLiveOp } from '../format/decode.ts';
import { layout } from '../format/layout.ts';
import { decodeLine } from '../format/line.ts';
import { readChunks } from '../io/chunks.ts';
import { exists, isLink, namesIn } from '../io/files.ts';
import { linesOf } from '../io/lines.ts';
import type { Machine } from '../io/machine.ts';
import { stringAt } from '../model/json.ts';
import type { Message } from '../model/message.ts';
import { wrongName } from '../model/name.ts';
import type { Checkpoint } from '../store/checkpoints.ts';
import { checkpointAt, checkpointNames, keepCheckpoint, keepCopy } from '../store/checkpoints.ts';
import { SessionReader } from '../store/session-reader.ts';
import type { Lengths } from '../store/session-reader.ts';

/** As many are taken in: each costs a walk through the session. */
const mostCheckpoints = 100;

/** What a directory has of checkpoints that the session here lacks. */
export interface TheirCheckpoints {
  /** With the lengths of their files. */
  readonly stood: readonly Checkpoint[];
  /** By name. */
  readonly copies: ReadonlyMap<string, SessionReader>;
}

/** Looks for them. `loss` is told of each whose name is none, that is none, and that is one too many. */
export function theirCheckpoints(
  theirs: SessionReader,
  ours: string,
  machine: Machine,
  loss: (name: string) => void,
): TheirCheckpoints {
  const parent = join(theirs.folder, layout.checkpoints);
  const known = new Set(checkpointNames(ours));
  const stood: Checkpoint[] = [];
  const copies = new Map<string, SessionReader>();
  for (const name of isFolder(machine, parent) ? namesIn(parent).toSorted() : []) {
    if (known.has(name)) continue;
    const found = wrongName(name) === undefined ? checkpointIn(theirs, machine, name) : undefined;
    if (wrongName(name) !== undefined) loss('checkpoint-name');
    else if (found === undefined) loss('malformed-checkpoint');
    else if (stood.length + copies.size === mostCheckpoints) loss('checkpoint-too-many');
    else if (found instanceof SessionReader) copies.set(name, found);
    else stood.push(found);
  }
  return { stood, copies };
}

function checkpointIn(theirs: SessionReader, machine: Machine, name: string): Checkpoint | SessionReader | undefined {
  const folder = join(theirs.folder, layout.checkpoints, name);
  const isFile = (file: string): boolean => {
    const path = join(folder, file);
    return !isLink(path) && machine.stat(path)?.kind === 'file';
  };
  if (!isFolder(machine, folder)) return undefined;
  if (isFile(layout.checkpoint)) return checkpointAt(theirs.folder, name);
  if (!isFile(layout.manifest) || !isFile(layout.messages)) return undefined;
  try {
    return SessionReader.at(folder);
  } catch (cause) {
    if (cause instanceof SessionFsError) return undefined;
    throw cause;
  }
}

function isFolder(machine: Machine, path: string): boolean {
  return !isLink(path) && machine.stat(path)?.kind === 'directory';
}

/**
 * Writes them beside the session, which is committed. `opsBefore`: live operations that were there before theirs, which follow
 * them. `messagesOf` gives those of a copy as those of the session were given.
 */
export function takeCheckpoints(
  theirs: SessionReader,
  ours: SessionReader,
  machine: Machine,
  { stood, copies }: TheirCheckpoints,
  opsBefore: number,
  messagesOf: (copy: SessionReader) => Iterable<Message>,
): void {
  for (const checkpoint of stood)
    keepCheckpoint(ours, machine, checkpoint, lengthsHere(theirs, ours, checkpoint, opsBefore));
  for (const [name, copy] of copies) keepCopy(ours.folder, name, copy.manifest, messagesOf(copy));
}

/** How long our files are up to where a checkpoint stood in theirs. */
function lengthsHere(theirs: SessionReader, ours: SessionReader, there: Checkpoint, opsBefore: number): Lengths {
  const said = new Set<string>();
  for (const { text } of linesIn(theirs, layout.messages, there.messages_bytes)) said.add(idIn(text) ?? '');
  let messagesBytes = 0;
  for (const { text, end } of linesIn(ours, layout.messages)) if (said.has(idIn(text) ?? '')) messagesBytes = end;
  let ops = 0;
  for (const { text } of linesIn(theirs, layout.live, there.live_bytes))
    ops += Number(decodeLiveOp(text) !== undefined);
  let left = ops === 0 ? 0 : opsBefore + ops;
  let liveBytes = 0;
  for (const { end } of linesIn(ours, layout.live)) {
    if (left === 0) break;
    left -= 1;
    liveBytes = end;
  }
  return { messagesBytes, liveBytes };
}

function idIn(text: string): string | undefined {
  return stringAt(decodeLine(text), 'msg_id');
}

/** The whole lines of one of the appended files, `bytes` of it at most. */
function* linesIn(
  { folder, lengths }: SessionReader,
  name: typeof layout.messages | typeof layout.live,
  bytes = Number.MAX_SAFE_INTEGER,
): Generator<{ readonly text: string; readonly end: number }> {
  const path = join(folder, name);
  const durable = (name === layout.messages ? lengths?.messagesBytes : lengths?.liveBytes) ?? bytes;
  if (!exists(path)) return;
  for (const line of linesOf(readChunks(path, 0, Math.min(bytes, durable))))
    if (line.complete) yield { text: line.bytes.toString('utf8'), end: line.end };
}
