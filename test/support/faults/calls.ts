/**
 * Calls of `node:fs` and `node:sqlite` that are a simulated process's while one works, and the real ones else: counted, failing
 * when that process is to fail, with books kept of what is flushed.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import sqlite from 'node:sqlite';
import type { Disk } from './disk.ts';
import type { Process } from './process.ts';
import { writesRow } from './process.ts';
import { real } from './real.ts';

const RealDatabase = sqlite.DatabaseSync;

/** The calls of one run. */
export class Calls {
  readonly #disk: Disk;
  readonly #torn: (bytes: number) => number;
  #by: Process | undefined;
  /** Within a call Node makes others of the same module. */
  #isInside = false;

  /** `torn`: how many bytes of a write a death or a full disk leaves. */
  constructor(disk: Disk, torn: (bytes: number) => number) {
    this.#disk = disk;
    this.#torn = torn;
  }

  /** Works as a process until everything it began has come to an end; what it throws once it is dead is nobody's to hear. */
  async as<T>(by: Process, work: () => Promise<T>): Promise<T | undefined> {
    const { pid } = process;
    this.#by = by;
    setPid(by.pid);
    try {
      return await work();
    } catch (cause) {
      if (!by.isDead) throw cause;
      return undefined;
    } finally {
      do await turn();
      while (by.flushing > 0);
      this.#by = undefined;
      setPid(pid);
    }
  }

  /** Does something in the midst of a process's call that is not its doing. */
  apart(work: () => void): void {
    const by = this.#by;
    this.#by = undefined;
    try {
      work();
    } finally {
      this.#by = by;
    }
  }

  /** Puts these calls in the place of the real ones; the function given back puts those back. */
  install(): () => void {
    const calls = this.#calls();
    Object.assign(fs, calls);
    sqlite.DatabaseSync = databaseOf(this.#disk, () => this.#by);
    syncBuiltinESMExports();
    return () => {
      Object.assign(fs, Object.fromEntries(Object.keys(calls).map((name) => [name, Reflect.get(real, name)])));
      sqlite.DatabaseSync = RealDatabase;
      syncBuiltinESMExports();
    };
  }

  get #current(): Process | undefined {
    return this.#isInside ? undefined : this.#by;
  }

  #whole<T>(call: () => T): T {
    this.#isInside = true;
    try {
      return call();
    } finally {
      this.#isInside = false;
    }
  }

  // Node's types have many forms of each call; those that are cast are called in the one that is written here.
  #calls(): Partial<typeof fs> {
    const disk = this.#disk;
    return {
      openSync: (path, flags = 'r', mode) => this.#open(path, flags, mode),
      closeSync: (file) => {
        if (!this.#isInside) disk.closed(file);
        real.closeSync(file);
      },
      readSync: this.#looking(real.readSync) as typeof real.readSync,
      statSync: this.#looking(real.statSync) as typeof real.statSync,
      readFileSync: this.#looking(real.readFileSync) as typeof real.readFileSync,
      writeSync: ((file: number, data: Uint8Array, offset: number, count?: number, at?: number) => {
        const by = this.#current;
        const length = count ?? data.length - offset;
        if (by !== undefined) {
          if (at !== undefined) disk.changing(file, at, at + length);
          by.write(() => real.writeSync(file, data, offset, this.#torn(length), at));
        }
        return real.writeSync(file, data, offset, length, at);
      }) as typeof real.writeSync,
      ftruncateSync: (file, length) => {
        const by = this.#current;
        by?.write();
        if (by !== undefined) disk.changing(file, length ?? 0, Number.MAX_SAFE_INTEGER);
        real.ftruncateSync(file, length);
      },
      fsyncSync: (file) => {
        const by = this.#current;
        if (by === undefined) return real.fsyncSync(file);
        by.flush(() => disk.lose(file));
        disk.flushed(file);
      },
      fsync: ((file: number, done: (error: Error | null) => void) => {
        const by = this.#current;
        if (by === undefined) return real.fsync(file, done);
        by.flushing += 1;
        setImmediate(() => {
          by.flushing -= 1;
          try {
            by.flush(() => disk.lose(file));
            disk.flushed(file);
          } catch (cause) {
            return done(cause instanceof Error ? cause : new Error(String(cause)));
          }
          done(null);
        });
      }) as typeof real.fsync,
      renameSync: (from, to) => {
        const by = this.#current;
        by?.write();
        const restore = by !== undefined && disk.isOurs(to) ? disk.save(to) : undefined;
        real.renameSync(from, to);
        if (by === undefined || !disk.isOurs(to)) return;
        disk.renamed(() => {
          real.renameSync(to, from);
          restore?.();
        });
      },
      linkSync: (from, to) => {
        const by = this.#current;
        by?.write();
        real.linkSync(from, to);
        if (by !== undefined && disk.isOurs(to)) disk.renamed(() => real.rmSync(to, { force: true }));
      },
      mkdirSync: ((path: string, options: Parameters<typeof real.mkdirSync>[1]) => {
        const by = this.#current;
        by?.write();
        const made = this.#whole(() => real.mkdirSync(path, options));
        if (by !== undefined && disk.isOurs(path))
          disk.renamed(() => real.rmSync(made ?? path, { recursive: true, force: true }));
        return made;
      }) as typeof real.mkdirSync,
      unlinkSync: (path) => this.#remove(path, () => real.unlinkSync(path)),
      rmSync: (path, options) => this.#remove(path, () => this.#whole(() => real.rmSync(path, options))),
      writeFileSync: (path, data, options) => {
        const by = this.#current;
        by?.write();
        const restore = by !== undefined && disk.isOurs(path) ? disk.save(path) : undefined;
        this.#whole(() => real.writeFileSync(path, data, options));
        if (by === undefined || !disk.isOurs(path)) return;
        disk.renamed(() => {
          real.rmSync(path, { force: true });
          restore?.();
        });
      },
      appendFileSync: (path, data, options) => {
        this.#current?.write();
        this.#whole(() => real.appendFileSync(path, data, options));
      },
    };
  }

  #looking<Given extends unknown[], T>(call: (...given: Given) => T): (...given: Given) => T {
    return (...given) => {
      this.#current?.look();
      return this.#whole(() => call(...given));
    };
  }

  #open(path: fs.PathLike, flags: fs.OpenMode, mode: fs.Mode | null | undefined): number {
    const by = this.#current;
    const disk = this.#disk;
    const writes = typeof flags === 'string' && flags !== 'r';
    if (writes) by?.write();
    else by?.look();
    if (by === undefined || !disk.isOurs(path)) return real.openSync(path, flags, mode);
    const isNew = writes && !real.existsSync(path);
    if (flags === 'w' && !isNew) disk.emptying(path);
    const file = real.openSync(path, flags, mode);
    disk.opened(path, file, isNew);
    return file;
  }

  #remove(path: fs.PathLike, remove: () => void): void {
    const by = this.#current;
    by?.write();
    const restore = by !== undefined && this.#disk.isOurs(path) ? this.#disk.save(path) : undefined;
    remove();
    if (restore !== undefined) this.#disk.renamed(restore);
  }
}

/** Databases that belong to the process that opens them. */
function databaseOf(disk: Disk, current: () => Process | undefined): typeof RealDatabase {
  return class extends RealDatabase {
    readonly #owner = current();

    constructor(...given: ConstructorParameters<typeof RealDatabase>) {
      current()?.look();
      super(...given);
      this.#owner?.databases.add(this);
    }

    override exec(sql: string): void {
      if (this.#owner !== undefined) writesRow(this.#owner, sql);
      if (this.#owner !== undefined && sql.includes('commit')) disk.indexing();
      super.exec(sql);
    }

    override prepare(sql: string): sqlite.StatementSync {
      const owner = this.#owner;
      owner?.look();
      const statement = super.prepare(sql);
      if (owner === undefined || !/^\s*(?:insert|delete|update)/.test(sql)) return statement;
      const run = statement.run.bind(statement);
      return Object.assign(statement, {
        run: (...values: sqlite.SQLInputValue[]) => {
          writesRow(owner, sql);
          return run(...values);
        },
      });
    }

    override close(): void {
      this.#owner?.databases.delete(this);
      super.close();
    }
  };
}

function setPid(pid: number): void {
  Object.defineProperty(process, 'pid', { value: pid });
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
