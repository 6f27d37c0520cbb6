/** The machine as the pure rooms see it: the only doorway to files, processes, clock and environment. */

/** One entry of a folder. */
export interface DirEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

/** What the system knows of a file. Times in milliseconds since 1970. */
export interface FileInfo {
  readonly kind: 'file' | 'directory' | 'other';
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly device: number;
  readonly inode: number;
}

/** How a program ended. `status` is `undefined` when it could not be started or was killed. */
export interface RunResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** One row of a database by column; a blob is a `Uint8Array`. */
export type Row = Readonly<Record<string, unknown>>;

/** A database as it was at one moment. */
export interface Snapshot {
  rows(sql: string, ...parameters: readonly (string | number)[]): readonly Row[];
}

/** Looks at the machine. Nothing here writes a file. */
export interface Machine {
  readonly platform: string;
  /** The person's home directory. */
  readonly homeDir: string;
  readonly env: { readonly [name: string]: string | undefined };
  now(): Date;
  uuid(): string;
  /** A UUID of version 7 for a time in milliseconds. */
  uuid7(atMs: number): string;
  /** lower-case hex. */
  sha256(data: string | Uint8Array): string;
  /** lower-case hex; for names that a tool makes so, not for safety. */
  md5(data: string): string;
  /** The entries by name; empty when the folder does not exist; throws `unreadable` otherwise. */
  list(path: string): readonly DirEntry[];
  /** Follows links; `undefined` when nothing is there. */
  stat(path: string): FileInfo | undefined;
  /** The path with links resolved; the path itself when nothing is there. */
  realPath(path: string): string;
  /** The whole file as text; `undefined` when nothing is there; throws `unreadable` otherwise. */
  readText(path: string): string | undefined;
  /** The first bytes of a file; empty when nothing is there or it cannot be read. */
  readHead(path: string, bytes: number): Uint8Array;
  /** The same of what a zstd file holds, some more perhaps; also empty when it is none. */
  readPackedHead(path: string, bytes: number): Uint8Array;
  /** The last bytes of a file; empty when nothing is there or it cannot be read. */
  readTail(path: string, bytes: number): Uint8Array;
  /** Rows of a SQLite database opened read-only beside its writer; `undefined` when it is absent, locked or unreadable. */
  query(
    path: string,
    sql: string,
    parameters?: readonly (string | number)[],
  ): readonly Record<string, unknown>[] | undefined;
  /**
   * Reads a SQLite database as it is at one moment, beside its writer, leaving nothing behind. `read` may run twice. Throws
   * `unreadable` that says why: locked, damaged, encrypted, not the tables that are asked.
   */
  snapshot<T>(path: string, read: (database: Snapshot) => T): T;
  /** Runs a program without a shell and waits for it. */
  run(argv: readonly string[], options: RunOptions): Promise<RunResult>;
  /** The absolute path of a command in PATH; `undefined` when there is none. */
  which(command: string): string | undefined;
  /** Does a process with this id run? */
  isRunning(pid: number): boolean;
}

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string | undefined };
  readonly timeoutMs: number;
  /** Written to its standard input, which is then closed (with `until`: stays open). */
  readonly input?: string;
  /** Ends the program as soon as its standard output holds this text. */
  readonly until?: string;
}
