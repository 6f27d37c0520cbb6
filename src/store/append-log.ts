/** A file that only grows: text is gathered in memory and written behind the durable length. */

import { appendAt } from '../io/files.ts';

const writeAtBytes = 1 << 20;
/** Lines are encoded here, one log after the other; a line that does not fit gets a buffer of its own. */
const scratch = Buffer.allocUnsafeSlow(2 * writeAtBytes);

/** One appended file of a session being written. */
export class AppendLog {
  readonly path: string;
  #written: number;
  #parts: string[] = [];
  #waiting = 0;
  readonly #durable: number;

  /** `durable`: bytes that the last commit promised; whatever stands behind them is overwritten. */
  constructor(path: string, durable: number) {
    this.path = path;
    this.#written = durable;
    this.#durable = durable;
  }

  /** Length with everything appended so far. */
  get length(): number {
    return this.#written + this.#waiting;
  }

  /** Has anything been appended since the last commit? */
  get grew(): boolean {
    return this.length > this.#durable;
  }

  /** Appends one line; the offset of its first byte. */
  line(text: string): number {
    const offset = this.length;
    this.#parts.push(text, '\n');
    this.#waiting += Buffer.byteLength(text, 'utf8') + 1;
    if (this.#waiting >= writeAtBytes) this.write();
    return offset;
  }

  /** Hands what is gathered to the system. */
  write(): void {
    if (this.#waiting === 0) return;
    this.#written = appendAt(this.path, this.#written, this.#encoded());
    this.#parts = [];
    this.#waiting = 0;
  }

  #encoded(): Uint8Array {
    if (this.#waiting > scratch.length) return Buffer.from(this.#parts.join(''), 'utf8');
    let length = 0;
    for (const part of this.#parts) length += scratch.write(part, length, 'utf8');
    return scratch.subarray(0, length);
  }
}
