/**
 * The disk under the store of one run: it knows what was flushed and what was not, so that the power can fail. On ext4 and its
 * like, which this follows, changes of names become durable in their order, at the latest when anything is flushed.
 */

import { join } from 'node:path';
import type { Random } from '../../../bench/corpus/random.ts';
import { real } from './real.ts';
import { Process } from './process.ts';

/** Above every number Linux gives, so that nothing real is ever taken for it. */
const firstPid = 1 << 23;

/** What a file of the store had when it was last flushed, as far as it has changed since. */
interface Unflushed {
  readonly bytes: number;
  /** Flushed bytes that were written over or cut off, newest last. */
  readonly over: { readonly at: number; readonly bytes: Buffer }[];
}

/** One store, below `root`. */
export class Disk {
  readonly root: string;
  readonly #saves: string;
  readonly #random: Random;
  /** Files of the store that are open: descriptor → inode. */
  readonly #open = new Map<number, number>();
  readonly #unflushed = new Map<number, Unflushed>();
  /** How the names changed since the last flush, as what takes it back. */
  #names: (() => void)[] = [];
  #saved = 0;
  #flushes = 0;
  #started = 0;
  readonly #running = new Set<number>([process.pid]);

  /** `folder` is empty. */
  constructor(folder: string, random: Random) {
    this.root = join(folder, 'store');
    this.#saves = join(folder, 'saves');
    this.#random = random;
    real.mkdirSync(this.#saves, { recursive: true });
  }

  /** The numbers of all processes that run, and of the real one. */
  get running(): readonly number[] {
    return [...this.#running];
  }

  start(): Process {
    this.#started += 1;
    const started = new Process(firstPid + this.#started);
    this.#running.add(started.pid);
    return started;
  }

  /** Ends a process, which lets its databases go and leaves its files. */
  end(ended: Process): void {
    ended.isDead = true;
    this.#running.delete(ended.pid);
    if (ended.databases.size === 0) return;
    // Closing writes what a killed process leaves in the log.
    const putBack = this.#indexCopy();
    for (const database of ended.databases) database.close();
    putBack();
  }

  /** How often anything was flushed: what was done before the last time is durable. */
  get flushes(): number {
    return this.#flushes;
  }

  /** Everything there is becomes durable. */
  flushAll(): void {
    this.#names = [];
    this.#unflushed.clear();
    this.#flushes += 1;
  }

  /** The power fails: the last changes of names are undone, and files keep some of what was not flushed, or zeros. */
  cutPower(): void {
    for (let times = this.#random.between(0, this.#names.length); times > 0; times -= 1) this.#names.pop()?.();
    this.#names = [];
    for (const path of filesBelow(this.root)) {
      const { ino, size } = real.statSync(path);
      const unflushed = this.#unflushed.get(ino);
      // The index is undone with the names.
      if (unflushed !== undefined && !path.includes('index.db')) this.#lose(path, size, unflushed);
    }
    this.#unflushed.clear();
  }

  isOurs(path: unknown): path is string {
    return typeof path === 'string' && path.startsWith(this.root);
  }

  /** A file was opened; `isNew`: and made. */
  opened(path: string, file: number, isNew: boolean): void {
    const { ino } = real.fstatSync(file);
    this.#open.set(file, ino);
    if (!isNew) return;
    this.#unflushed.set(ino, { bytes: 0, over: [] });
    this.renamed(() => real.rmSync(path, { force: true }));
  }

  closed(file: number): void {
    this.#open.delete(file);
  }

  /** Bytes of an open file are about to change. */
  changing(file: number, from: number, to: number): void {
    const inode = this.#open.get(file);
    if (inode !== undefined) this.#changing(file, inode, from, to);
  }

  /** A file is about to be emptied by opening it. */
  emptying(path: string): void {
    const file = real.openSync(path, 'r');
    this.#changing(file, real.fstatSync(file).ino, 0, Number.MAX_SAFE_INTEGER);
    real.closeSync(file);
  }

  #changing(file: number, inode: number, from: number, to: number): void {
    const { size } = real.fstatSync(file);
    const known = this.#unflushed.get(inode) ?? { bytes: size, over: [] };
    this.#unflushed.set(inode, known);
    const length = Math.min(to, size, known.bytes) - from;
    if (length <= 0) return;
    const bytes = Buffer.alloc(length);
    real.readSync(file, bytes, 0, length, from);
    known.over.push({ at: from, bytes });
  }

  /** An open file was flushed. */
  flushed(file: number): void {
    const inode = this.#open.get(file);
    if (inode === undefined) return;
    this.#unflushed.delete(inode);
    this.#names = [];
    this.#flushes += 1;
  }

  /** An open file could not be flushed: Linux forgets what it could not write. */
  lose(file: number): void {
    const inode = this.#open.get(file);
    const unflushed = inode === undefined ? undefined : this.#unflushed.get(inode);
    if (inode === undefined || unflushed === undefined) return;
    this.#lose(`/proc/self/fd/${file}`, real.fstatSync(file).size, unflushed);
    this.#unflushed.delete(inode);
  }

  /** A name has changed; `undo` takes it back. */
  renamed(undo: () => void): void {
    this.#names.push(undo);
  }

  /** Keeps what is under a name, which is about to be another's or nobody's; the function given back puts it there again. */
  save(path: string): (() => void) | undefined {
    const stats = real.lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    this.#saved += 1;
    const copy = join(this.#saves, String(this.#saved));
    if (stats.isDirectory()) real.renameSync(path, copy);
    else real.linkSync(path, copy);
    return () => real.renameSync(copy, path);
  }

  /** The index is about to change. It is as durable as names are: SQLite flushes none of its transactions (`synchronous = normal`). */
  indexing(): void {
    this.renamed(this.#indexCopy());
  }

  /** Puts the index back as it is now; only while nobody has it open. */
  #indexCopy(): () => void {
    const copies = ['', '-wal'].map((end) => {
      const path = join(this.root, `index.db${end}`);
      return { path, bytes: real.existsSync(path) ? real.readFileSync(path) : undefined };
    });
    return () => {
      real.rmSync(join(this.root, 'index.db-shm'), { force: true });
      for (const { path, bytes } of copies)
        if (bytes === undefined) real.rmSync(path, { force: true });
        else real.writeFileSync(path, bytes);
    };
  }

  #lose(path: string, size: number, { bytes, over }: Unflushed): void {
    const outcome = this.#random.pick(['kept', 'cut', 'zeros', 'gone'] as const);
    if (outcome === 'kept') return;
    const file = real.openSync(path, 'r+');
    if (outcome === 'gone' || bytes > size) {
      for (const { at, bytes: old } of over.toReversed()) real.writeSync(file, old, 0, old.length, at);
      real.ftruncateSync(file, bytes);
    } else {
      real.ftruncateSync(file, this.#random.between(bytes, size));
      if (outcome === 'zeros') real.ftruncateSync(file, size);
    }
    real.closeSync(file);
  }
}

function filesBelow(folder: string): string[] {
  if (!real.existsSync(folder)) return [];
  return real
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
