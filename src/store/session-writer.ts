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
  appendAt,
  cutFile,
  exists,
  flushFiles,
  makeFolder,
  prepareReplacement,
  readBytes,
  remove,
  removeUnfinished,
} from '../io/files.ts';
import { readChunks } from '../io/chunks.ts';
import { releaseLock, takeLock } from '../io/lock.ts';
import { linesOf } from '../io/lines.ts';
import type { Replacement } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import type { LiveOp } from '../model/live.ts';
import { liveIds } from '../model/live.ts';
import type { Manifest, Tools, Workspace } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import { count, emptyTally } from '../model/tally.ts';
import { AppendLog } from './append-log.ts';
import { ArchiveWriter, emptyArchive, patchGeneration } from './archive.ts';
import type { ArchivedFile, Commit } from './commit.ts';
import { decodeCommit, encodeCommit } from './commit.ts';
import { KeyLog } from './key-log.ts';
import { firstFormKey, messageLinks, messageOffsets, noteForm, readLiveOps, readManifest } from './session-reader.ts';
import type { Store } from './store.ts';
import { sessionBusy, sessionFolder } from './store.ts';
import { putFiles, readFiles, sweepFiles } from './touched-files.ts';
import type { Known, WriterMemory } from './writer-memory.ts';

/** Of a session with nothing in it. */
export function emptyCommit(): Commit {
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
  /** Where reading stood by that commit, also when its files are not as it promised and the sources are to be read again. */
  readonly promised: Commit['cursors'];
  /** Was there no commit yet? */
  readonly isNew: boolean;
  /** Did this process write the last commit, and all that is derived beside it? */
  readonly isRemembered: boolean;
  readonly #messages: AppendLog;
  readonly #live: AppendLog;
  readonly #keys: KeyLog;
  /** Newest revision of each message: base id → offset of its line. Read from the disk at the first question. */
  #offsets: Map<string, number> | undefined;
  readonly #archives = new Map<string, ArchiveWriter>();
  readonly #native: { [key: string]: ArchivedFile };
  readonly #memory: WriterMemory | undefined;
  /** The manifest on the disk, when it need not be read. */
  readonly #manifest: Manifest | undefined;
  /** Length of the texts of manifest and commit, once they are prepared. */
  #textLength = 0;
  /** What is written and not yet in its place. */
  #prepared: Replacement[] = [];
  #isHeld = true;

  private constructor(
    id: string,
    folder: string,
    before: Commit | undefined,
    known: Known | undefined,
    memory: WriterMemory | undefined,
    promised: Commit['cursors'] = before?.cursors ?? {},
  ) {
    this.id = id;
    this.promised = promised;
    this.folder = folder;
    this.isNew = before === undefined;
    this.isRemembered = known !== undefined;
    this.before = before ?? emptyCommit();
    this.#messages = new AppendLog(join(folder, layout.messages), this.before.messagesBytes);
    this.#live = new AppendLog(join(folder, layout.live), this.before.liveBytes);
    this.#keys = new KeyLog(join(folder, layout.keys), this.before.keysBytes, this.before.keys ?? [], known?.keys);
    this.#native = { ...this.before.native };
    this.#memory = memory;
    this.#offsets = known?.offsets;
    this.#manifest = known?.manifest;
  }

  /**
   * Takes the session for writing; `undefined` when another process holds it. What stands behind the last commit is cut
   * off. `memory`: what earlier writers of this process knew. Throws `newer-format`.
   */
  static open(store: Store, machine: Machine, id: string, memory?: WriterMemory): SessionWriter | undefined {
    const folder = sessionFolder(store, id);
    const isFresh = makeFolder(folder);
    makeFolder(join(folder, 'meta'));
    if (!takeLock(join(folder, layout.lock), machine.isRunning)) return undefined;
    try {
      // Another process may have been quicker between the folder and the lock.
      if (isFresh && !exists(join(folder, layout.commit)))
        return new SessionWriter(id, folder, undefined, undefined, memory);
      const known = memory?.take(id, folder);
      // Who wrote it last left nothing, if it was this process.
      if (known === undefined) for (const one of [folder, join(folder, 'meta')]) removeUnfinished(one);
      const { commit, isWhole, promised } = recovered(folder, known?.commit);
      return new SessionWriter(id, folder, commit, isWhole ? known : undefined, memory, promised);
    } catch (cause) {
      releaseLock(join(folder, layout.lock));
      throw cause;
    }
  }

  /** Is there a message with this id (a base or a revision's base)? */
  has(id: string): boolean {
    return this.#known().has(id);
  }

  /** The newest revision of a message. */
  message(id: string): Message | undefined {
    return this.#messageAt(this.#known().get(id));
  }

  /** A message as it was first written. */
  firstForm(id: string): Message | undefined {
    return this.#messageAt(this.#known().get(firstFormKey(id)) ?? this.#known().get(id));
  }

  #messageAt(offset: number | undefined): Message | undefined {
    if (offset === undefined) return undefined;
    this.#messages.write();
    for (const line of linesOf(readChunks(this.#messages.path, offset, undefined, 64 << 10), offset)) {
      return decodeMessage(line.bytes.toString('utf8'));
    }
    return undefined;
  }

  /** Appends a message; the caller has made sure that its id is new. `text`: its line, where that is known. */
  append(message: Message, text = encodeLine(message)): void {
    const offset = this.#messages.line(text);
    if (this.#offsets !== undefined) noteForm(this.#offsets, message, offset);
  }

  /** Appends a live view operation. */
  live(op: LiveOp): void {
    this.#live.line(encodeLine(op));
  }

  /** The message a native key stands for. */
  key(key: string): string | undefined {
    return this.#keys.all().get(key);
  }

  /** Every native key and the message it stands for. */
  keys(): ReadonlyMap<string, string> {
    return this.#keys.all();
  }

  /** Remembers what a native key stands for; a key that says the same already is left alone. */
  setKey(key: string, id: string): void {
    if (this.#keys.all().get(key) !== id) this.#keys.add(key, id);
  }

  /** Remembers what a native key stands for that was not known before. */
  addKey(key: string, id: string): void {
    this.#keys.add(key, id);
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

  /** Leaves the archive of a native file as the last commit has it: the file could not be read to its end. */
  leaveArchive(key: string): void {
    this.#archives.delete(key);
  }

  /** The live view as it stands, with what was appended. */
  liveView(): string[] {
    this.#messages.write();
    return liveIds(messageLinks(this.#messages.path, this.#messages.length), this.liveOps());
  }

  /** Every live view operation, with what was appended. */
  liveOps(): LiveOp[] {
    this.#live.write();
    return readLiveOps(this.#live.path, this.#live.length);
  }

  /** The manifest on the disk, with what the user set; `undefined` before the first commit. */
  manifest(): Manifest | undefined {
    if (this.#manifest !== undefined) return this.#manifest;
    const path = join(this.folder, layout.manifest);
    if (!exists(path)) return undefined;
    try {
      return readManifest(path);
    } catch (cause) {
      // A power cut may leave it empty; all but the user's registers is made again from the commit.
      if (cause instanceof SessionFsError && cause.code === 'invalid-session') return undefined;
      throw cause;
    }
  }

  /** Writes everything but the commit. Afterwards `flush` the files and `commit`. */
  stage(
    next: Omit<Commit, 'version' | 'messagesBytes' | 'liveBytes' | 'keysBytes' | 'keys' | 'native'>,
    derived: Derived,
  ): Staged {
    const touched: string[] = [];
    for (const log of [this.#messages, this.#live, this.#keys]) {
      log.write();
      if (log.grew) touched.push(log.path);
    }
    for (const [key, archive] of this.#archives) {
      const finished = archive.finish();
      this.#native[key] = finished.file;
      touched.push(...finished.touched);
    }
    const { files: _, ...told } = next;
    const files = putFiles(this.folder, told.facts.files);
    const commit: Commit = {
      ...told,
      ...(files === undefined ? {} : { files }),
      version: 1,
      messagesBytes: this.#messages.length,
      liveBytes: this.#live.length,
      keysBytes: this.#keys.bytes,
      keys: this.#keys.few,
      native: this.#native,
    };
    return { writer: this, touched, commit, derived };
  }

  /** Writes the derived files and the commit beside the old ones. */
  prepareCommit(staged: Staged): readonly Replacement[] {
    const { manifest, workspace, keepsWorkspace, tools } = staged.derived;
    const files = [
      [layout.workspace, keepsWorkspace === true ? undefined : workspace],
      [layout.tools, tools],
    ] as const;
    const prepare = (name: string, text: string): void =>
      void this.#prepared.push(prepareReplacement(join(this.folder, name), text));
    for (const [name, value] of files) if (value !== undefined) prepare(name, spelled(value));
    const texts = [spelled(manifest), encodeCommit(staged.commit)] as const;
    this.#textLength = texts[0].length + texts[1].length;
    prepare(layout.manifest, texts[0]);
    prepare(layout.commit, texts[1]);
    return this.#prepared;
  }

  /** Makes a staged state the session's, the commit last; all of it must be on the disk already. Then lets the session go. */
  commit(staged: Staged, replacements: readonly Replacement[]): void {
    for (const replacement of replacements) replacement.publish();
    this.#prepared = [];
    // No call is the session's own any more: an earlier reader counted its parent's.
    if (staged.derived.tools === undefined && !this.isNew) remove(join(this.folder, layout.tools));
    for (const key of this.#archives.keys()) {
      const file = staged.commit.native[key];
      if (file !== undefined && (this.before.native[key]?.tailBytes ?? 0) > 0)
        ArchiveWriter.sweep(this.folder, key, file);
      const before = this.before.native[key];
      if (file !== undefined && before !== undefined) patchGeneration(this.folder, key, before, file);
    }
    if (staged.commit.files !== this.before.files) sweepFiles(this.folder, staged.commit.files);
    this.#memory?.keep(this.id, this.folder, {
      commit: staged.commit,
      manifest: staged.derived.manifest,
      textLength: this.#textLength,
      offsets: this.#offsets,
      keys: this.#keys.known,
    });
    this.close();
  }

  /** Lets the session go, without a commit if there was none; once more does nothing. */
  close(): void {
    // By now another process may hold it.
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const replacement of this.#prepared) replacement.discard();
    if (this.isNew && !exists(join(this.folder, layout.commit))) remove(this.folder);
    // Last: whoever holds it next may have committed by the time something else is removed.
    releaseLock(join(this.folder, layout.lock));
  }

  #known(): Map<string, number> {
    if (this.#offsets === undefined) {
      this.#messages.write();
      this.#offsets =
        this.#messages.length === 0 ? new Map() : messageOffsets(this.#messages.path, this.#messages.length);
    }
    return this.#offsets;
  }
}

/**
 * The last commit, with the files cut to what it promised. A directory that was never committed is begun again. Where a file
 * is shorter than promised, its whole lines and the native bytes stay, and the sources are read again from their beginning.
 * `known`: the commit, when it need not be read.
 */
function recovered(
  folder: string,
  known: Commit | undefined,
): { readonly commit: Commit | undefined; readonly isWhole: boolean; readonly promised?: Commit['cursors'] } {
  const path = join(folder, layout.commit);
  const commit =
    known ?? (exists(path) ? withFiles(folder, decodeCommit(readBytes(path).toString('utf8'), path)) : undefined);
  if (commit === undefined) {
    // The manifest first: without it the rest is not listed, should this be cut off too.
    for (const name of [layout.manifest, layout.messages, layout.live, layout.keys, layout.native, layout.commit])
      remove(join(folder, name));
    return { commit, isWhole: false };
  }
  const cut = (name: string, bytes: number): boolean => cutFile(join(folder, name), bytes);
  const cuts = [
    cut(layout.messages, commit.messagesBytes),
    cut(layout.live, commit.liveBytes),
    cut(layout.keys, commit.keysBytes),
  ];
  if (cuts.every(Boolean)) return { commit, isWhole: true };
  const messages = join(folder, layout.messages);
  if (!exists(messages)) appendAt(messages, 0, Buffer.alloc(0));
  const messagesBytes = wholeLines(messages);
  const tally = emptyTally();
  for (const line of linesOf(exists(messages) ? readChunks(messages, 0, messagesBytes) : [])) {
    const message = decodeMessage(line.bytes.toString('utf8'));
    if (message !== undefined) count(tally, message);
  }
  return {
    commit: {
      ...commit,
      messagesBytes,
      liveBytes: wholeLines(join(folder, layout.live)),
      keysBytes: wholeLines(join(folder, layout.keys)),
      cursors: {},
      tally,
    },
    isWhole: false,
    promised: commit.cursors,
  };
}

/** The commit with the list of files that is beside it. */
function withFiles(folder: string, commit: Commit | undefined): Commit | undefined {
  const files = commit?.files === undefined ? undefined : readFiles(folder, commit.files);
  return commit === undefined || files === undefined ? commit : { ...commit, facts: { ...commit.facts, files } };
}

/** A derived file's text. */
function spelled(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Bytes of a file up to its last newline. */
function wholeLines(path: string): number {
  if (!exists(path)) return 0;
  let end = 0;
  for (const line of linesOf(readChunks(path, 0))) if (line.complete) end = line.end;
  return end;
}

/** The files made from the messages and facts. */
export interface Derived {
  readonly manifest: Manifest;
  readonly workspace: Workspace | undefined;
  /** The file that is there says the same and stays: `workspace` is for the index, and has no files. */
  readonly keepsWorkspace?: boolean;
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
        const replacements = one.writer.prepareCommit(one);
        // The manifest and the commit; the two small files before them can be made again.
        await flushFiles([...one.touched, ...replacements.slice(-2).map(({ temporary }) => temporary)]);
        one.writer.commit(one, replacements);
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
export function openForWriting(store: Store, machine: Machine, id: string, memory?: WriterMemory): SessionWriter {
  const writer = SessionWriter.open(store, machine, id, memory);
  if (writer === undefined) throw sessionBusy(id);
  return writer;
}
