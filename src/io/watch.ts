/** Being told of changes below a folder. */

import { readdirSync, statSync, statfsSync, watch } from 'node:fs';
import type { Dirent, FSWatcher } from 'node:fs';
import { join, sep } from 'node:path';
import { messageOf, systemCodeOf } from '../errors.ts';

/** Folders this far below the root are looked into. */
const depthLimit = 8;
/** Folders that are watched in one tree; a system allows some ten thousand watches for all programs of a person. */
const watchLimit = 16_384;
/** Events heard at once that make a lost one likely: Linux holds 16,384 for a reader, and Node does not tell when it drops some. */
const floodEvents = 8192;
/** A file's time may be this much older than the moment it was written, in milliseconds: file systems round. */
const roundingMs = 2000;

/** What a tree tells. */
export interface Told {
  /**
   * Something at this path is new, changed, moved or gone. `isAppend`: only the file's content changed. Not told of folders
   * that are new, but of the files in them.
   */
  changed(path: string, isAppend: boolean): void;
  /** So much came at once that something may have been lost: look for yourself. */
  flooded(): void;
}

/** A folder with all below it, watched until it is closed. Links are not followed. */
export interface WatchedTree {
  /** Device and inode of the root: another one there is another tree. */
  readonly identity: string;
  /** Folders known. */
  readonly folders: number;
  /** Folders of them whose changes the system tells. */
  readonly watched: number;
  /** Why some are not watched; `undefined` when all are. */
  readonly problem: string | undefined;
  /** Looks at each folder for itself, and tells of the files in those that changed since it was last looked at. */
  look(): void;
  close(): void;
}

interface Folder {
  readonly depth: number;
  watcher: FSWatcher | undefined;
  modifiedMs: number;
}

/** `device:inode` of what is there; `undefined` when nothing is, or it cannot be asked. */
export function identityOf(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isDirectory() === true ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    // An unmounted or forbidden place: as good as absent until it can be asked.
    return undefined;
  }
}

/**
 * Watches a folder that is there. On Linux each folder has a watch of its own: Node's recursive watch takes one for each file
 * there. Elsewhere the system watches the whole tree.
 */
export function watchTree(root: string, told: Told): WatchedTree {
  return process.platform === 'linux' ? new FolderByFolder(root, told) : new WholeTree(root, told);
}

/** The time by the clock, which may be set, and by one that only goes on. Milliseconds. */
function moment(): { readonly clockMs: number; readonly steadyMs: number } {
  return { clockMs: Date.now(), steadyMs: performance.now() };
}

class FolderByFolder implements WatchedTree {
  readonly identity: string;
  readonly #told: Told;
  readonly #folders = new Map<string, Folder>();
  #watched = 0;
  #refusal: string | undefined;
  readonly #remote: string | undefined;
  #heard = 0;
  #looked = moment();

  constructor(root: string, told: Told) {
    this.#told = told;
    this.identity = identityOf(root) ?? '';
    this.#remote = remoteKind(root);
    this.#add(root, 0, false);
  }

  get folders(): number {
    return this.#folders.size;
  }

  get watched(): number {
    return this.#watched;
  }

  get problem(): string | undefined {
    if (this.#remote !== undefined) return `on ${this.#remote}: what other machines write there is not told`;
    if (this.#watched === this.#folders.size) return undefined;
    return this.#refusal ?? `more than ${watchLimit} folders`;
  }

  look(): void {
    const now = moment();
    // By the files' clock, also where that was set back since.
    const since = Math.min(this.#looked.clockMs, now.clockMs - (now.steadyMs - this.#looked.steadyMs)) - roundingMs;
    this.#looked = now;
    for (const [path, folder] of this.#folders) {
      const modifiedMs = modifiedOf(path);
      if (modifiedMs === undefined) this.#drop(path);
      else {
        if (folder.watcher === undefined) this.#watch(path, folder);
        if (modifiedMs === folder.modifiedMs) continue;
        folder.modifiedMs = modifiedMs;
        for (const entry of entriesOf(path)) {
          const inside = join(path, entry.name);
          if (entry.isDirectory()) this.#add(inside, folder.depth + 1, true);
          else if (entry.isFile() && (modifiedOf(inside) ?? 0) >= since) this.#told.changed(inside, false);
        }
      }
    }
  }

  close(): void {
    for (const { watcher } of this.#folders.values()) watcher?.close();
    this.#folders.clear();
    this.#watched = 0;
  }

  /** Takes in a folder and those below. Watched first, then listed: what comes in between is told twice rather than never. */
  #add(path: string, depth: number, tell: boolean): void {
    if (depth > depthLimit || this.#folders.has(path)) return;
    const modifiedMs = modifiedOf(path);
    if (modifiedMs === undefined) return;
    const folder: Folder = { depth, watcher: undefined, modifiedMs };
    this.#folders.set(path, folder);
    this.#watch(path, folder);
    for (const entry of entriesOf(path)) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) this.#add(inside, depth + 1, tell);
      else if (tell && entry.isFile()) this.#told.changed(inside, false);
    }
  }

  #watch(path: string, folder: Folder): void {
    if (this.#watched >= watchLimit) return;
    try {
      const watcher = watch(path, { persistent: false }, (kind, name) => this.#hear(path, folder, kind, name));
      watcher.on('error', (error) => {
        this.#refusal = error.message;
        this.#unwatch(folder);
      });
      folder.watcher = watcher;
      this.#watched += 1;
    } catch (cause) {
      this.#refusal = refusalText(cause);
    }
  }

  #hear(path: string, folder: Folder, kind: string, name: string | null): void {
    if (this.#heard === 0) setImmediate(() => (this.#heard = 0));
    this.#heard += 1;
    if (this.#heard === floodEvents) this.#told.flooded();
    if (name === null) return;
    const inside = join(path, name);
    if (kind === 'rename') {
      const isFolder = isDirectory(inside);
      // Another folder may be there by now under the same name.
      if (this.#folders.has(inside)) this.#drop(inside);
      if (isFolder) return this.#add(inside, folder.depth + 1, true);
    }
    this.#told.changed(inside, kind === 'change');
  }

  #drop(path: string): void {
    const below = path + sep;
    for (const [each, folder] of this.#folders) {
      if (each !== path && !each.startsWith(below)) continue;
      this.#unwatch(folder);
      this.#folders.delete(each);
    }
  }

  #unwatch(folder: Folder): void {
    if (folder.watcher === undefined) return;
    folder.watcher.close();
    folder.watcher = undefined;
    this.#watched -= 1;
  }
}

/** One watch for all, as macOS and Windows have it. */
class WholeTree implements WatchedTree {
  readonly identity: string;
  readonly folders = 1;
  #watcher: FSWatcher | undefined;
  #refusal: string | undefined;

  constructor(root: string, told: Told) {
    this.identity = identityOf(root) ?? '';
    try {
      this.#watcher = watch(root, { persistent: false, recursive: true }, (kind, name) => {
        if (name === null) told.flooded();
        else told.changed(join(root, name), kind === 'change');
      });
      this.#watcher.on('error', (error) => {
        this.#refusal = error.message;
        this.close();
      });
    } catch (cause) {
      this.#refusal = refusalText(cause);
    }
  }

  get watched(): number {
    return this.#watcher === undefined ? 0 : 1;
  }

  get problem(): string | undefined {
    return this.#watcher === undefined ? (this.#refusal ?? 'not watched') : undefined;
  }

  /** The system keeps no list of the folders here; a full search finds what was missed. */
  look(): void {
    return undefined;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

/** What to do about a watch the system does not give. */
function refusalText(cause: unknown): string {
  const code = systemCodeOf(cause);
  if (code === 'ENOSPC') return 'the system’s limit of watches is reached (fs.inotify.max_user_watches)';
  if (code === 'EMFILE') return 'the system’s limit of watching programs is reached (fs.inotify.max_user_instances)';
  return messageOf(cause);
}

/** File systems whose other users are not heard, by the number `statfs` gives (Linux). */
const remoteKinds: ReadonlyMap<number, string> = new Map([
  [0x6969, 'a network file system (NFS)'],
  [0x517b, 'a network file system (SMB)'],
  [0xff534d42, 'a network file system (CIFS)'],
  [0xfe534d42, 'a network file system (SMB2)'],
  [0x01021997, 'a file system of the host (9p)'],
  [0x5346414f, 'a network file system (AFS)'],
  [0x00c36400, 'a network file system (Ceph)'],
]);

function remoteKind(path: string): string | undefined {
  try {
    return remoteKinds.get(statfsSync(path).type);
  } catch {
    // Gone or forbidden meanwhile; asking its folders says so.
    return undefined;
  }
}

function modifiedOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    // Forbidden or unmounted: as good as gone, and found again when it can be asked.
    return undefined;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // As above.
    return false;
  }
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    // Removed meanwhile, or forbidden, which the search for sessions tells.
    return [];
  }
}
