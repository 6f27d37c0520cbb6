/** zstd files that other programs wrote: how they begin, and all of them as a plain file. Both are bounded. */

import { closeSync, createReadStream, openSync, statSync, writeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { SessionFsError } from '../errors.ts';
import { builtin } from './builtin.ts';
import { unreadable, unwritable } from './file-errors.ts';

/** A block of a zstd frame holds at most so many bytes. */
const blockBytes = 128 << 10;
/** Bytes of a packed file to read in order to know how it begins: one block at least. */
export const packedHeadBytes = blockBytes + 64;

/**
 * The first bytes of what a zstd file holds, `bytes` of them or a few blocks more; `packed` is the file's own beginning.
 * Empty when it is none.
 */
export function unpackHead(packed: Uint8Array, bytes: number): Uint8Array {
  const { zstdDecompressSync, constants } = builtin('node:zlib');
  const blocks = Math.ceil(bytes / blockBytes);
  for (let count = blocks; ; count *= 2) {
    const end = endOfBlocks(packed, count);
    if (end === undefined) return new Uint8Array();
    try {
      const raw = zstdDecompressSync(packed.subarray(0, end.at), {
        finishFlush: constants.ZSTD_e_flush,
        maxOutputLength: count * blockBytes,
      });
      // Small blocks, of a writer that flushed often: more of them are needed.
      if (raw.length >= bytes || end.isAll) return raw;
    } catch {
      // Damaged: whoever asked finds no header and says so.
      return new Uint8Array();
    }
  }
}

/** Where the first `count` blocks of a frame end; `isAll`: no more whole ones are there. */
function endOfBlocks(packed: Uint8Array, count: number): { readonly at: number; readonly isAll: boolean } | undefined {
  const view = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  if (view.length < 6 || view.readUInt32LE(0) !== 0xfd2fb528) return undefined;
  const descriptor = view.readUInt8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeField = descriptor >> 6;
  const sizeBytes = sizeField === 0 ? Number(isSingle) : 1 << sizeField;
  let at = 5 + Number(!isSingle) + dictionaryBytes + sizeBytes;
  for (let done = 0; done < count; done += 1) {
    if (at + 3 > view.length) return { at, isAll: true };
    const header = view.readUIntLE(at, 3);
    // One repeated byte stands for all bytes of such a block.
    const length = ((header >> 1) & 3) === 1 ? 1 : header >> 3;
    if (at + 3 + length > view.length) return { at, isAll: true };
    at += 3 + length;
    if ((header & 1) === 1) return { at, isAll: true };
  }
  return { at, isAll: false };
}

/**
 * Writes what a zstd file holds to a new private file. Throws `unreadable` when it is damaged, cut off, or holds more than
 * `limitBytes`; what was written until then is the caller's to remove.
 */
export async function unpackFile(path: string, target: string, limitBytes: number): Promise<void> {
  const out = writing(target, () => openSync(target, 'wx', 0o600));
  try {
    const { size } = statSync(path);
    const unpacking = builtin('node:zlib').createZstdDecompress();
    let written = 0;
    await pipeline(createReadStream(path), unpacking, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        written += chunk.length;
        if (written > limitBytes) throw new Error(`it unpacks to more than ${limitBytes} bytes`);
        writing(target, () => {
          for (let done = 0; done < chunk.length;) done += writeSync(out, chunk, done);
        });
      }
    });
    if (unpacking.bytesWritten !== size) throw new Error(`something else follows at byte ${unpacking.bytesWritten}`);
  } catch (cause) {
    if (cause instanceof SessionFsError) throw cause;
    throw unreadable(path, cause);
  } finally {
    closeSync(out);
  }
}

function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
