/** gzip: written so that the same bytes give the same file, read with a bound on what comes out. */

import { SessionFsError } from '../errors.ts';
import { builtin } from './builtin.ts';
import { readChunks } from './chunks.ts';

const blockBytes = 1 << 20;
/** No time, no name, no system: nothing that differs between two runs. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty last block. */
const lastBlock = Buffer.from([3, 0]);

/** One gzip member, made piece by piece; each piece of about 1 MiB is compressed by itself. */
export function* gzip(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const { constants, crc32, deflateRawSync } = builtin('node:zlib');
  yield header;
  let crc = 0;
  let length = 0;
  for (const block of blocksOf(chunks)) {
    crc = crc32(block, crc);
    length += block.length;
    yield deflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH });
  }
  yield lastBlock;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  yield trailer;
}

/** The same bytes in blocks of one size, however they came: what is written does not depend on the pieces. */
function* blocksOf(chunks: Iterable<Uint8Array>): Generator<Buffer> {
  const block = Buffer.allocUnsafeSlow(blockBytes);
  let filled = 0;
  for (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) {
      const part = chunk.subarray(done, done + blockBytes - filled);
      block.set(part, filled);
      filled += part.length;
      done += part.length;
      if (filled < blockBytes) continue;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** What a compressed file may grow to: text shrinks to a tenth, a bomb to a thousandth. */
const freeBytes = 256 << 20;
const mostGrowth = 200;

/** Hands on what a gzip file holds, piece by piece. Throws `invalid-session` for one that is damaged, cut off or a bomb. */
export async function gunzipFile(path: string, sizeBytes: number, take: (piece: Buffer) => void): Promise<void> {
  const { createGunzip } = builtin('node:zlib');
  const { Readable } = builtin('node:stream');
  const { pipeline } = builtin('node:stream/promises');
  const limit = freeBytes + mostGrowth * sizeBytes;
  let length = 0;
  const taken = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of pieces) {
      length += piece.length;
      if (length > limit) throw refused(path, `grows to more than ${mostGrowth} times its size when it is unpacked`);
      take(piece);
    }
  };
  try {
    await pipeline(Readable.from(readChunks(path, 0)), createGunzip({ chunkSize: 1 << 18 }), taken);
  } catch (cause) {
    if (cause instanceof SessionFsError) throw cause;
    throw refused(path, 'is no gzip file, or a damaged or cut-off one', cause);
  }
}

function refused(path: string, what: string, cause?: unknown): SessionFsError {
  return new SessionFsError(
    'invalid-session',
    `${path} ${what}`,
    'get the file again, or have it exported again: sfs export ID --output NAME.tar.gz',
    cause,
  );
}
