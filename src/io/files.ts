/** Writing: private files, atomic replacement, append to a known length, durable on request. */

import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { unreadable, unwritable } from './file-errors.ts';
import { infoOf } from './file-info.ts';
import type { FileInfo } from './machine.ts';

const privateFile = 0o600;
const privateFolder = 0o700;
const newline = 0x0a;
let temporaryCount = 0;

/** Makes a folder and its parents, mode 0700; `false` when it was there. */
export function makeFolder(path: string): boolean {
  return writing(path, () => {
    try {
      // Mostly the parent is there; asking for all of them costs three times as much.
      mkdirSync(path, privateFolder);
      return true;
    } catch (cause) {
      if (systemCodeOf(cause) === 'EEXIST' && statSync(path).isDirectory()) return false;
      return mkdirSync(path, { recursive: true, mode: privateFolder }) !== undefined;
    }
  });
}

/**
 * Makes a file under a name that is not yet to be seen. No other process that runs gives it; one that had the same number, as
 * in a container all have, may have left it.
 */
function createTemporary(folder: string): { readonly temporary: string; readonly file: number } {
  for (;;) {
    temporaryCount += 1;
    const temporary = join(folder, `.${process.pid}-${temporaryCount}.tmp`);
    try {
      return { temporary, file: openSync(temporary, 'wx', privateFile) };
    } catch (cause) {
      if (systemCodeOf(cause) !== 'EEXIST') throw cause;
    }
  }
}

/** Removes from a folder what processes that were killed left unfinished there; nobody may be writing in it. */
export function removeUnfinished(folder: string): void {
  for (const name of namesIn(folder)) if (/^\..*\.tmp$/.test(name)) remove(join(folder, name));
}

/** Is it the name of an unfinished file of the process with this id? */
export function isTemporaryOf(name: string, pid: number): boolean {
  return new RegExp(`^\\.${pid}-\\d+\\.tmp$`).test(name);
}

/** Replaces a file whole: temporary file in the same folder, flush, rename; mode 0600. Never half written. */
export function replaceFile(path: string, data: string): void {
  const replacement = prepareReplacement(path, data);
  writing(path, () => {
    try {
      const file = openSync(replacement.temporary, 'r+');
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      replacement.publish();
    } catch (cause) {
      replacement.discard();
      throw cause;
    }
  });
}

/** A file's new content beside it, not yet flushed. */
export interface Replacement {
  readonly temporary: string;
  /** Puts it in the file's place. */
  publish(): void;
  /** Takes it away again. */
  discard(): void;
}

/** Writes what is to stand in place of a file; mode 0600. */
export function prepareReplacement(path: string, data: string): Replacement {
  const temporary = writing(path, () => {
    const made = createTemporary(dirname(path));
    try {
      writeAll(made.file, Buffer.from(data, 'utf8'), 0);
    } catch (cause) {
      unlinkSync(made.temporary);
      throw cause;
    } finally {
      closeSync(made.file);
    }
    return made.temporary;
  });
  return {
    temporary,
    publish: () => writing(path, () => renameSync(temporary, path)),
    discard: () => rmSync(temporary, { force: true }),
  };
}

/** Writes over what is in a file: without more space, as long as it grows no larger, but not at once. For what may be read half written. */
export function writeOver(path: string, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  writing(path, () => {
    const file = openSync(path, 'r+');
    try {
      writeAll(file, bytes, 0);
      ftruncateSync(file, bytes.length);
    } finally {
      closeSync(file);
    }
  });
}

/** A file written whole under a temporary name in its folder, on the disk, not yet to be seen under its own. */
export interface PreparedFile {
  readonly path: string;
  /** Where its bytes are until then. */
  readonly temporary: string;
  readonly info: FileInfo;
  /** Puts it under its name; fails with `already-exists` when one is there, and never replaces it. */
  publish(): void;
  /** Takes it away again. */
  discard(): void;
}

/** Writes a file of mode 0600 that appears only when it is published. */
export function prepareFile(path: string, chunks: Iterable<Uint8Array>): PreparedFile {
  return prepareFileBy(path, (_temporary, file) => {
    let length = 0;
    for (const chunk of chunks) {
      writeAll(file, chunk, length);
      length += chunk.length;
    }
  });
}

/** The same of what `make` makes of the empty file at the temporary path; `file` is its descriptor. */
export function prepareFileBy(path: string, make: (temporary: string, file: number) => void): PreparedFile {
  const { temporary, info } = writing(path, () => {
    const made = createTemporary(dirname(path));
    try {
      make(made.temporary, made.file);
      fsyncSync(made.file);
      return { temporary: made.temporary, info: infoOf(fstatSync(made.file)) };
    } catch (cause) {
      unlinkSync(made.temporary);
      throw cause;
    } finally {
      closeSync(made.file);
    }
  });
  return preparedFile(path, temporary, info);
}

function preparedFile(path: string, temporary: string, info: FileInfo): PreparedFile {
  const discard = (): void => rmSync(temporary, { force: true });
  return {
    path,
    temporary,
    info,
    discard,
    publish: () =>
      writing(path, () => {
        try {
          // A link, unlike a rename, never replaces what is there.
          linkSync(temporary, path);
        } finally {
          discard();
        }
      }),
  };
}

/** What {@link prepareFile} writes, piece by piece on the thread pool, beside what its caller does. */
export class FileDraft {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: number;
  /** What is being written. */
  #behind: Promise<void> = Promise.resolve();
  #length = 0;

  constructor(path: string) {
    const { temporary, file } = writing(path, () => createTemporary(dirname(path)));
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /** Appends bytes, which must stay as they are until `written` is called. Waits for those before them. */
  async append(bytes: Uint8Array, written: () => void): Promise<void> {
    await this.#behind;
    const position = this.#length;
    this.#length += bytes.length;
    this.#behind = writeAside(this.#path, this.#file, bytes, position).then(written);
    // Told by whoever waits for it.
    this.#behind.catch(() => undefined);
  }

  /** Waits until all of it is on the disk. */
  async finish(): Promise<PreparedFile> {
    await this.#behind;
    try {
      await flushed(this.#file);
    } catch (cause) {
      throw unwritable(this.#path, cause);
    }
    return writing(this.#path, () => {
      const info = infoOf(fstatSync(this.#file));
      closeSync(this.#file);
      return preparedFile(this.#path, this.#temporary, info);
    });
  }

  /** Takes it away, whatever became of it. */
  async discard(): Promise<void> {
    await Promise.allSettled([this.#behind]);
    closeSync(this.#file);
    rmSync(this.#temporary, { force: true });
  }
}

async function writeAside(path: string, file: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = done;
    done += await new Promise<number>((resolve, reject) =>
      write(file, bytes, at, bytes.length - at, position + at, (error, count) =>
        error === null ? resolve(count) : reject(unwritable(path, error)),
      ),
    );
  }
}

function flushed(file: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(file, (error) => (error === null ? resolve() : reject(error))));
}

/** Writes `data` at `length` and cuts off what stood behind it; the new length. At length 0 the file is made anew. */
export function appendAt(path: string, length: number, data: Uint8Array): number {
  return writing(path, () => {
    const file = openSync(path, length === 0 ? 'w' : 'r+', privateFile);
    try {
      if (length > 0 && fstatSync(file).size > length) ftruncateSync(file, length);
      writeAll(file, data, length);
      return length + data.length;
    } finally {
      closeSync(file);
    }
  });
}

/**
 * Adds a line at the end of a file that several processes may add to; mode 0600. It is on the disk on return. A line that a
 * crash cut off is ended first, so that it takes no other with it.
 */
export function addLine(path: string, text: string): void {
  writing(path, () => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const isCut = size > 0 && readBytes(path, size - 1, 1)[0] !== newline;
    appendFileSync(path, `${isCut ? '\n' : ''}${text}\n`, { mode: privateFile, flush: true });
  });
}

/** Moves a file or folder within one file system. */
export function move(from: string, to: string): void {
  writing(to, () => renameSync(from, to));
}

/** Cuts a file to a length; `false` when it is shorter than that or missing. */
export function cutFile(path: string, length: number): boolean {
  if (!existsSync(path)) return length === 0;
  return writing(path, () => {
    const file = openSync(path, 'r+');
    try {
      const { size } = fstatSync(file);
      if (size > length) ftruncateSync(file, length);
      return size >= length;
    } finally {
      closeSync(file);
    }
  });
}

/** Waits until the files' bytes are on the disk. */
export async function flushFiles(paths: Iterable<string>): Promise<void> {
  await Promise.all(
    [...paths].map(async (path) => {
      const file = openSync(path, 'r');
      try {
        await flushed(file);
      } finally {
        closeSync(file);
      }
    }),
  );
}

/** The bytes of a file from `offset`; all of it without a range. Throws `unreadable`. */
export function readBytes(path: string, offset = 0, length?: number): Buffer {
  try {
    if (offset === 0 && length === undefined) return readFileSync(path);
    const file = openSync(path, 'r');
    try {
      const wanted = length ?? Math.max(0, fstatSync(file).size - offset);
      const buffer = Buffer.allocUnsafe(wanted);
      return buffer.subarray(0, readFull(file, buffer, offset));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Does the file hold these bytes at its beginning? `false` when there is none. */
export function beginsWith(path: string, pieces: Iterable<Buffer>): boolean {
  if (!existsSync(path)) return false;
  let offset = 0;
  for (const piece of pieces) {
    if (!readBytes(path, offset, piece.length).equals(piece)) return false;
    offset += piece.length;
  }
  return true;
}

/** Removes a file or a folder with all below it; nothing there is fine. */
export function remove(path: string): void {
  writing(path, () => rmSync(path, { recursive: true, force: true }));
}

/** The names in a folder; empty when there is none. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return [];
    throw unreadable(path, cause);
  }
}

/** Bytes of a file. Throws `unreadable`. */
export function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Is it a symbolic link (whatever it points to)? */
export function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Is something there? */
export function exists(path: string): boolean {
  return existsSync(path);
}

function writeAll(file: number, data: Uint8Array, position: number): void {
  for (let done = 0; done < data.length;) done += writeSync(file, data, done, data.length - done, position + done);
}

function readFull(file: number, buffer: Buffer, offset: number): number {
  let done = 0;
  while (done < buffer.length) {
    const count = readSync(file, buffer, done, buffer.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
