/** What a long-lived process still knows of the sessions it wrote, so that one more line costs no look at all those before. */

import { join } from 'node:path';
import { layout } from '../format/layout.ts';
import type { Machine } from '../io/machine.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Commit } from './commit.ts';

/** What a writer would read from the disk. */
export interface Known {
  /** The commit that the rest holds for; nobody changes it. */
  readonly commit: Commit;
  /** The manifest that was written with it; `undefined` when it is another one by now: a person set something. */
  readonly manifest: Manifest | undefined;
  /** Length of the texts of both. */
  readonly textLength: number;
  /** Newest revision of each message: base id → offset of its line; `undefined` when nobody asked. */
  readonly offsets: Map<string, number> | undefined;
  /** Native key → the message it stands for; `undefined` when nobody asked. */
  readonly keys: Map<string, string> | undefined;
}

/** Bytes that are kept, about. The session written last is kept however large it is. */
const weightLimit = 20e6;
/** Bytes that an id, a key or a touched file takes, about. */
const entryWeight = 100;
/** Bytes of memory for a character of those texts, about. */
const textWeight = 3;

interface Remembered {
  readonly known: Known;
  /** Of the files that the commit and the manifest were then. */
  readonly commitState: string;
  readonly manifestState: string | undefined;
  readonly weight: number;
}

/** Knowledge of sessions by id, the one written last at the end. */
export class WriterMemory {
  readonly #machine: Machine;
  readonly #sessions = new Map<string, Remembered>();
  #weight = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Takes out what is known of a session, if it still holds: what the taker makes of it holds for the next commit only. */
  take(id: string, folder: string): Known | undefined {
    const remembered = this.#sessions.get(id);
    if (remembered === undefined) return undefined;
    this.#forget(id, remembered.weight);
    const { known, commitState, manifestState } = remembered;
    if (commitState !== this.#stateOf(folder, layout.commit)) return undefined;
    return manifestState === this.#stateOf(folder, layout.manifest) ? known : { ...known, manifest: undefined };
  }

  /** Remembers what holds for the commit that is now in its place. */
  keep(id: string, folder: string, known: Known): void {
    const commitState = this.#stateOf(folder, layout.commit);
    const manifestState = this.#stateOf(folder, layout.manifest);
    if (commitState === undefined) return;
    const files = known.commit.facts.files?.length ?? 0;
    const entries = files + (known.offsets?.size ?? 0) + (known.keys?.size ?? 0);
    const weight = textWeight * known.textLength + entryWeight * entries;
    this.#sessions.set(id, { known, commitState, manifestState, weight });
    this.#weight += weight;
    for (const [oldest, { weight: own }] of this.#sessions) {
      if (this.#weight <= weightLimit || oldest === id) return;
      this.#forget(oldest, own);
    }
  }

  #forget(id: string, weight: number): void {
    this.#sessions.delete(id);
    this.#weight -= weight;
  }

  /** Neither is ever changed in its place: another one is another file. */
  #stateOf(folder: string, name: string): string | undefined {
    const info = this.#machine.stat(join(folder, name));
    return info && [info.device, info.inode, info.modifiedMs, info.sizeBytes].join(' ');
  }
}
