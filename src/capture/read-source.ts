/** Reads the files of one source from where the last capture stopped: archives their bytes and decodes their records. */

import { join } from 'node:path';
import type { Adapter, DecoderState, FileContext, Given, SourceFile } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { readPooled } from '../io/chunks.ts';
import type { Piece } from '../io/chunks.ts';
import { beginsWith, readBytes, remove } from '../io/files.ts';
import { hashOf } from '../io/hash.ts';
import { linesOf } from '../io/lines.ts';
import type { FileInfo, Machine } from '../io/machine.ts';
import { unpackFile } from '../io/unpack.ts';
import { archivedBytes, emptyArchive, readArchive } from '../store/archive.ts';
import type { ArchiveWriter } from '../store/archive.ts';
import { guardBytes } from '../store/commit.ts';
import type { Cursor } from '../store/commit.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import { decodeDocument, decodeLine, isWholeRecord, opaqueOf, settle } from './decode-line.ts';
import type { Gathering } from './gather.ts';

/** What reading one file came to. */
export interface ReadResult {
  readonly cursor: Cursor;
  /** Bytes read from the source. */
  readonly bytes: number;
  readonly rewritten: boolean;
}

/** Everything reading needs. */
export interface Reading {
  readonly machine: Machine;
  readonly adapter: Adapter;
  readonly nativeId: string;
  readonly writer: SessionWriter;
  readonly gathering: Gathering;
}

/** Reads what one file has gained; `undefined` when the file is not there or nothing about it changed. */
export async function readSourceFile(reading: Reading, file: SourceFile): Promise<ReadResult | undefined> {
  const info = reading.machine.stat(file.path);
  if (info === undefined || info.kind !== 'file') return undefined;
  const cursor = reading.writer.before.cursors[file.key];
  if (cursor !== undefined && file.inherited !== undefined) return undefined;
  if (cursor !== undefined && isUnchanged(cursor, file, info)) return undefined;
  reading.gathering.inherited = file.inherited !== undefined;
  if (file.kind !== 'log') return readWhole(reading, file, info, cursor);
  if (file.packed === undefined)
    return readLog(reading, file, info, cursor, { path: file.path, sizeBytes: info.sizeBytes });
  return readPacked(reading, file, info, cursor);
}

/** Bytes that a packed log may hold: text shrinks to a hundredth at most, a bomb to less than a ten-thousandth. */
function unpackedLimit(packedBytes: number): number {
  return Math.min(4 * 2 ** 30, Math.max(64 << 20, 1000 * packedBytes));
}

/** A packed log is read from a plain copy, which is gone again afterwards. */
async function readPacked(
  reading: Reading,
  file: SourceFile,
  info: FileInfo,
  cursor: Cursor | undefined,
): Promise<ReadResult> {
  const path = join(reading.writer.folder, `.${file.key}.unpacked.tmp`);
  remove(path);
  try {
    await unpackFile(file.path, path, unpackedLimit(info.sizeBytes));
    return readLog(reading, file, info, cursor, { path, sizeBytes: reading.machine.stat(path)?.sizeBytes ?? 0 });
  } finally {
    remove(path);
  }
}

/** Where the bytes of a log are to be read: the file itself, or what it holds. */
interface Plain {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Same place, same file, same size, same time: nothing to read. */
export function isUnchanged(
  cursor: Pick<Cursor, 'path' | 'device' | 'inode' | 'sizeBytes' | 'modifiedMs'>,
  file: Pick<SourceFile, 'path'>,
  info: FileInfo,
): boolean {
  return (
    cursor.path === file.path &&
    cursor.inode === info.inode &&
    cursor.device === info.device &&
    cursor.sizeBytes === info.sizeBytes &&
    cursor.modifiedMs === info.modifiedMs
  );
}

function readLog(
  reading: Reading,
  file: SourceFile,
  info: FileInfo,
  cursor: Cursor | undefined,
  plain: Plain,
): ReadResult {
  const { writer, gathering, adapter } = reading;
  const context = contextOf(reading, file);
  const grown = cursor !== undefined && isGrowth(reading, file, info, cursor, plain);
  const archivedBefore = archivedBytes(writer.before.native[file.key] ?? emptyArchive);
  // Bytes the archive has already; where the source was rewritten a new generation begins.
  const archived = cursor === undefined ? 0 : grown ? archivedBefore : 0;
  const archive =
    file.inherited === undefined ? writer.archive(file.key, { freshUnless: grown || archivedBefore === 0 }) : undefined;
  gathering.rereading = cursor !== undefined && !grown;
  const fresh = adapter.reader.start(context);
  // What an earlier reader did not yet keep begins as it does in a new file.
  const state: DecoderState = grown ? { ...fresh, ...structuredClone(cursor.state) } : fresh;
  const from = grown ? cursor.offset : 0;
  const to = Math.min(plain.sizeBytes, file.inherited?.bytes ?? plain.sizeBytes);
  const given = givenOf(reading, context, info);
  const tee = new Tee(archive, archived);
  const sequence = new Sequence(grown ? cursor.guard : undefined);
  const chunks = readPooled(plain.path, from, to, (piece) => sequence.goesOn(piece));
  const opaque = opaqueOf(adapter);
  const decoding = { adapter, state, given, counts: gathering };
  let offset = from;
  for (const line of linesOf(tee.watch(chunks, from), from)) {
    if (!line.complete && !isWholeRecord(line.bytes)) break;
    decodeLine(line.bytes, decoding, opaque);
    offset = line.end;
    if (tee.isReady(offset)) tee.drain(offset);
  }
  const last = tee.finish(offset);
  settle(decoding);
  return {
    cursor: {
      ...placeOf(file, info),
      offset,
      // Of what was read, not of what stands there by now.
      guard: last === undefined && grown ? cursor.guard : hashOf(last ?? Buffer.alloc(0)),
      state,
      ...(file.inherited === undefined ? {} : { inherited: true }),
    },
    bytes: to - from,
    rewritten: cursor !== undefined && !grown,
  };
}

/**
 * A document is decoded whole, an attachment only kept. A document that is no JSON was met while its tool writes it (or
 * was cut off): nothing of it is kept or counted, and it is read again at the next capture. Throws `unreadable` for it.
 */
function readWhole(reading: Reading, file: SourceFile, info: FileInfo, cursor: Cursor | undefined): ReadResult {
  const { writer, gathering, adapter } = reading;
  const bytes = readBytes(file.path);
  const guard = hashOf(bytes);
  const place = placeOf(file, info);
  if (cursor !== undefined && cursor.guard === guard)
    return { cursor: { ...cursor, ...place }, bytes: bytes.length, rewritten: false };
  const context = contextOf(reading, file);
  const state = context.kind === 'document' ? adapter.reader.start(context) : {};
  if (file.kind === 'document') {
    const decoding = { adapter, state, given: givenOf(reading, context, info), counts: gathering };
    if (!decodeDocument(bytes, decoding)) throw halfWritten(file.path);
    settle(decoding);
  }
  if (file.inherited === undefined) {
    // Never behind what is kept already, though a recovery forgot the cursor.
    const archive = writer.archive(file.key, { freshUnless: false });
    archive.append(bytes);
    archive.finish();
  }
  gathering.changed = true;
  return { cursor: { ...place, offset: bytes.length, guard, state }, bytes: bytes.length, rewritten: false };
}

function halfWritten(path: string): SessionFsError {
  return new SessionFsError(
    'unreadable',
    `${path} is no whole JSON document: it is being written, or was cut off`,
    'import again: it is read as soon as it is whole',
  );
}

/** The file as its decoder is told of it. */
export function contextOf(reading: Reading, file: SourceFile): FileContext {
  return {
    nativeId: reading.nativeId,
    key: file.key,
    kind: file.kind === 'log' || file.kind === 'database' ? 'log' : 'document',
    agentId: file.agentId,
  };
}

/** What its decoder is handed with each record. */
export function givenOf(reading: Reading, file: FileContext, info: FileInfo): Given {
  const { gathering } = reading;
  return { file, sink: gathering, lookup: gathering.lookup, fallbackTime: new Date(info.modifiedMs).toISOString() };
}

/** The part of a cursor that tells whether the file is as it was. */
export function placeOf(
  file: SourceFile,
  info: FileInfo,
): Pick<Cursor, 'path' | 'device' | 'inode' | 'sizeBytes' | 'modifiedMs'> {
  return {
    path: file.path,
    device: info.device,
    inode: info.inode,
    sizeBytes: info.sizeBytes,
    modifiedMs: info.modifiedMs,
  };
}

/**
 * Did the file only gain bytes? The same file whose bytes before the offset are as they were, or another one (restored,
 * copied, moved) that begins with everything we archived.
 */
function isGrowth(reading: Reading, file: SourceFile, info: FileInfo, cursor: Cursor, plain: Plain): boolean {
  if (plain.sizeBytes < cursor.offset || guardAt(plain.path, cursor.offset) !== cursor.guard) return false;
  if (cursor.device === info.device && cursor.inode === info.inode) return true;
  const archive = reading.writer.before.native[file.key];
  if (archive === undefined) return false;
  return (
    archivedBytes(archive) === cursor.offset &&
    beginsWith(plain.path, readArchive(reading.writer.folder, file.key, archive))
  );
}

/**
 * Does each piece of a file go on from the one before it? Where somebody writes the file anew while it is read, the bytes in
 * front of the next piece are others, and what stands behind them follows something that was never read.
 */
class Sequence {
  /** The guard of what was read so far. */
  #guard: string | undefined;

  /** `guard`: of what was read earlier. */
  constructor(guard: string | undefined) {
    this.#guard = guard;
  }

  goesOn(piece: Piece): boolean {
    if (this.#guard !== undefined && hashOf(piece.behind) !== this.#guard) return false;
    this.#guard = hashOf(endOf(piece, piece.bytes.length));
    return true;
  }
}

/** The bytes before an offset in a piece, as many as a guard covers. */
function endOf({ behind, bytes }: Piece, offset: number): Buffer {
  return offset >= guardBytes
    ? bytes.subarray(offset - guardBytes, offset)
    : Buffer.concat([behind, bytes.subarray(0, offset)]).subarray(-guardBytes);
}

/** The hash of the bytes just before an offset: what a file must still hold there to have only grown. */
export function guardAt(path: string, offset: number): string {
  const from = Math.max(0, offset - guardBytes);
  return hashOf(readBytes(path, from, offset - from));
}

/** Hands the bytes that were read to the archive once whole lines of them are decoded. */
class Tee {
  readonly #archive: ArchiveWriter | undefined;
  /** Source bytes before this offset are archived already. */
  #archived: number;
  #queue: { readonly from: number; readonly piece: Piece }[] = [];
  /** What the newest finished piece ended with. */
  #last: Buffer | undefined;

  constructor(archive: ArchiveWriter | undefined, archived: number) {
    this.#archive = archive;
    this.#archived = archived;
  }

  *watch(pieces: Iterable<Piece>, from: number): Generator<Buffer> {
    let offset = from;
    for (const piece of pieces) {
      this.#queue.push({ from: offset, piece });
      offset += piece.bytes.length;
      yield piece.bytes;
    }
  }

  /** Is a whole piece behind us? */
  isReady(offset: number): boolean {
    const first = this.#queue[0];
    return first !== undefined && first.from + first.piece.bytes.length <= offset;
  }

  drain(offset: number): void {
    while (this.isReady(offset)) {
      const first = this.#queue.shift();
      if (first === undefined) continue;
      const { length } = first.piece.bytes;
      this.#last = Buffer.from(endOf(first.piece, length));
      this.#take(first.from, first.piece, length);
    }
  }

  /** The bytes before the end of the last whole line, as many as a guard covers; `undefined` when nothing was read. */
  finish(offset: number): Buffer | undefined {
    this.drain(offset);
    const [first, ...unfinished] = this.#queue;
    this.#queue = [];
    if (first !== undefined) {
      const length = offset - first.from;
      this.#last = Buffer.from(endOf(first.piece, length));
      this.#take(first.from, first.piece, length);
    }
    for (const { piece } of unfinished) piece.release();
    // A session may have thousands of files: none waits in memory for the others.
    this.#archive?.finish();
    return this.#last;
  }

  #take(from: number, piece: Piece, length: number): void {
    const fresh = piece.bytes.subarray(Math.min(length, Math.max(0, this.#archived - from)), length);
    if (fresh.length === 0 || this.#archive === undefined) return piece.release();
    this.#archive.append(fresh, () => piece.release());
    this.#archived = from + length;
  }
}
