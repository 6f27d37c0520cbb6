/** Lines of a byte stream, without ever decoding more than one line to a string. */

/** One line: its bytes without the newline, and where it begins. */
export interface Line {
  readonly bytes: Buffer;
  /** Byte offset of the first byte. */
  readonly offset: number;
  /** Byte offset behind its newline (or behind the last byte when there is none). */
  readonly end: number;
  /** Did a newline end it? The last line of a growing file may still be half written. */
  readonly complete: boolean;
}

const newline = 10;

/** Cuts chunks that start at byte `from` into lines. The last, unfinished line comes with `complete: false`. */
export function* linesOf(chunks: Iterable<Buffer>, from = 0): Generator<Line> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let offset = from;
  for (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, at);
      const bytes = restBytes === 0 ? piece : Buffer.concat([...rest, piece]);
      const end = offset + bytes.length + 1;
      yield { bytes, offset, end, complete: true };
      offset = end;
      rest = [];
      restBytes = 0;
      start = at + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
    }
  }
  if (restBytes > 0) {
    const bytes = rest.length === 1 && rest[0] !== undefined ? rest[0] : Buffer.concat(rest);
    yield { bytes, offset, end: offset + bytes.length, complete: false };
  }
}
