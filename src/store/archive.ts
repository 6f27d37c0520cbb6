/**
 * The native archive: a source's own bytes, verbatim. `native/<key>/<generation>/frames.zst` holds zstd frames of about
 * 1 MiB raw each, `tail.<raw offset>` what came after them. The commit lists both, so a cut-off write is never read.
 */

import { join } from 'node:path';
import { layout } from '../format/layout.ts';
import { SessionFsError } from '../errors.ts';
import { appendAt, exists, makeFolder, namesIn, prepareFile, readBytes, remove, sizeOf } from '../io/files.ts';
import { compress, compressAgainst, compressAside, decompress } from '../io/compress.ts';
import type { Packed } from '../io/compress.ts';
import { freeBuffer } from '../io/memory.ts';
import { hashAside, hashOf } from '../io/hash.ts';
import { frameEnd } from '../io/zstd-frames.ts';
import type { ArchivedFile, Frame } from './commit.ts';

const frameBytes = 1 << 20;
/** A tail at least this long becomes a frame of its own when the source is quiet. */
const sealBytes = 4096;

/** Frames that may be made at once. */
const mostAside = 1;

/** Nothing archived yet. */
export const emptyArchive: ArchivedFile = { generation: 0, frames: [], tailBytes: 0 };

/** Raw bytes of one archived file. */
export function archivedBytes(file: ArchivedFile): number {
  return framedBytes(file.frames) + file.tailBytes;
}

/** The folder of one generation. */
function generationFolder(sessionFolder: string, key: string, generation: number): string {
  return join(sessionFolder, layout.native, key, String(generation));
}

/**
 * The raw bytes again, piece by piece, each good until the next is asked for. Throws `invalid-session` when a frame does not have
 * its hash, `unreadable` when a file is gone.
 */
export function* readArchive(sessionFolder: string, key: string, file: ArchivedFile): Generator<Buffer> {
  const folder = generationFolder(sessionFolder, key, file.generation);
  let offset = 0;
  for (const frame of file.frames) {
    const path = join(folder, 'frames.zst');
    const stored = readBytes(path, offset, frame.stored);
    const raw = unpacked(path, stored, offset, { frameBytes: frame.raw });
    freeBuffer(stored);
    if (hashOf(raw) !== frame.sha256) throw damaged(path, offset);
    offset += frame.stored;
    yield raw;
    freeBuffer(raw);
  }
  if (file.tailBytes > 0) yield readBytes(tailPath(folder, framedBytes(file.frames)), 0, file.tailBytes);
}

/** The same in one piece. */
export function wholeArchive(sessionFolder: string, key: string, file: ArchivedFile): Buffer {
  const whole = Buffer.alloc(archivedBytes(file));
  let offset = 0;
  for (const piece of readArchive(sessionFolder, key, file)) offset += piece.copy(whole, offset);
  return whole;
}

/** The last raw bytes of one archived file, `bytes` of them or all there are. Throws as `readArchive`. */
export function readArchiveEnd(sessionFolder: string, key: string, file: ArchivedFile, bytes: number): Buffer {
  const folder = generationFolder(sessionFolder, key, file.generation);
  let end =
    file.tailBytes === 0 ? Buffer.alloc(0) : readBytes(tailPath(folder, framedBytes(file.frames)), 0, file.tailBytes);
  let offset = file.frames.reduce((sum, frame) => sum + frame.stored, 0);
  for (const frame of file.frames.toReversed()) {
    if (end.length >= bytes) break;
    offset -= frame.stored;
    const path = join(folder, 'frames.zst');
    end = Buffer.concat([unpacked(path, readBytes(path, offset, frame.stored), offset), end]);
  }
  return end.subarray(Math.max(0, end.length - bytes));
}

/**
 * The raw bytes of a generation that the commit does not list any more: all that lies in its folder, or what it differed in from
 * the next one. Nothing says whether they are whole but zstd itself. `newest` is what the commit lists; `next` are the bytes of the
 * next generation, where the caller has them already. Throws `invalid-session` when they are not whole.
 */
export function readOldGeneration(
  sessionFolder: string,
  key: string,
  generation: number,
  newest: ArchivedFile,
  next?: Buffer,
): Buffer {
  const folder = generationFolder(sessionFolder, key, generation);
  const path = join(folder, 'frames.zst');
  const patched = exists(path) ? undefined : patchIn(folder);
  if (patched !== undefined) {
    const base =
      next ??
      (generation + 1 < newest.generation
        ? readOldGeneration(sessionFolder, key, generation + 1, newest)
        : wholeArchive(sessionFolder, key, newest));
    return unpacked(patched.path, readBytes(patched.path), 0, { base: base.subarray(0, patched.baseBytes) });
  }
  const frames = exists(path) ? unpacked(path, readBytes(path), 0) : Buffer.alloc(0);
  const tail = tailPath(folder, frames.length);
  return exists(tail) ? Buffer.concat([frames, readBytes(tail)]) : frames;
}

/** The same of a generation that is kept whole, a frame at a time. Throws `invalid-session`, `unreadable`. */
export function* readOldFrames(sessionFolder: string, key: string, generation: number): Generator<Buffer> {
  const folder = generationFolder(sessionFolder, key, generation);
  const path = join(folder, 'frames.zst');
  const size = exists(path) ? sizeOf(path) : 0;
  const look = (at: number, length: number): Buffer => readBytes(path, at, Math.max(0, Math.min(length, size - at)));
  let rawBytes = 0;
  for (let at = 0; at < size;) {
    const end = frameEnd(look, at, size);
    if (end === undefined) throw damaged(path, at);
    const stored = readBytes(path, at, end - at);
    const raw = unpacked(path, stored, at);
    freeBuffer(stored);
    rawBytes += raw.length;
    at = end;
    yield raw;
    freeBuffer(raw);
  }
  const tail = tailPath(folder, rawBytes);
  if (exists(tail)) yield readBytes(tail);
}

/** Does an older generation need the bytes of the next one? */
export function isPatched(sessionFolder: string, key: string, generation: number): boolean {
  const folder = generationFolder(sessionFolder, key, generation);
  return !exists(join(folder, 'frames.zst')) && patchIn(folder) !== undefined;
}

/** Of so many generations one stays whole, so that an old one is not far from bytes that stand alone. */
const wholeEvery = 16;
/** A larger one stays whole: it would be held in memory with its next. */
const mostPatchedBytes = 8 << 20;

/**
 * Keeps of a generation only what it differs in from the next one, which is committed. `before` is what the commit listed of it.
 * Cut off in between, both forms are there and say the same.
 */
export function patchGeneration(sessionFolder: string, key: string, before: ArchivedFile, next: ArchivedFile): void {
  try {
    patch(sessionFolder, key, before, next);
  } catch (cause) {
    // The session is committed, and the generation whole: a full disk, or bytes that are damaged, leave it so.
    if (!(cause instanceof SessionFsError)) throw cause;
  }
}

function patch(sessionFolder: string, key: string, before: ArchivedFile, next: ArchivedFile): void {
  const isLarge = Math.max(archivedBytes(before), archivedBytes(next)) > mostPatchedBytes;
  if (isLarge || before.generation % wholeEvery === 0 || next.generation !== before.generation + 1) return;
  const folder = generationFolder(sessionFolder, key, before.generation);
  const raw = wholeArchive(sessionFolder, key, before);
  const base = wholeArchive(sessionFolder, key, next);
  const packed = compressAgainst(raw, base);
  const stored = before.frames.reduce((sum, frame) => sum + frame.stored, before.tailBytes);
  if (packed.length >= stored || !decompress(packed, { base }).equals(raw)) return;
  prepareFile(join(folder, `patch.${base.length}`), [packed]).publish();
  for (const name of namesIn(folder)) if (!name.startsWith('patch.')) remove(join(folder, name));
}

/** The patch in the folder of a generation, and how many bytes of the next one it is made against. */
function patchIn(folder: string): { readonly path: string; readonly baseBytes: number } | undefined {
  const name = namesIn(folder).find((file) => /^patch\.\d+$/.test(file));
  return name === undefined ? undefined : { path: join(folder, name), baseBytes: Number(name.slice('patch.'.length)) };
}

function unpacked(path: string, stored: Buffer, offset: number, packed: Packed = {}): Buffer {
  try {
    return decompress(stored, packed);
  } catch (cause) {
    throw damaged(path, offset, cause);
  }
}

function damaged(path: string, offset: number, cause?: unknown): SessionFsError {
  return new SessionFsError(
    'invalid-session',
    `${path} is damaged at byte ${offset}`,
    'import the session again from its source, or restore the file from a copy',
    cause,
  );
}

/** Raw bytes waiting to be written. */
interface Piece {
  readonly bytes: Buffer;
  readonly release: () => void;
}

/** Appends to one generation of one native file. */
export class ArchiveWriter {
  readonly #folder: string;
  readonly #generation: number;
  readonly #frames: Frame[];
  #storedBytes: number;
  /** Raw bytes behind the frames: first those already in the tail file (`#tailOnDisk`), then new ones. */
  #parts: Piece[] = [];
  #partsBytes = 0;
  #tailOnDisk: number;
  readonly #touched = new Set<string>();
  /** Frames being made on the thread pool, and their writing in order. */
  #aside: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(sessionFolder: string, key: string, before: ArchivedFile) {
    this.#folder = generationFolder(sessionFolder, key, before.generation);
    this.#generation = before.generation;
    this.#frames = [...before.frames];
    this.#storedBytes = before.frames.reduce((sum, frame) => sum + frame.stored, 0);
    this.#tailOnDisk = before.tailBytes;
    if (before.frames.length > 0 || before.tailBytes > 0) return;
    for (const path of [join(sessionFolder, layout.native), join(sessionFolder, layout.native, key), this.#folder])
      makeFolder(path);
  }

  /** Appends raw bytes, which must stay as they are until `release` is called. */
  append(bytes: Buffer, release: () => void = () => undefined): void {
    this.#parts.push({ bytes, release });
    this.#partsBytes += bytes.length;
    if (this.#tailOnDisk + this.#partsBytes >= frameBytes) this.#seal();
  }

  /**
   * As `append`, with frames made on the thread pool, beside what the caller does. Waits where that falls behind. `settle` before
   * `finish`.
   */
  async appendAside(bytes: Buffer, release: () => void): Promise<void> {
    this.#parts.push({ bytes, release });
    this.#partsBytes += bytes.length;
    if (this.#tailOnDisk + this.#partsBytes < frameBytes) return;
    const { raw, taken } = this.#takeParts();
    this.#waiting += 1;
    const made = Promise.all([compressAside(raw), hashAside(raw)]);
    const before = this.#aside;
    this.#aside = (async () => {
      const [compressed, sha256] = await made;
      await before;
      this.#write(raw, compressed, sha256, taken);
      this.#waiting -= 1;
    })();
    // Told by whoever waits for it.
    this.#aside.catch(() => undefined);
    if (this.#waiting > mostAside) await before;
  }

  /** Waits for the frames that are made aside. */
  settle(): Promise<void> {
    return this.#aside;
  }

  /** Writes everything out; what the commit is to list, and the files to flush before it. */
  finish(): { readonly file: ArchivedFile; readonly touched: readonly string[] } {
    if (this.#tailOnDisk + this.#partsBytes >= sealBytes && this.#partsBytes > 0) this.#seal();
    if (this.#partsBytes > 0) {
      const path = tailPath(this.#folder, framedBytes(this.#frames));
      this.#tailOnDisk = appendAt(path, this.#tailOnDisk, Buffer.concat(this.#parts.map(({ bytes }) => bytes)));
      for (const { release } of this.#parts) release();
      this.#parts = [];
      this.#partsBytes = 0;
      this.#touched.add(path);
    }
    const file = { generation: this.#generation, frames: this.#frames, tailBytes: this.#tailOnDisk };
    return { file, touched: [...this.#touched] };
  }

  /** Removes what no commit lists any more; called when the new commit is durable. */
  static sweep(sessionFolder: string, key: string, file: ArchivedFile): void {
    const folder = generationFolder(sessionFolder, key, file.generation);
    const current = `tail.${framedBytes(file.frames)}`;
    for (const name of namesIn(folder)) if (name.startsWith('tail.') && name !== current) remove(join(folder, name));
  }

  #seal(): void {
    const { raw, taken } = this.#takeParts();
    this.#write(raw, compress(raw), hashOf(raw), taken);
  }

  /** What waits behind the frames, in one piece. */
  #takeParts(): { readonly raw: Buffer; readonly taken: readonly Piece[] } {
    const onDisk =
      this.#tailOnDisk === 0 ? [] : [readBytes(tailPath(this.#folder, framedBytes(this.#frames)), 0, this.#tailOnDisk)];
    const taken = this.#parts;
    const parts = [...onDisk, ...taken.map(({ bytes }) => bytes)];
    const raw = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    this.#parts = [];
    this.#partsBytes = 0;
    this.#tailOnDisk = 0;
    return { raw, taken };
  }

  #write(raw: Buffer, compressed: Buffer, sha256: string, taken: readonly Piece[]): void {
    const path = join(this.#folder, 'frames.zst');
    this.#touched.add(path);
    appendAt(path, this.#storedBytes, compressed);
    this.#storedBytes += compressed.length;
    this.#frames.push({ raw: raw.length, stored: compressed.length, sha256 });
    freeBuffer(compressed);
    for (const { release } of taken) release();
  }
}

function framedBytes(frames: readonly Frame[]): number {
  return frames.reduce((sum, frame) => sum + frame.raw, 0);
}

function tailPath(folder: string, rawOffset: number): string {
  return join(folder, `tail.${rawOffset}`);
}
