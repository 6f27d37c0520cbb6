/** One tool's home while the daemon runs: watched when it is there, noticed when it comes, goes, or is another one. */

import { join } from 'node:path';
import type { Found } from '../capture/capture.ts';
import type { Told, WatchedTree } from '../io/watch.ts';
import { identityOf, watchTree } from '../io/watch.ts';

/** A tool, and where it keeps its sessions by the configuration in force. */
export interface Place {
  readonly adapter: Found['adapter'];
  /** Absolute. */
  readonly home: string;
  /** Its folders elsewhere, absolute (`Home.beside`); absent: none. */
  readonly beside?: readonly string[];
  /** Is it captured? */
  readonly isEnabled: boolean;
}

/** Is this a path of the tool's? */
export function isAt({ home, beside = [] }: Place, path: string): boolean {
  return [home, ...beside].some((folder) => path.startsWith(`${folder}/`) || path.startsWith(`${folder}\\`));
}

/** The watched folders of one home. */
export class HomeWatch {
  readonly place: Place;
  /** What the last search could not read; `undefined` when it could read everything. */
  unreadable: string | undefined;
  readonly #told: Told;
  readonly #trees = new Map<string, WatchedTree>();

  constructor(place: Place, told: Told) {
    this.place = place;
    this.#told = told;
  }

  /** Takes notice of folders that came or went since; `true` when there is something that was not watched before. */
  check(): boolean {
    let isNew = false;
    const { adapter, home, beside = [] } = this.place;
    for (const root of [...adapter.home.watch.map((folder) => join(home, folder)), ...beside]) {
      const tree = this.#trees.get(root);
      const identity = identityOf(root);
      if (tree?.identity === identity) continue;
      tree?.close();
      this.#trees.delete(root);
      if (identity === undefined) continue;
      this.#trees.set(root, watchTree(root, this.#told));
      isNew = true;
    }
    return isNew;
  }

  /** Looks into the folders that changed. */
  look(): void {
    for (const tree of this.#trees.values()) tree.look();
  }

  close(): void {
    for (const tree of this.#trees.values()) tree.close();
    this.#trees.clear();
  }

  /** Is any of its folders there? */
  get isThere(): boolean {
    return this.#trees.size > 0;
  }

  get folders(): number {
    return this.#sum((tree) => tree.folders);
  }

  get watched(): number {
    return this.#sum((tree) => tree.watched);
  }

  /** Why changes may be missed; `undefined` when each is told. */
  get problem(): string | undefined {
    for (const tree of this.#trees.values()) if (tree.problem !== undefined) return tree.problem;
    return undefined;
  }

  #sum(of: (tree: WatchedTree) => number): number {
    return [...this.#trees.values()].reduce((sum, tree) => sum + of(tree), 0);
  }
}
