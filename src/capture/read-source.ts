/** Reads the files of one source from where the last capture stopped: archives their bytes and decodes their records. */

import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import type { Adapter, DecoderState, FileContext, Given, SourceFile } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { readPooled } from '../io/chunks.ts';
import type { Chunk } from '../io/chunks.ts';
import { beginsWith, readBytes, remove } from '../io/files.ts';
import { hashOf } from '../io/hash.ts';
import { linesOf } from '../io/lines.ts';
import type { FileInfo, Machine } from '../io/machine.ts';
import { unpackFile } from '../io/unpack.ts';
import { archivedBytes, emptyArchive, readArchive } from '../store/archive.ts';
import type { ArchiveWriter } from '../store/archive.ts';
import type { Cursor } from '../store/commit.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import type { Gathering } from './gather.ts';

/** Bytes before an offset that a guard covers. */
export const guardBytes = 4096;

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
  const opaque = adapter.reader.opaque.map((prefix) => Buffer.from(prefix, 'utf8'));
  let offset = from;
  for (const line of linesOf(tee.watch(readPooled(plain.path, from, to), from), from)) {
    if (!line.complete && !isWholeRecord(line.bytes)) break;
    decodeLineOf(line.bytes, adapter, state, given, gathering, opaque);
    offset = line.end;
    if (tee.isReady(offset)) tee.drain(offset);
  }
  tee.finish(offset);
  guarded(gathering, () => adapter.reader.settle(state, given));
  return {
    cursor: {
      ...placeOf(file, info),
      offset,
      guard: guardAt(plain.path, offset),
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
    const value = parse(trim(bytes));
    if (value === undefined) throw halfWritten(file.path);
    const given = givenOf(reading, context, info);
    decodeValue(value, adapter, state, given, gathering);
    guarded(gathering, () => adapter.reader.settle(state, given));
  }
  if (file.inherited === undefined) {
    // Never behind what is kept already, though a recovery forgot the cursor.
    const archive = writer.archive(file.key, { freshUnless: false });
    archive.append(bytes);
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

/** The hash of the bytes just before an offset: what a file must still hold there to have only grown. */
export function guardAt(path: string, offset: number): string {
  const from = Math.max(0, offset - guardBytes);
  return hashOf(readBytes(path, from, offset - from));
}

function decodeLineOf(
  bytes: Buffer,
  adapter: Adapter,
  state: DecoderState,
  given: Given,
  gathering: Gathering,
  opaque: readonly Buffer[],
): void {
  const trimmed = trim(bytes);
  if (trimmed.length === 0) return;
  if (
    opaque.some(
      (prefix) => trimmed.length >= prefix.length && trimmed.compare(prefix, 0, prefix.length, 0, prefix.length) === 0,
    )
  ) {
    gathering.record('state');
    return;
  }
  const value = parse(trimmed);
  if (value === undefined) {
    gathering.record('malformed');
    gathering.loss('malformed-line');
    return;
  }
  if (!isUtf8(trimmed)) gathering.loss('invalid-utf8');
  decodeValue(value, adapter, state, given, gathering);
}

/** Decodes one record and counts what it was. */
export function decodeValue(
  value: unknown,
  adapter: Adapter,
  state: DecoderState,
  given: Given,
  gathering: Gathering,
): void {
  guarded(gathering, () => gathering.record(adapter.reader.decode(value, state, given)));
}

/** Decoders do not throw; should one do so all the same (nesting beyond the stack), the record is a loss and the rest goes on. */
export function guarded(gathering: Gathering, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (cause instanceof SessionFsError) throw cause;
    gathering.record('unknown');
    gathering.loss(`undecodable:${cause instanceof Error ? cause.name : 'error'}`);
  }
}

/** Without a byte order mark, NULs a crash left in front, and white space around. */
function trim(bytes: Buffer): Buffer {
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let end = bytes.length;
  while (start < end && isBlank(bytes[start])) start += 1;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 9 || byte === 13 || byte === 32;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A last line without a newline counts when it is a whole JSON object; otherwise it waits until the rest is there. */
function isWholeRecord(bytes: Buffer): boolean {
  const trimmed = trim(bytes);
  return trimmed[0] === 0x7b && trimmed[trimmed.length - 1] === 0x7d && parse(trimmed) !== undefined;
}

/** Hands the bytes that were read to the archive once whole lines of them are decoded. */
class Tee {
  readonly #archive: ArchiveWriter | undefined;
  /** Source bytes before this offset are archived already. */
  #archived: number;
  #queue: { readonly from: number; readonly chunk: Chunk }[] = [];

  constructor(archive: ArchiveWriter | undefined, archived: number) {
    this.#archive = archive;
    this.#archived = archived;
  }

  *watch(chunks: Iterable<Chunk>, from: number): Generator<Buffer> {
    let offset = from;
    for (const chunk of chunks) {
      this.#queue.push({ from: offset, chunk });
      offset += chunk.bytes.length;
      yield chunk.bytes;
    }
  }

  /** Is a whole piece behind us? */
  isReady(offset: number): boolean {
    const first = this.#queue[0];
    return first !== undefined && first.from + first.chunk.bytes.length <= offset;
  }

  drain(offset: number): void {
    while (this.isReady(offset)) {
      const first = this.#queue.shift();
      if (first !== undefined) this.#take(first.from, first.chunk, first.chunk.bytes.length);
    }
  }

  /** The end of the last whole line. */
  finish(offset: number): void {
    this.drain(offset);
    const [first, ...unfinished] = this.#queue;
    this.#queue = [];
    if (first !== undefined) this.#take(first.from, first.chunk, Math.max(0, offset - first.from));
    for (const { chunk } of unfinished) chunk.release();
  }

  #take(from: number, chunk: Chunk, length: number): void {
    const fresh = chunk.bytes.subarray(Math.min(length, Math.max(0, this.#archived - from)), length);
    if (fresh.length === 0 || this.#archive === undefined) return chunk.release();
    this.#archive.append(fresh, () => chunk.release());
    this.#archived = from + length;
  }
}
