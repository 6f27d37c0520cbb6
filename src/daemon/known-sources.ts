/** Which source a changed path belongs to, while that need not be asked of the disk again. */

import type { Found } from '../capture/capture.ts';

/** How long it stays known which files make up a session whose file is only appended to. */
const knownMs = 60_000;
const knownLimit = 512;

/** Sources by path; of too many the oldest goes. */
export class KnownSources {
  readonly #sources = new Map<string, { readonly found: Found; readonly atMs: number }>();

  /** The source of a path; `undefined` when nobody said so lately. */
  get(path: string, nowMs: number): Found | undefined {
    const known = this.#sources.get(path);
    return known !== undefined && nowMs - known.atMs < knownMs ? known.found : undefined;
  }

  keep(path: string, found: Found, nowMs: number): void {
    this.#sources.delete(path);
    for (const oldest of this.#sources.keys()) {
      if (this.#sources.size < knownLimit) break;
      this.#sources.delete(oldest);
    }
    this.#sources.set(path, { found, atMs: nowMs });
  }

  forget(path: string): void {
    this.#sources.delete(path);
  }

  clear(): void {
    this.#sources.clear();
  }
}
