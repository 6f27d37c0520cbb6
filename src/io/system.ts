/** The real machine: files, processes, clock and environment of the computer we run on. */

import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
} from 'node:fs';
import type { Dirent } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { builtin } from './builtin.ts';
import { systemCodeOf } from '../errors.ts';
import { unreadable } from './file-errors.ts';
import { statOf } from './file-info.ts';
import type { DirEntry, Machine, RunOptions, RunResult } from './machine.ts';
import { readSnapshot } from './sqlite.ts';
import { packedHeadBytes, unpackHead } from './unpack.ts';

/** How the machine is seen; tests pass a scratch environment and home. */
export interface SystemOptions {
  readonly env?: { readonly [name: string]: string | undefined };
  readonly homeDir?: string;
}

/** The machine of this process. */
export function systemMachine(options: SystemOptions = {}): Machine {
  const env = options.env ?? process.env;
  return {
    platform: process.platform,
    homeDir: options.homeDir ?? env['HOME'] ?? homedir(),
    env,
    now: () => new Date(),
    uuid: () => builtin('node:crypto').randomUUID(),
    uuid7,
    sha256: (data) => builtin('node:crypto').createHash('sha256').update(data).digest('hex'),
    md5: (data) => builtin('node:crypto').createHash('md5').update(data).digest('hex'),
    list: listFolder,
    stat: statOf,
    realPath,
    readText,
    readHead: (path, bytes) => readPart(path, (size) => [0, Math.min(bytes, size)]),
    readPackedHead: (path, bytes) =>
      unpackHead(
        readPart(path, (size) => [0, Math.min(Math.max(packedHeadBytes, bytes), size)]),
        bytes,
      ),
    readTail: (path, bytes) => readPart(path, (size) => [Math.max(0, size - bytes), Math.min(bytes, size)]),
    query,
    snapshot: readSnapshot,
    run: (argv, runOptions) => run(argv, { ...runOptions, env: runOptions.env ?? env }),
    which: (command) => which(command, env['PATH'] ?? ''),
    isRunning,
  };
}

const gone: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);

function listFolder(path: string): DirEntry[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    if (gone.has(systemCodeOf(cause))) return [];
    throw unreadable(path, cause);
  }
  return entries.map((entry) => ({
    name: entry.name,
    kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other',
  }));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (gone.has(systemCodeOf(cause))) return path;
    throw unreadable(path, cause);
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (gone.has(systemCodeOf(cause))) return undefined;
    throw unreadable(path, cause);
  }
}

/** `range` gives offset and length for a size; nothing is read from what cannot be opened. */
function readPart(path: string, range: (sizeBytes: number) => readonly [number, number]): Uint8Array {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return new Uint8Array();
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return new Uint8Array();
    const [offset, length] = range(stats.size);
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(file, buffer, 0, length, offset));
  } finally {
    closeSync(file);
  }
}

function query(
  path: string,
  sql: string,
  parameters: readonly (string | number)[] = [],
): readonly Record<string, unknown>[] | undefined {
  if (statOf(path)?.kind !== 'file') return undefined;
  try {
    const database = new (builtin('node:sqlite').DatabaseSync)(path, { readOnly: true, timeout: 2000 });
    try {
      return database.prepare(sql).all(...parameters);
    } finally {
      database.close();
    }
  } catch {
    // A database that is locked, corrupt or of another schema is somebody else's; the caller has another way.
    return undefined;
  }
}

function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [command, ...rest] = argv;
  if (command === undefined) return Promise.resolve({ status: undefined, stdout: '', stderr: 'nothing to run' });
  return new Promise((resolve) => {
    const child = builtin('node:child_process').spawn(command, rest, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...options.env },
      stdio: 'pipe',
    });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const done = (status: number | undefined): void => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (options.until !== undefined && stdout.includes(options.until)) child.kill();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', (error) => {
      stderr += `${error.message}\n`;
    });
    child.on('error', (error) => {
      stderr += error.message;
      done(undefined);
    });
    child.on('close', (status) => done(status ?? undefined));
    if (options.input !== undefined) child.stdin.write(options.input);
    if (options.until === undefined) child.stdin.end();
  });
}

function which(command: string, path: string): string | undefined {
  const candidates = isAbsolute(command) ? [command] : path.split(delimiter).map((folder) => join(folder, command));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statOf(candidate)?.kind === 'file';
    } catch {
      return false;
    }
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !hasEnded(pid);
  } catch (cause) {
    return systemCodeOf(cause) === 'EPERM';
  }
}

/** A process that has ended keeps its number until its parent asks; in a container nobody may. Linux tells. */
function hasEnded(pid: number): boolean {
  try {
    return /^\d+ \([^]*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // Another system, or ended at this moment.
    return false;
  }
}

/** RFC 9562 §5.7: 48 bits of milliseconds, then random. */
function uuid7(atMs: number): string {
  const bytes = builtin('node:crypto').randomBytes(16);
  bytes.writeUIntBE(Math.max(0, Math.floor(atMs)), 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
