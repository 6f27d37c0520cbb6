/**
 * Checkpoints: a session's leaf and the lengths of its files at a time, under a name. The files only grow, so the lengths are
 * the session as it was. Version 0.1.0 kept copies of manifest and messages instead; those are read too.
 */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { decodeLine, encodeLine } from '../format/line.ts';
import { layout } from '../format/layout.ts';
import { exists, makeFolder, namesIn, prepareFile, readBytes, remove } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import { countAt, isObject, stringAt } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import { wrongName } from '../model/name.ts';
import { nearest } from '../model/near.ts';
import { editManifest } from './registers.ts';
import type { Lengths } from './session-reader.ts';
import { SessionReader } from './session-reader.ts';

/** `checkpoints/<name>/checkpoint.json` */
export interface Checkpoint {
  readonly name: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** The last message of the live view; `null` when it is empty. */
  readonly leaf: string | null;
  /** Messages of the timeline. */
  readonly message_count: number;
  readonly messages_bytes: number;
  readonly live_bytes: number;
}

/** Makes a checkpoint of the session as it is committed. Throws `already-exists`, `session-busy`. */
export function createCheckpoint(folder: string, machine: Machine, id: string, name: string): Checkpoint {
  let made: Checkpoint | undefined;
  editManifest(folder, machine, id, (manifest) => {
    if (checkpointNames(folder).includes(name))
      throw new SessionFsError(
        'already-exists',
        `${id} has a checkpoint ${name} already`,
        `choose another name, or delete it: sfs checkpoint delete ${id} ${name}`,
      );
    const checkpoint = checkpointOf(SessionReader.at(folder), machine, name);
    writeInto(folder, name, layout.checkpoint, [`${JSON.stringify(checkpoint, null, 2)}\n`]);
    made = checkpoint;
    return { ...manifest, checkpoint_count: checkpointNames(folder).length };
  });
  if (made === undefined) throw new Error('the manifest was not edited');
  return made;
}

/** The checkpoints of a session, oldest first. */
export function checkpointsIn(folder: string, machine: Machine): Checkpoint[] {
  return checkpointNames(folder)
    .map((name) => readCheckpoint(folder, machine, name))
    .filter((checkpoint) => checkpoint !== undefined)
    .toSorted((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0));
}

/** Writes a checkpoint that came with the session: where it stood is looked up here, where the session's files are this long. */
export function keepCheckpoint(
  reader: SessionReader,
  machine: Machine,
  { name, created_at: at }: Pick<Checkpoint, 'name' | 'created_at'>,
  lengths: Lengths,
): void {
  const checkpoint = { ...checkpointOf(reader.upTo(lengths), machine, name), created_at: at };
  writeInto(reader.folder, name, layout.checkpoint, [`${JSON.stringify(checkpoint, null, 2)}\n`]);
}

/** Writes a checkpoint in the form of 0.1.0: copies of manifest and messages. */
export function keepCopy(folder: string, name: string, manifest: Manifest, messages: Iterable<Message>): void {
  writeInto(folder, name, layout.messages, textOf(messages));
  writeInto(folder, name, layout.manifest, [`${JSON.stringify(manifest, null, 2)}\n`]);
}

function* textOf(messages: Iterable<Message>): Generator<string> {
  for (const message of messages) yield `${encodeLine(message)}\n`;
}

function writeInto(folder: string, name: string, file: string, texts: Iterable<string>): void {
  const at = join(folder, layout.checkpoints, name);
  makeFolder(at);
  remove(join(at, file));
  prepareFile(join(at, file), bytesOf(texts)).publish();
}

function* bytesOf(texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, 'utf8');
}

/** Deletes a checkpoint. Throws `checkpoint-not-found`. */
export function deleteCheckpoint(folder: string, machine: Machine, id: string, name: string): void {
  editManifest(folder, machine, id, (manifest) => {
    mustBeThere(folder, id, name);
    remove(join(folder, layout.checkpoints, name));
    return { ...manifest, checkpoint_count: checkpointNames(folder).length };
  });
}

/** The session as it was at a checkpoint. Throws `checkpoint-not-found`, `invalid-session`. */
export function readerAt(reader: SessionReader, machine: Machine, name: string): SessionReader {
  mustBeThere(reader.folder, reader.id, name);
  const folder = join(reader.folder, layout.checkpoints, name);
  if (!exists(join(folder, layout.checkpoint))) return SessionReader.at(folder);
  const checkpoint = readCheckpoint(reader.folder, machine, name);
  if (checkpoint === undefined)
    throw new SessionFsError(
      'invalid-session',
      `${join(folder, layout.checkpoint)} is no checkpoint`,
      `delete it: sfs checkpoint delete ${reader.id} ${name}`,
    );
  return reader.upTo({ messagesBytes: checkpoint.messages_bytes, liveBytes: checkpoint.live_bytes });
}

function mustBeThere(folder: string, id: string, name: string): void {
  const names = checkpointNames(folder);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  throw new SessionFsError(
    'checkpoint-not-found',
    `${id} has no checkpoint ${JSON.stringify(name)}`,
    `${near === undefined ? 'list them' : `did you mean ${near}? All of them`}: sfs checkpoint list ${id}`,
  );
}

/** Of those whose files are there; a folder that a crash left empty is none. */
export function checkpointNames(folder: string): string[] {
  const parent = join(folder, layout.checkpoints);
  return namesIn(parent).filter(
    (name) =>
      wrongName(name) === undefined &&
      (exists(join(parent, name, layout.checkpoint)) || exists(join(parent, name, layout.messages))),
  );
}

function checkpointOf(reader: SessionReader, machine: Machine, name: string): Checkpoint {
  const sizeOf = (file: string): number => machine.stat(join(reader.folder, file))?.sizeBytes ?? 0;
  const { leaf, messages } = reader.standing();
  return {
    name,
    created_at: machine.now().toISOString(),
    leaf,
    message_count: messages,
    messages_bytes: reader.lengths?.messagesBytes ?? sizeOf(layout.messages),
    live_bytes: reader.lengths?.liveBytes ?? sizeOf(layout.live),
  };
}

function readCheckpoint(folder: string, machine: Machine, name: string): Checkpoint | undefined {
  const at = join(folder, layout.checkpoints, name);
  if (exists(join(at, layout.checkpoint))) return checkpointAt(folder, name);
  try {
    const copy = SessionReader.at(at);
    return { ...checkpointOf(copy, machine, name), created_at: copy.manifest.updated_at ?? copy.manifest.created_at };
  } catch (cause) {
    if (cause instanceof SessionFsError) return undefined;
    throw cause;
  }
}

/** What `checkpoint.json` says; `undefined` when it is none. */
export function checkpointAt(folder: string, name: string): Checkpoint | undefined {
  const value = decodeLine(readBytes(join(folder, layout.checkpoints, name, layout.checkpoint)).toString('utf8'));
  return isCheckpoint(value) ? { ...value, name } : undefined;
}

function isCheckpoint(value: unknown): value is Checkpoint {
  return (
    isObject(value) &&
    /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-][\d:]+)$/.test(stringAt(value, 'created_at') ?? '') &&
    (typeof value['leaf'] === 'string' || value['leaf'] === null) &&
    ['message_count', 'messages_bytes', 'live_bytes'].every((field) => countAt(value, field) !== undefined)
  );
}
