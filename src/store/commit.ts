/** `meta/commit.json`: what of a session is durable, and where reading its source goes on. */

import { SessionFsError } from '../errors.ts';
import type { SessionFacts } from '../model/facts.ts';
import { countAt, isObject } from '../model/json.ts';
import type { Json } from '../model/json.ts';
import type { Tally } from '../model/tally.ts';
import { decodeLine } from '../format/line.ts';
import { behindBytes } from '../io/chunks.ts';
import type { KeyPair } from './key-log.ts';

/** One zstd frame in `frames.zst`: its bytes before and after compression, and the hash of those before. */
export interface Frame {
  readonly raw: number;
  readonly stored: number;
  /** sha256, lower-case hex. */
  readonly sha256: string;
}

/** The archive of one native file. */
export interface ArchivedFile {
  /** Counts up when the source was rewritten; older generations keep what the newer one lacks. */
  readonly generation: number;
  readonly frames: readonly Frame[];
  /** Uncompressed bytes behind the frames, in `tail.<offset of its first byte>`. */
  readonly tailBytes: number;
}

/** Of so many bytes before a cursor its guard is the hash. */
export const guardBytes = behindBytes;

/** Where reading one native file goes on. */
export interface Cursor {
  /** Absolute path on this machine. */
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Of the file when it was read; a file that differs in neither size nor time is not read again. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Bytes decoded: the end of the last whole line. */
  readonly offset: number;
  /** sha256 of the last (at most 4096) bytes before `offset`. */
  readonly guard: string;
  /** Another session's file, read once for what this one inherited. */
  readonly inherited?: true;
  /** The decoder's own, plain JSON. */
  readonly state: { [key: string]: Json | undefined };
}

/** The commit. */
export interface Commit {
  readonly version: 1;
  /** Durable bytes of each appended file. */
  readonly messagesBytes: number;
  readonly liveBytes: number;
  readonly keysBytes: number;
  /** Native keys and the messages they stand for, while they are so few that they have no file. */
  readonly keys?: readonly KeyPair[];
  /** By file key. */
  readonly native: { readonly [key: string]: ArchivedFile };
  readonly cursors: { readonly [key: string]: Cursor };
  readonly facts: SessionFacts;
  /** Names the list that is `facts.files`, where that is a file of its own (`touched-files.ts`). */
  readonly files?: string;
  /** sha256 of the facts the tool told outside the session's own files. */
  readonly outsideFacts: string;
  readonly tally: Tally;
  /** Another session's messages stand in front, and nothing has told yet whose: the last of them, and the counts of what comes after. */
  readonly copied?: { readonly last: string; readonly own: Tally };
  /** The first prompt's words, while nobody named the session. */
  readonly promptTitle: string | null;
  /** Records of the source by what they were. */
  readonly records: { readonly [disposition: string]: number };
  readonly losses: { readonly [name: string]: number };
  /** Set by a resume that placed this session: native ids of placed records are known under other ids. */
  readonly placed: boolean;
}

/** The text of a commit. A list of touched files that has a file of its own is left out. */
export function encodeCommit(commit: Commit): string {
  if (commit.files === undefined) return JSON.stringify(commit);
  const { files: _, ...facts } = commit.facts;
  return JSON.stringify({ ...commit, facts });
}

/** A commit without the decoders' states: who only reads a session has no use for them, and they can be megabytes. */
export interface CommitOutline extends Omit<Commit, 'cursors'> {
  readonly cursors: { readonly [key: string]: Omit<Cursor, 'state'> };
}

/** The outline of a commit; of none none. */
export function outlineOf(commit: Commit | undefined): CommitOutline | undefined {
  if (commit === undefined) return undefined;
  const cursors = Object.entries(commit.cursors).map(([key, { state: _state, ...place }]) => [key, place]);
  return { ...commit, cursors: Object.fromEntries(cursors) };
}

/** The commit; `undefined` when the text is none (the directory was never committed). Throws `newer-format` naming `path`. */
export function decodeCommit(text: string | undefined, path: string): Commit | undefined {
  const value = text === undefined ? undefined : decodeLine(text);
  if (!isObject(value) || typeof value['version'] !== 'number') return undefined;
  if (value['version'] !== 1) {
    throw new SessionFsError(
      'newer-format',
      `${path} is of version ${value['version']}; this program reads 1`,
      'update SessionFS: npm install -g sessionfs@latest',
    );
  }
  const lengths = ['messagesBytes', 'liveBytes', 'keysBytes'].map((field) => countAt(value, field));
  if (lengths.includes(undefined)) return undefined;
  // Written by this program alone, through one function; the version says which.
  return value as unknown as Commit;
}
