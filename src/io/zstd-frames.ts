/** Where the frames of a zstd file begin and end: Node's own decoder stops after the first. Nothing is decompressed here. */

/** A block of a zstd frame holds at most so many bytes. */
export const blockBytes = 128 << 10;

/** Bytes of a file from `at` on, `length` of them or what is left. */
export type Look = (at: number, length: number) => Buffer;

/** What begins at a place: a frame with its blocks, or one that every decoder passes over (an index, a note). */
export type FrameHead =
  | { readonly kind: 'frame'; readonly blocksAt: number; readonly checksumBytes: number }
  | { readonly kind: 'skipped'; readonly end: number };

/** The head of the frame at `at`; `undefined` when none begins there. */
export function frameHead(look: Look, at: number): FrameHead | undefined {
  const head = look(at, 8);
  if (head.length < 6) return undefined;
  const magic = head.readUInt32LE(0);
  if (magic >>> 4 === 0x0184d2a5) {
    return head.length < 8 ? undefined : { kind: 'skipped', end: at + 8 + head.readUInt32LE(4) };
  }
  if (magic !== 0xfd2fb528) return undefined;
  const descriptor = head.readUInt8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeField = descriptor >> 6;
  const sizeBytes = sizeField === 0 ? Number(isSingle) : 1 << sizeField;
  return {
    kind: 'frame',
    blocksAt: at + 5 + Number(!isSingle) + dictionaryBytes + sizeBytes,
    checksumBytes: (descriptor & 4) === 0 ? 0 : 4,
  };
}

/** Where each block ends, from the first on, and which is the last of its frame; ends early where the bytes do. */
export function* blockEnds(
  look: Look,
  blocksAt: number,
  size: number,
): Generator<{ readonly end: number; readonly isLast: boolean }, void, void> {
  let at = blocksAt;
  for (;;) {
    const head = look(at, 3);
    if (head.length < 3) return;
    const header = head.readUIntLE(0, 3);
    // One repeated byte stands for all bytes of such a block.
    const end = at + 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
    if (end > size) return;
    const isLast = (header & 1) === 1;
    yield { end, isLast };
    if (isLast) return;
    at = end;
  }
}

/** Where the frame at `at` ends; `undefined` when none begins there, or its end is not within `size`. */
export function frameEnd(look: Look, at: number, size: number): number | undefined {
  const head = frameHead(look, at);
  if (head === undefined) return undefined;
  let end: number | undefined = head.kind === 'skipped' ? head.end : undefined;
  if (head.kind === 'frame')
    for (const block of blockEnds(look, head.blocksAt, size)) if (block.isLast) end = block.end + head.checksumBytes;
  return end === undefined || end > size ? undefined : end;
}

/** A look into bytes that are there. */
export function lookInto(bytes: Uint8Array): Look {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (at, length) => view.subarray(at, at + length);
}
