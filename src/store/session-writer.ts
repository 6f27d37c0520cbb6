/**
 * Writes one session directory: native bytes, messages, live operations, then the four derived files and last the commit.
 * Only the commit promises durability; whatever an earlier, unfinished write left behind it is cut off on opening.
 */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { decodeMessage } from '../format/decode.ts';
import { layout } from '../format/layout.ts';
import { encodeLine } from '../format/line.ts';
import {
  cutFile,
  exists,
  flushFiles,
  makeFolder,
  readBytes,
  readChunks,
  releaseLock,
  remove,
  prepareReplacement,
  takeLock,
} from '../io/files.ts';
import { linesOf } from '../io/lines.ts';
import type { Replacement } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import type { LiveOp } from '../model/live.ts';
import { liveIds } from '../model/live.ts';
import type { Manifest, Tools, Workspace } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import { baseId } from '../model/message.ts';
import { emptyTally } from '../model/tally.ts';
import { AppendLog } from './append-log.ts';
import { ArchiveWriter, emptyArchive } from './archive.ts';
import type { ArchivedFile, Commit } from './commit.ts';
import { decodeCommit } from './commit.ts';
import { readLiveOps, readManifest, scanMessages } from './session-reader.ts';
import type { Store } from './store.ts';
import { sessionFolder } from './store.ts';

/** A session with nothing in it. */
function emptyCommit(): Commit {
  return {
    version: 1,
    messagesBytes: 0,
    liveBytes: 0,
    keysBytes: 0,
    native: {},
    cursors: {},
    facts: {},
    outsideFacts: '',
    tally: emptyTally(),
    promptTitle: null,
    records: {},
    losses: {},
    placed: false,
  };
}

/** A session directory held for writing by this process. */
export class SessionWriter {
  readonly id: string;
  readonly folder: string;
  /** What the last commit promised; the next one is made from it. */
  readonly before: Commit;
  /** Was there no commit yet? */
  readonly isNew: boolean;
  readonly #messages: AppendLog;
  readonly #live: AppendLog;
  readonly #keys: AppendLog;
  /** Newest revision of each message: base id → offset of its line. Read from the disk at the first question. */
  #offsets: Map<string, number> | undefined;
  #keyMap: Map<string, string> | undefined;
  readonly #archives = new Map<string, ArchiveWriter>();
  readonly #native: { [key: string]: ArchivedFile };

  private constructor(id: string, folder: string, before: Commit | undefined) {
    this.id = id;
    this.folder = folder;
    this.isNew = before === undefined;
    this.before = before ?? emptyCommit();
    this.#messages = new AppendLog(join(folder, layout.messages), this.before.messagesBytes);
    this.#live = new AppendLog(join(folder, layout.live), this.before.liveBytes);
    this.#keys = new AppendLog(join(folder, layout.keys), this.before.keysBytes);
    this.#native = { ...this.before.native };
    if (this.isNew) {
      this.#offsets = new Map();
      this.#keyMap = new Map();
    }
  }

  /**
   * Takes the session for writing; `undefined` when another process holds it. A directory that was never committed is
   * begun again; one whose files are shorter than promised is begun again too, keeping its user's registers.
   */
  static open(store: Store, machine: Machine, id: string): SessionWriter | undefined {
    const folder = sessionFolder(store, id);
    makeFolder(join(folder, 'meta'));
    if (!takeLock(join(folder, layout.lock), machine.isRunning)) return undefined;
    const path = join(folder, layout.commit);
    const commit = exists(path) ? decodeCommit(readBytes(path).toString('utf8')) : undefined;
    const whole =
      commit !== undefined &&
      cutFile(join(folder, layout.messages), commit.messagesBytes) &&
      cutFile(join(folder, layout.live), commit.liveBytes) &&
      cutFile(join(folder, layout.keys), commit.keysBytes);
    if (commit !== undefined && whole) return new SessionWriter(id, folder, commit);
    for (const name of [layout.messages, layout.live, layout.keys, layout.native, layout.commit])
      remove(join(folder, name));
    return new SessionWriter(id, folder, undefined);
  }

  /** Is there a message with this id (a base or a revision's base)? */
  has(id: string): boolean {
    return this.#known().has(id);
  }

  /** The newest revision of a message. */
  message(id: string): Message | undefined {
    const offset = this.#known().get(id);
    if (offset === undefined) return undefined;
    this.#messages.write();
    for (const line of linesOf(readChunks(this.#messages.path, offset, undefined, 64 << 10), offset)) {
      return decodeMessage(line.bytes.toString('utf8'));
    }
    return undefined;
  }

  /** Appends a message; the caller has made sure that its id is new. */
  append(message: Message): void {
    const offset = this.#messages.line(encodeLine(message));
    this.#known().set(baseId(message), offset);
    if (baseId(message) !== message.msg_id) this.#known().set(message.msg_id, offset);
  }

  /** Appends a live view operation. */
  live(op: LiveOp): void {
    this.#live.line(encodeLine(op));
  }

  /** The message a native key stands for. */
  key(key: string): string | undefined {
    return this.#keysKnown().get(key);
  }

  /** Remembers what a native key stands for; a key that says the same already is left alone. */
  setKey(key: string, id: string): void {
    const keys = this.#keysKnown();
    if (keys.get(key) === id) return;
    keys.set(key, id);
    this.#keys.line(encodeLine([key, id]));
  }

  /** The archive of a native file, at its newest generation or a fresh one. */
  archive(key: string, options: { readonly freshUnless: boolean }): ArchiveWriter {
    const open = this.#archives.get(key);
    if (open !== undefined) return open;
    const before = this.#native[key];
    const from =
      before === undefined
        ? emptyArchive
        : options.freshUnless
          ? before
          : { ...emptyArchive, generation: before.generation + 1 };
    const archive = new ArchiveWriter(this.folder, key, from);
    this.#archives.set(key, archive);
    return archive;
  }

  /** The live view as it stands, with what was appended. */
  liveView(): string[] {
    this.#messages.write();
    this.#live.write();
    const { links } = scanMessages(this.#messages.path, this.#messages.length);
    return liveIds(links, readLiveOps(this.#live.path, this.#live.length));
  }

  /** The manifest on the disk, with what the user set; `undefined` before the first commit. */
  manifest(): Manifest | undefined {
    const path = join(this.folder, layout.manifest);
    return exists(path) ? readManifest(path) : undefined;
  }

  /** Writes everything but the commit. Afterwards `flush` the files and `commit`. */
  async stage(
    next: Omit<Commit, 'version' | 'messagesBytes' | 'liveBytes' | 'keysBytes' | 'native'>,
    derived: Derived,
  ): Promise<Staged> {
    const touched: string[] = [];
    for (const log of [this.#messages, this.#live, this.#keys]) {
      log.write();
      if (log.grew) touched.push(log.path);
    }
    for (const [key, archive] of this.#archives) {
      const finished = await archive.finish();
      this.#native[key] = finished.file;
      touched.push(...finished.touched);
    }
    const commit: Commit = {
      ...next,
      version: 1,
      messagesBytes: this.#messages.length,
      liveBytes: this.#live.length,
      keysBytes: this.#keys.length,
      native: this.#native,
    };
    return { writer: this, touched, commit, derived };
  }

  /** Writes the derived files, and the commit beside the old one. */
  prepareCommit(staged: Staged): Replacement {
    const { manifest, workspace, tools } = staged.derived;
    const derived = [
      [layout.manifest, manifest],
      [layout.workspace, workspace],
      [layout.tools, tools],
    ] as const;
    for (const [name, value] of derived) {
      if (value !== undefined)
        prepareReplacement(join(this.folder, name), `${JSON.stringify(value, null, 2)}\n`).publish();
    }
    return prepareReplacement(join(this.folder, layout.commit), JSON.stringify(staged.commit));
  }

  /** Makes a staged state the session's; all of it must be on the disk already. Then lets the session go. */
  commit(staged: Staged, replacement: Replacement): void {
    replacement.publish();
    for (const key of this.#archives.keys()) {
      const file = staged.commit.native[key];
      if (file !== undefined) ArchiveWriter.sweep(this.folder, key, file);
    }
    this.close();
  }

  /** Lets the session go without a commit. */
  close(): void {
    releaseLock(join(this.folder, layout.lock));
    if (this.isNew && !exists(join(this.folder, layout.commit)) && !exists(join(this.folder, layout.manifest)))
      remove(this.folder);
  }

  #known(): Map<string, number> {
    this.#offsets ??= scanMessages(this.#messages.path, this.#messages.length).offsets;
    return this.#offsets;
  }

  #keysKnown(): Map<string, string> {
    if (this.#keyMap === undefined) {
      this.#keyMap = new Map();
      if (exists(this.#keys.path)) {
        for (const line of linesOf(readChunks(this.#keys.path, 0, this.#keys.length))) {
          const pair: unknown = JSON.parse(line.bytes.toString('utf8'));
          if (Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string')
            this.#keyMap.set(pair[0], pair[1]);
        }
      }
    }
    return this.#keyMap;
  }
}

/** The files made from the messages and facts. */
export interface Derived {
  readonly manifest: Manifest;
  readonly workspace: Workspace | undefined;
  readonly tools: Tools | undefined;
}

/** A session written but not yet promised. */
export interface Staged {
  readonly writer: SessionWriter;
  readonly touched: readonly string[];
  readonly commit: Commit;
  readonly derived: Derived;
}

/** Flushes what the sessions wrote, then commits each. A session that fails is left at its last commit and told. */
export async function commitAll(
  staged: readonly Staged[],
): Promise<{ readonly committed: readonly Staged[]; readonly failed: readonly { staged: Staged; why: unknown }[] }> {
  const committed: Staged[] = [];
  const failed: { staged: Staged; why: unknown }[] = [];
  await Promise.all(
    staged.map(async (one) => {
      try {
        const replacement = one.writer.prepareCommit(one);
        await flushFiles([...one.touched, replacement.temporary]);
        one.writer.commit(one, replacement);
        committed.push(one);
      } catch (why) {
        failed.push({ staged: one, why });
        one.writer.close();
      }
    }),
  );
  return { committed, failed };
}

/** Opens a session or says who has it. Throws `session-busy`. */
export function openForWriting(store: Store, machine: Machine, id: string): SessionWriter {
  const writer = SessionWriter.open(store, machine, id);
  if (writer === undefined)
    throw new SessionFsError(
      'session-busy',
      `another process is writing ${id}`,
      'wait for it to end and run the command again',
    );
  return writer;
}
