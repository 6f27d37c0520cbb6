/**
 * Is a session what was promised? Reads everything in its directory, a frame or a line at a time, and writes nothing. A session that
 * is being written is read as of its last commit; when that changed meanwhile, it is read again.
 */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { decodeLiveOp, decodeMessage } from '../format/decode.ts';
import { layout } from '../format/layout.ts';
import { decodeLine } from '../format/line.ts';
import { exists, namesIn, readBytes, sizeOf } from '../io/files.ts';
import { hashOf, hashOfPieces } from '../io/hash.ts';
import { linesInFile } from '../io/line-file.ts';
import { isObject } from '../model/json.ts';
import { archivedBytes, isPatched, readArchive, readArchiveEnd, readOldFrames, readOldGeneration } from './archive.ts';
import { checkpointAt, checkpointNames } from './checkpoints.ts';
import type { ArchivedFile, Commit, Cursor } from './commit.ts';
import { decodeCommit, guardBytes } from './commit.ts';
import { readManifest } from './session-reader.ts';

/** Something that is not as it should be. */
export interface Damage {
  /** Absolute. */
  readonly path: string;
  readonly problem: string;
  /** What may mend it, by what is lost. */
  readonly mend: Mend;
}

/**
 * - `anew`: bytes of the archive are lost, or what says how to read them; its tool may still have them.
 * - `reparse`: the archive is whole, so the rest is made again from it.
 * - `line`: the same, but the line itself stays and is told again.
 * - `copy`: only a copy of the store has it.
 */
export type Mend = 'anew' | 'reparse' | 'line' | 'copy';

/** What was found in one session. */
export interface Verified {
  readonly damage: readonly Damage[];
  /** Raw bytes of the archive that were read and are right. */
  readonly bytes: number;
  readonly frames: number;
  readonly messages: number;
}

/** So often a session is read again while another process writes it. */
const attempts = 5;

/** Reads a session directory. */
export function verifySession(folder: string, id: string): Verified {
  for (let attempt = 1; ; attempt += 1) {
    const before = commitText(folder);
    const check = new SessionCheck(folder, id);
    check.run(before);
    if (check.damage.length === 0 || commitText(folder) === before || attempt === attempts) return check;
  }
}

function commitText(folder: string): string | undefined {
  try {
    const path = join(folder, layout.commit);
    return exists(path) ? readBytes(path).toString('utf8') : undefined;
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    return undefined;
  }
}

/** One look through a session. */
class SessionCheck implements Verified {
  readonly #folder: string;
  readonly #id: string;
  readonly damage: Damage[] = [];
  bytes = 0;
  frames = 0;
  messages = 0;

  constructor(folder: string, id: string) {
    this.#folder = folder;
    this.#id = id;
  }

  run(text: string | undefined): void {
    const commit = this.#commit(text);
    // With nothing archived there is nothing it could be made again from.
    const mend = commit === undefined || Object.keys(commit.native).length === 0 ? 'copy' : 'reparse';
    this.#try(layout.manifest, 'anew', (path) => {
      const { session_id: id } = readManifest(path);
      if (id !== this.#id) this.#tell(path, `is that of ${id}`, 'copy');
    });
    for (const name of [layout.workspace, layout.tools])
      this.#try(name, mend, (path) => {
        if (exists(path) && !isObject(decodeLine(readBytes(path).toString('utf8'))))
          this.#tell(path, 'is no JSON', mend);
      });
    this.messages = this.#lines(
      layout.messages,
      commit?.messagesBytes,
      mend,
      (line) => decodeMessage(line) !== undefined,
    );
    this.#lines(layout.live, commit?.liveBytes, mend, (line) => decodeLiveOp(line) !== undefined);
    this.#lines(layout.keys, commit?.keysBytes, mend, isKeyLine);
    this.#checkpoints(commit);
    if (commit === undefined) return;
    this.#touched(commit, mend);
    for (const [key, file] of Object.entries(commit.native)) {
      const isWhole = this.#archive(key, file);
      const cursor = commit.cursors[key];
      if (isWhole && cursor !== undefined && cursor.inherited !== true) this.#cursor(key, file, cursor);
      this.#older(key, file);
    }
  }

  #commit(text: string | undefined): Commit | undefined {
    const path = join(this.#folder, layout.commit);
    if (text === undefined) {
      if (exists(join(this.#folder, layout.native))) this.#tell(path, 'is missing', 'anew');
      return undefined;
    }
    let commit: Commit | undefined;
    this.#try(layout.commit, 'copy', () => {
      commit = decodeCommit(text, path);
      if (commit === undefined) this.#tell(path, 'is no commit', 'anew');
    });
    return commit;
  }

  /** A file that only grows: as long as promised, each line what it should be. How many there are. */
  #lines(name: string, promised: number | undefined, mend: Mend, isRight: (line: string) => boolean): number {
    let count = 0;
    this.#try(name, mend, (path) => {
      if (!exists(path)) {
        if (name === layout.messages || (promised ?? 0) > 0) this.#tell(path, 'is missing', mend);
        return;
      }
      const size = sizeOf(path);
      if (promised !== undefined && size < promised)
        this.#tell(path, `has ${size} bytes of the ${promised} that were promised`, mend);
      let at = 0;
      const wrong: number[] = [];
      for (const line of linesInFile(path, promised)) {
        at += 1;
        if (line.bytes.length === 0 && line.complete) continue;
        if (isRight(line.bytes.toString('utf8'))) count += 1;
        // What a file ends within is missing, and told already.
        else if (line.complete || size >= (promised ?? 0)) wrong.push(at);
      }
      if (wrong.length > 0)
        this.#tell(
          path,
          `line ${wrong[0]}${wrong.length === 1 ? '' : ` and ${wrong.length - 1} more`} cannot be read`,
          mend === 'reparse' ? 'line' : mend,
        );
    });
    return count;
  }

  /** The list of touched files has the name of its hash. */
  #touched({ files: name }: Commit, mend: Mend): void {
    if (name === undefined) return;
    this.#try(join('meta', `files.${name}.json`), mend, (path) => {
      if (!hashOf(readBytes(path)).startsWith(name)) this.#tell(path, 'does not have its hash', mend);
    });
  }

  #checkpoints(commit: Commit | undefined): void {
    for (const name of checkpointNames(this.#folder)) {
      const file = join(layout.checkpoints, name);
      this.#try(file, 'copy', (path) => {
        // One of 0.1.0 has copies instead.
        if (!exists(join(path, layout.checkpoint))) return void readManifest(join(path, layout.manifest));
        const checkpoint = checkpointAt(this.#folder, name);
        if (checkpoint === undefined) this.#tell(path, 'is no checkpoint', 'copy');
        else if (
          commit !== undefined &&
          (checkpoint.messages_bytes > commit.messagesBytes || checkpoint.live_bytes > commit.liveBytes)
        )
          this.#tell(path, 'stands behind the end of the session', 'copy');
      });
    }
  }

  /** Each frame has its hash, and all bytes that are listed are there. */
  #archive(key: string, file: ArchivedFile): boolean {
    let bytes = 0;
    const before = this.damage.length;
    this.#try(join(layout.native, key, String(file.generation)), 'anew', (path) => {
      for (const raw of readArchive(this.#folder, key, file)) bytes += raw.length;
      const promised = archivedBytes(file);
      if (bytes !== promised) this.#tell(path, `holds ${bytes} bytes of the ${promised} that were promised`, 'anew');
    });
    this.bytes += bytes;
    this.frames += file.frames.length;
    return this.damage.length === before;
  }

  /** The bytes before the cursor are those it was set behind. */
  #cursor(key: string, file: ArchivedFile, { offset, guard }: Omit<Cursor, 'state'>): void {
    // A source that changed while it was read has none: it is read again from its start.
    if (guard === '') return;
    const behind = archivedBytes(file) - offset;
    const mend = 'anew';
    if (behind < 0) {
      this.#tell(join(this.#folder, layout.commit), `the cursor of ${key} stands behind the end of what is kept`, mend);
      return;
    }
    this.#try(join(layout.native, key), mend, () => {
      const end = readArchiveEnd(this.#folder, key, file, behind + guardBytes);
      const last = end.subarray(0, Math.max(0, end.length - behind));
      if (hashOf(last.subarray(-guardBytes)) === guard) return;
      // Of a file that is rewritten whole, it is the hash of all.
      if (behind === 0 && hashOfPieces(readArchive(this.#folder, key, file)) === guard) return;
      this.#tell(
        join(this.#folder, layout.commit),
        `what is kept before the cursor of ${key} is not what was read`,
        mend,
      );
    });
  }

  /** Older generations, the newest of them first: one may be kept as what it differs in from the next. */
  #older(key: string, newest: ArchivedFile): void {
    const kept = new Set(namesIn(join(this.#folder, layout.native, key)));
    const isKeptPatched = (generation: number): boolean =>
      kept.has(String(generation)) && isPatched(this.#folder, key, generation);
    let next: Buffer | undefined;
    for (let generation = newest.generation - 1; generation >= 0; generation -= 1) {
      const after = next;
      next = undefined;
      if (!kept.has(String(generation))) continue;
      this.#try(join(layout.native, key, String(generation)), 'copy', () => {
        if (isKeptPatched(generation) || isKeptPatched(generation - 1)) {
          next = readOldGeneration(this.#folder, key, generation, newest, after);
          this.bytes += next.length;
        } else for (const raw of readOldFrames(this.#folder, key, generation)) this.bytes += raw.length;
      });
    }
  }

  /** What cannot be read is damage too. */
  #try(name: string, mend: Mend, work: (path: string) => void): void {
    const path = join(this.#folder, name);
    try {
      work(path);
    } catch (cause) {
      if (!(cause instanceof SessionFsError)) throw cause;
      this.damage.push({
        path,
        problem: cause.message.startsWith(path) ? cause.message.slice(path.length + 1) : cause.message,
        mend,
      });
    }
  }

  #tell(path: string, problem: string, mend: Mend): void {
    this.damage.push({ path, problem, mend });
  }
}

function isKeyLine(text: string): boolean {
  const pair = decodeLine(text);
  return Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string' && typeof pair[1] === 'string';
}
