/**
 * Native keys and the messages they stand for. A session's first ones are kept in its commit; where there are more, all of them
 * go to `meta/keys.jsonl`. Most sessions have few, and each file costs an import its making and a flush.
 */

import { encodeLine } from '../format/line.ts';
import { readChunks } from '../io/chunks.ts';
import { exists } from '../io/files.ts';
import { linesOf } from '../io/lines.ts';
import { ownText } from '../model/own-text.ts';
import { AppendLog } from './append-log.ts';

/** A native key and the message it stands for. */
export type KeyPair = readonly [key: string, id: string];

/** Characters that the pairs of a commit may have. */
const fewLength = 4096;

/** The keys of one session being written. */
export class KeyLog {
  readonly #log: AppendLog;
  /** Those the commit keeps; empty once the file was begun. */
  #few: KeyPair[];
  #fewLength: number;
  /** Of equal keys the last counts. Read from the disk at the first question. */
  #map: Map<string, string> | undefined;

  /** `few` and `durable`: what the last commit kept, and its bytes of the file. `known`: all of them, when nothing need be read. */
  constructor(path: string, durable: number, few: readonly KeyPair[], known: Map<string, string> | undefined) {
    this.#log = new AppendLog(path, durable);
    this.#few = [...few];
    this.#fewLength = few.reduce((sum, pair) => sum + lengthOf(pair), 0);
    this.#map = known;
  }

  /** The file, which is there when `bytes` are more than none. */
  get path(): string {
    return this.#log.path;
  }

  /** Bytes of the file with everything appended so far. */
  get bytes(): number {
    return this.#log.length;
  }

  /** Has anything been appended to the file since the last commit? */
  get grew(): boolean {
    return this.#log.grew;
  }

  /** What the next commit is to keep. */
  get few(): readonly KeyPair[] {
    return this.#few;
  }

  /** What was read or told so far; `undefined` when nobody asked. */
  get known(): Map<string, string> | undefined {
    return this.#map;
  }

  /** Every key and the message it stands for. */
  all(): Map<string, string> {
    if (this.#map !== undefined) return this.#map;
    const map = new Map(this.#few);
    this.write();
    const isThere = this.bytes > 0 && exists(this.path);
    for (const line of linesOf(isThere ? readChunks(this.path, 0, this.bytes) : [])) {
      const pair: unknown = JSON.parse(line.bytes.toString('utf8'));
      if (Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string') map.set(pair[0], pair[1]);
    }
    this.#map = map;
    return map;
  }

  /** Remembers what a key stands for. */
  add(key: string, id: string): void {
    const pair: KeyPair = [key, id];
    this.#map?.set(ownText(key), id);
    this.#fewLength += lengthOf(pair);
    if (this.bytes === 0 && this.#fewLength <= fewLength) {
      this.#few.push(pair);
      return;
    }
    for (const early of this.#few) this.#log.line(encodeLine(early));
    this.#few = [];
    this.#log.line(encodeLine(pair));
  }

  /** Hands what is gathered to the system. */
  write(): void {
    this.#log.write();
  }
}

function lengthOf([key, id]: KeyPair): number {
  return key.length + id.length;
}
