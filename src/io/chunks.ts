/** Files read in pieces. */

import { closeSync, openSync, readSync } from 'node:fs';
import { unreadable } from './file-errors.ts';

const chunkBytes = 1 << 20;
/** Buffers kept for use again: as many as an import has in hand at once. */
const keptBuffers = 4;
const free: Buffer[] = [];

/** A piece of a file. Its bytes are good until it is released. */
export interface Chunk {
  readonly bytes: Buffer;
  release(): void;
}

/** So many bytes in front of a piece come with it. */
export const behindBytes = 4096;

/** A piece, and the bytes in front of it (at most {@link behindBytes}), which came in the same read. */
export interface Piece extends Chunk {
  readonly behind: Buffer;
}

/**
 * Pieces in buffers that are used again: fresh ones make the collector run for each 64 MB read, a fifth of the time of an
 * import. Pieces of about 1 MiB from `from` to `to`. Each is to be released by whoever has done with it. Where `goesOn` does not
 * say so of one, it is the end. Throws `unreadable`.
 */
export function* readPooled(
  path: string,
  from: number,
  to: number,
  goesOn: (piece: Piece) => boolean,
): Generator<Piece> {
  const file = opened(path);
  try {
    for (let offset = from; offset < to;) {
      const buffer = free.pop() ?? Buffer.allocUnsafeSlow(behindBytes + chunkBytes);
      const behind = Math.min(behindBytes, offset);
      const end = readSync(file, buffer, 0, behind + Math.min(chunkBytes, to - offset), offset - behind);
      const piece: Piece = {
        behind: buffer.subarray(0, behind),
        bytes: buffer.subarray(behind, Math.max(behind, end)),
        release: () => giveBack(buffer),
      };
      if (piece.bytes.length === 0 || !goesOn(piece)) {
        piece.release();
        return;
      }
      offset += piece.bytes.length;
      yield piece;
    }
  } finally {
    closeSync(file);
  }
}

/** Pieces of a file from `from` to `to` (its end now), each a buffer of its own. Throws `unreadable`. */
export function* readChunks(
  path: string,
  from: number,
  to = Number.MAX_SAFE_INTEGER,
  pieceBytes = chunkBytes,
): Generator<Buffer> {
  const file = opened(path);
  try {
    for (let offset = from; offset < to;) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(pieceBytes, to - offset));
      const count = readSync(file, buffer, 0, buffer.length, offset);
      if (count === 0) return;
      offset += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}

/** A buffer of `bytes` to fill that is used again once it is released; those asked for are all of one size. */
export class SpareBuffers {
  readonly #bytes: number;
  readonly #free: Buffer[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Chunk {
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
    return { bytes, release: () => void this.#free.push(bytes) };
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function giveBack(buffer: Buffer): void {
  if (free.length < keptBuffers) free.push(buffer);
}
