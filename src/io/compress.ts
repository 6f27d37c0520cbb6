/** zstd, as Node brings it. */

import { builtin } from './builtin.ts';

/**
 * One frame. Level 1 measured best for an import: a quarter less time than level 3 for a tenth more bytes. On the calling
 * thread: handing a megabyte to the thread pool and back costs a fifth of compressing it.
 */
export function compress(data: Uint8Array): Buffer {
  const { constants, zstdCompressSync } = builtin('node:zlib');
  return zstdCompressSync(data, {
    pledgedSrcSize: data.length,
    // Output in few large pieces: many small ones cost a third of the time of compressing and keep the collector busy.
    chunkSize: Math.max(4096, data.length >> 1),
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
}

/** The bytes of one or more frames; `expected`: how many they are, where that is known. */
export function decompress(data: Uint8Array, expected?: number): Buffer {
  // With room for one byte more all comes in one piece, and nothing is copied together.
  const options = expected === undefined ? {} : { chunkSize: Math.max(64, expected + 1) };
  return builtin('node:zlib').zstdDecompressSync(data, options);
}
