/** zstd, as Node brings it. */

import type { ZstdOptions } from 'node:zlib';
import { builtin } from './builtin.ts';
import { frameEnd, lookInto } from './zstd-frames.ts';

/**
 * One frame. Level 1 measured best for an import: a quarter less time than level 3 for a tenth more bytes. On the calling
 * thread: where both processors are busy, handing a megabyte to the thread pool and back costs a fifth of compressing it.
 */
export function compress(data: Uint8Array): Buffer {
  return builtin('node:zlib').zstdCompressSync(data, frameOptions(data));
}

/** The same frame, made on the thread pool: where a processor is free. */
export function compressAside(data: Uint8Array): Promise<Buffer> {
  const { zstdCompress } = builtin('node:zlib');
  return new Promise((resolve, reject) => {
    zstdCompress(data, frameOptions(data), (error, packed) => (error === null ? resolve(packed) : reject(error)));
  });
}

function frameOptions(data: Uint8Array): ZstdOptions {
  return {
    pledgedSrcSize: data.length,
    // Output in few large pieces: many small ones cost a third of the time of compressing and keep the collector busy.
    chunkSize: Math.max(4096, data.length >> 1),
    params: { [builtin('node:zlib').constants.ZSTD_c_compressionLevel]: 1 },
  };
}

/** One frame of what differs from `base`: without the same base it cannot be read. */
export function compressAgainst(data: Uint8Array, base: Uint8Array): Buffer {
  const { constants, zstdCompressSync } = builtin('node:zlib');
  // Every place of the base is to be found again, and lie within the window.
  const log = Math.min(24, Math.max(10, Math.ceil(Math.log2(base.length + 1))));
  return zstdCompressSync(data, {
    dictionary: base,
    params: {
      [constants.ZSTD_c_compressionLevel]: 1,
      [constants.ZSTD_c_hashLog]: log,
      [constants.ZSTD_c_windowLog]: Math.min(27, Math.max(10, Math.ceil(Math.log2(data.length + base.length + 1)))),
    },
  });
}

/** What is known of packed bytes. */
export interface Packed {
  /** What they were compressed against. */
  readonly base?: Uint8Array;
  /** Bytes of each frame: with room for one more it comes in one piece, and nothing is copied together. */
  readonly frameBytes?: number;
}

/** The bytes of one or more frames. */
export function decompress(data: Uint8Array, { base, frameBytes }: Packed = {}): Buffer {
  const { zstdDecompressSync } = builtin('node:zlib');
  const look = lookInto(data);
  const options = {
    ...(base === undefined ? {} : { dictionary: base }),
    ...(frameBytes === undefined ? {} : { chunkSize: Math.max(64, frameBytes + 1) }),
  };
  const frames: Buffer[] = [];
  for (let at = 0; at < data.length;) {
    // What is cut off is the decoder's to name.
    const end = frameEnd(look, at, data.length) ?? data.length;
    frames.push(zstdDecompressSync(data.subarray(at, end), options));
    at = end;
  }
  const [first, ...others] = frames;
  return first !== undefined && others.length === 0 ? first : Buffer.concat(frames);
}
