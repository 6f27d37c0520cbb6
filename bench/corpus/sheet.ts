/** One native file being written. */

import { closeSync, mkdirSync, openSync, utimesSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const writeAtCharacters = 1 << 22;

/** Gathers lines and writes them; knows how long the file is. */
export class Sheet {
  readonly #path: string;
  readonly #file: number;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #bytes = 0;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#path = path;
    this.#file = openSync(path, 'w', 0o600);
  }

  /** Characters so far, about the bytes of the file. */
  get size(): number {
    return this.#bytes + this.#waitingCharacters;
  }

  /** Appends one record as a line. */
  line(record: unknown): void {
    const text = `${JSON.stringify(record)}\n`;
    this.#waiting.push(text);
    this.#waitingCharacters += text.length;
    if (this.#waitingCharacters >= writeAtCharacters) this.#write();
  }

  /** Ends the file, last changed at this time. */
  close(atMs: number): void {
    this.#write();
    closeSync(this.#file);
    utimesSync(this.#path, atMs / 1000, atMs / 1000);
  }

  #write(): void {
    this.#bytes += writeSync(this.#file, this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingCharacters = 0;
  }
}
