/** A file that only grows: lines are gathered as bytes and written behind the durable length. */

import { appendAt } from '../io/files.ts';

const newline = 10;
const bufferBytes = 1 << 20;
/** A character takes at most three bytes. */
const worstBytes = 3;
/** Buffers kept for use again: as many as a session that is being written has logs. */
const keptBuffers = 3;
const free: Buffer[] = [];

/** One appended file of a session being written. */
export class AppendLog {
  readonly path: string;
  #written: number;
  #buffer: Buffer | undefined;
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
    const worst = text.length * worstBytes + 1;
    if (worst > bufferBytes - this.#waiting) this.write();
    if (worst > bufferBytes) {
      this.#written = appendAt(this.path, this.#written, Buffer.from(`${text}\n`, 'utf8'));
      return offset;
    }
    this.#buffer ??= free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    this.#waiting += this.#buffer.write(text, this.#waiting, 'utf8');
    this.#buffer[this.#waiting] = newline;
    this.#waiting += 1;
    return offset;
  }

  /** Hands what is gathered to the system. */
  write(): void {
    if (this.#buffer === undefined) return;
    this.#written = appendAt(this.path, this.#written, this.#buffer.subarray(0, this.#waiting));
    this.#waiting = 0;
    if (free.length < keptBuffers) free.push(this.#buffer);
    this.#buffer = undefined;
  }
}
