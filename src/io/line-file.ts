/** A file read by lines, from its beginning or wherever one begins, in one buffer that is used again. */

import { closeSync, openSync, readSync } from 'node:fs';
import { unreadable } from './file-errors.ts';
import type { Line } from './lines.ts';

const newline = 10;
/** Large enough that a read costs nothing beside parsing what it brings, small enough for lines that lie far apart. */
const pieceBytes = 256 << 10;

/** Every line up to byte `to`. A line's bytes are good until the next one is asked for. Throws `unreadable`. */
export function* linesInFile(path: string, to = Number.MAX_SAFE_INTEGER): Generator<Line> {
  const file = new LineFile(path, to);
  try {
    for (let line = file.at(0); line !== undefined; line = file.at(line.end)) yield line;
  } finally {
    file.close();
  }
}

/** A file open for reading by lines; to be closed. */
export class LineFile {
  readonly #file: number;
  readonly #to: number;
  #buffer = Buffer.allocUnsafeSlow(pieceBytes);
  /** The part of the buffer that holds bytes of the file. */
  #bytes = this.#buffer.subarray(0, 0);
  /** Where in the file they begin. */
  #from = 0;

  /** Opens a file of which the first `to` bytes count. Throws `unreadable`. */
  constructor(path: string, to = Number.MAX_SAFE_INTEGER) {
    this.#to = to;
    try {
      this.#file = openSync(path, 'r');
    } catch (cause) {
      throw unreadable(path, cause);
    }
  }

  /** The line that begins at a byte; `undefined` at the end. Its bytes are good until another is asked for. */
  at(offset: number): Line | undefined {
    if (offset < this.#from || offset > this.#from + this.#bytes.length) this.#keep(offset, 0);
    for (let searched = offset - this.#from; ;) {
      const end = this.#bytes.indexOf(newline, searched);
      const start = offset - this.#from;
      if (end !== -1)
        return { bytes: this.#bytes.subarray(start, end), offset, end: this.#from + end + 1, complete: true };
      searched = this.#bytes.length - start;
      if (this.#readOn(offset)) continue;
      if (searched === 0) return undefined;
      return { bytes: this.#bytes, offset, end: offset + searched, complete: false };
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Lets go of what stands before a byte and reads what comes next; `false` when there is no more. */
  #readOn(offset: number): boolean {
    const held = this.#bytes.subarray(offset - this.#from);
    if (held.length === this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(4 * held.length);
    // One buffer into the other, or to the beginning of the same.
    held.copy(this.#buffer);
    this.#keep(offset, held.length);
    const wanted = Math.min(this.#buffer.length - held.length, this.#to - offset - held.length);
    const count = wanted <= 0 ? 0 : readSync(this.#file, this.#buffer, held.length, wanted, offset + held.length);
    this.#keep(offset, held.length + count);
    return count > 0;
  }

  #keep(from: number, length: number): void {
    this.#from = from;
    this.#bytes = this.#buffer.subarray(0, length);
  }
}
