/** zstd files that other programs wrote: how they begin, and all of them as a plain file. Both are bounded. */

import { closeSync, createReadStream, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { SessionFsError } from '../errors.ts';
import { builtin } from './builtin.ts';
import { unreadable, unwritable } from './file-errors.ts';
import { blockBytes, blockEnds, frameEnd, frameHead, lookInto } from './zstd-frames.ts';
import type { Look } from './zstd-frames.ts';

/** Bytes of a packed file to read in order to know how it begins: one block at least. */
export const packedHeadBytes = blockBytes + 64;
/** Frames of a packed file: writers that make many put a megabyte or more into each. */
const mostFrames = 100_000;
const windowBytes = 64 << 10;

/**
 * The first bytes of what a zstd file holds, `bytes` of them or a few blocks more; `packed` is the file's own beginning.
 * Empty when it is none.
 */
export function unpackHead(packed: Uint8Array, bytes: number): Uint8Array {
  const look = lookInto(packed);
  const pieces: Uint8Array[] = [];
  let left = bytes;
  for (let at: number | undefined = 0; at !== undefined && left > 0; at = frameEnd(look, at, packed.length)) {
    const head = frameHead(look, at);
    if (head === undefined) break;
    if (head.kind === 'skipped') continue;
    const ends = [...blockEnds(look, head.blocksAt, packed.length)].map(({ end }) => end);
    const piece = headOfFrame(
      packed.subarray(at),
      [head.blocksAt, ...ends].map((end) => end - (at ?? 0)),
      left,
    );
    pieces.push(piece);
    left -= piece.length;
  }
  return Buffer.concat(pieces);
}

/** What one frame begins with, whose blocks end at `ends` (the first: begin). */
function headOfFrame(packed: Uint8Array, ends: readonly number[], bytes: number): Uint8Array {
  const { zstdDecompressSync, constants } = builtin('node:zlib');
  for (let count = Math.ceil(bytes / blockBytes); ; count *= 2) {
    const isAll = count >= ends.length - 1;
    try {
      const raw = zstdDecompressSync(packed.subarray(0, isAll ? ends.at(-1) : ends[count]), {
        finishFlush: constants.ZSTD_e_flush,
        maxOutputLength: count * blockBytes,
      });
      // Small blocks, of a writer that flushed often: more of them are needed.
      if (raw.length >= bytes || isAll) return raw;
    } catch {
      // Damaged: whoever asked finds no header and says so.
      return new Uint8Array();
    }
  }
}

/**
 * Writes what a zstd file holds, all its frames, to a new private file. Throws `unreadable` when it is damaged, cut off, or
 * holds more than `limitBytes`; what was written until then is the caller's to remove.
 */
export async function unpackFile(path: string, target: string, limitBytes: number): Promise<void> {
  const out = writing(target, () => openSync(target, 'wx', 0o600));
  try {
    let written = 0;
    for (const { from, to } of framesOf(path)) {
      const packed = createReadStream(path, { start: from, end: to - 1 });
      await pipeline(packed, builtin('node:zlib').createZstdDecompress(), async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          written += chunk.length;
          if (written > limitBytes) throw new Error(`it unpacks to more than ${limitBytes} bytes`);
          writing(target, () => {
            for (let done = 0; done < chunk.length;) done += writeSync(out, chunk, done);
          });
        }
      });
    }
  } catch (cause) {
    if (cause instanceof SessionFsError) throw cause;
    throw unreadable(path, cause);
  } finally {
    closeSync(out);
  }
}

/** The frames of a file that hold something, found by their blocks' lengths alone. */
function* framesOf(path: string): Generator<{ readonly from: number; readonly to: number }, void, void> {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const look = windowOn(file);
    if (size === 0) throw new Error('it is empty');
    let count = 0;
    for (let at = 0; at < size;) {
      const head = frameHead(look, at);
      if (head === undefined) throw new Error(at === 0 ? 'it is no zstd file' : `something else follows at byte ${at}`);
      const end = frameEnd(look, at, size);
      if (end === undefined) throw new Error('unexpected end of file');
      count += 1;
      if (count > mostFrames) throw new Error(`it has more than ${mostFrames} frames`);
      if (head.kind === 'frame') yield { from: at, to: end };
      at = end;
    }
  } finally {
    closeSync(file);
  }
}

/** Looks into a file through a window, since most looks are near each other. */
function windowOn(file: number): Look {
  const window = Buffer.alloc(windowBytes);
  let from = 0;
  let held = 0;
  return (at, length) => {
    if (at < from || at + length > from + held) {
      from = at;
      held = readSync(file, window, 0, windowBytes, at);
    }
    return window.subarray(at - from, Math.min(held, at - from + length));
  };
}

function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
