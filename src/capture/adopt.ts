/**
 * Makes the session that a resume places: at once, whole by itself, with its cursor behind what was placed. Capture then
 * appends only what is said next, and knows the placed part however the tool writes it again.
 */

import { dirname, join } from 'node:path';
import type { Adapter, DecoderState, FileContext, Given, Sink, Written, WrittenFile } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { hashOf } from '../io/hash.ts';
import { remove } from '../io/files.ts';
import type { FileDraft, PreparedFile } from '../io/files.ts';
import { SpareBuffers } from '../io/chunks.ts';
import type { Chunk } from '../io/chunks.ts';
import { draftBelow, prepareBelow, prepareDatabaseBelow } from '../io/place.ts';
import type { Insert } from '../io/sqlite.ts';
import { countCarried, emptyCarried } from '../model/carried.ts';
import type { Carried } from '../model/carried.ts';
import { sessionId } from '../model/ids.ts';
import type { Manifest } from '../model/manifest.ts';
import { mapped } from '../model/mapped.ts';
import type { Message } from '../model/message.ts';
import { ownText } from '../model/own-text.ts';
import { emptyTally } from '../model/tally.ts';
import { guardBytes } from '../store/commit.ts';
import type { Cursor } from '../store/commit.ts';
import { notePlacing } from '../store/placing.ts';
import type { ArchiveWriter } from '../store/archive.ts';
import type { MessageLine, SessionReader } from '../store/session-reader.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import type { CaptureSite } from './capture.ts';
import { rowKey, rowMark } from './read-database.ts';
import { deriveManifest, deriveTools, deriveWorkspace } from './derive.ts';
import { placedKey } from './gather.ts';

/** What is to be placed where. */
export interface Placement {
  readonly adapter: Adapter;
  /** Absolute, real path. */
  readonly home: string;
  /** The workspace it goes on in. */
  readonly cwd: string;
  /** The session it continues. */
  readonly source: SessionReader;
  readonly live: Iterable<MessageLine>;
  /** The native id it gets. */
  readonly nativeId: string;
  /** Gives the live view the tool's own form. */
  readonly write: (live: Iterable<Message>) => Written;
  /** ISO 8601. */
  readonly now: string;
}

/** What was placed. */
export interface Adopted {
  readonly sessionId: string;
  /** `bytes`: so many its archive has of it. */
  readonly files: readonly { readonly key: string; readonly path: string; readonly bytes: number }[];
  /** What the target's own reader finds in what was written. */
  readonly carried: Carried;
  /** What its form has no room for, by name. */
  readonly losses: { readonly [name: string]: number };
}

/** Writes the native files and the session that follows them; all or nothing is seen under a native name. */
export async function adopt(site: CaptureSite, placement: Placement): Promise<Adopted> {
  const { adapter, source, nativeId, home } = placement;
  const id = sessionId(adapter.id, nativeId);
  const writer = openForWriting(site.store, site.machine, id);
  if (!writer.isNew && id !== source.id) {
    writer.close();
    throw new SessionFsError(
      'already-exists',
      `${nativeId} is another session of ${adapter.name} already`,
      'resume again to get a new id',
    );
  }
  const prepared: PreparedFile[] = [];
  let placed = (): void => undefined;
  try {
    const copy = writer.isNew ? new LiveCopy(writer, placement.live) : undefined;
    const written = placement.write(copy ?? mapped(placement.live, ({ message }) => message));
    const carried = emptyCarried();
    const cursors: { [key: string]: Cursor } = {};
    const folders = written.files.map(({ path }) => dirname(join(home, path)));
    placed = notePlacing(site.store, site.machine, folders);
    for (const file of written.files) {
      if (file.kind === 'text') {
        if (file.exists === 'keep' && site.machine.stat(`${home}/${file.path}`) !== undefined) continue;
        prepared.push(
          prepareBelow(home, file.path, [Buffer.from([...file.lines].map((line) => line.text).join(''), 'utf8')]),
        );
        continue;
      }
      const reading = new PlacedReading(adapter, nativeId, file, writer, carried, placement.now);
      // Written anew under its own name, it is another file: what was kept of the lost one stays as it was.
      const archive = writer.archive(file.key, { freshUnless: false });
      const one =
        file.kind === 'database'
          ? prepareDatabaseBelow(home, file.path, file.schema ?? '', (insert) => {
              for (const { bytes, release } of reading.chunks(insert)) archive.append(bytes, release);
            })
          : await placedFile(draftBelow(home, file.path), reading, archive);
      prepared.push(one);
      cursors[file.key] = reading.cursor(one);
    }
    const base = copy?.finish() ?? null;
    const manifest = manifestOf(placement, written, writer, id, base);
    const git = source.workspace?.git;
    const facts = {
      ...writer.before.facts,
      cwd: placement.cwd,
      ...(git == null ? {} : { git }),
      ...(manifest.title == null
        ? {}
        : {
            title: {
              text: manifest.title,
              by: source.manifest.metadata?.title_by === 'person' ? ('person' as const) : ('model' as const),
            },
          }),
    };
    const staged = writer.stage(
      {
        ...writer.before,
        // The written file comes first: the session is listed by it.
        cursors: { ...cursors, ...writer.before.cursors, ...cursors },
        facts,
        placed: true,
        promptTitle: writer.before.promptTitle ?? manifest.title ?? null,
      },
      { manifest, workspace: deriveWorkspace(facts), tools: deriveTools(facts, writer.before.tally) },
    );
    const { failed } = await commitAll([staged]);
    for (const { why } of failed) throw why;
    publishAll(prepared, writer);
    site.index.put(
      [
        {
          manifest: staged.derived.manifest,
          workspace: staged.derived.workspace,
          commit: staged.commit,
          isThere: true,
        },
      ],
      site.machine,
    );
    const keyOf = new Map(written.files.map((file) => [file.path, file.key]));
    return {
      sessionId: id,
      files: prepared.map((file) => {
        const key = keyOf.get(file.path.slice(home.length + 1).replaceAll('\\', '/')) ?? '';
        return { key, path: file.path, bytes: cursors[key]?.offset ?? file.info.sizeBytes };
      }),
      carried,
      losses: Object.fromEntries(written.losses),
    };
  } catch (cause) {
    for (const file of prepared) file.discard();
    writer.close();
    throw cause;
  } finally {
    placed();
  }
}

/**
 * Lets the files appear, which a commit follows already: cut off here, the child has its files in its archive, and resuming it
 * puts them back. One that cannot appear takes the others and a new child with it.
 */
function publishAll(files: readonly PreparedFile[], writer: SessionWriter): void {
  const published: PreparedFile[] = [];
  try {
    for (const file of files) {
      file.publish();
      published.push(file);
    }
  } catch (cause) {
    for (const { path } of published) remove(path);
    if (writer.isNew) remove(writer.folder);
    throw cause;
  }
}

/** Writes what is read into a file and an archive: both on the thread pool, while the next piece is made here. */
async function placedFile(draft: FileDraft, reading: PlacedReading, archive: ArchiveWriter): Promise<PreparedFile> {
  try {
    for (const { bytes, release } of reading.chunks()) {
      // The archive holds it the longest; a short one may have to wait there for the next.
      let holders = 2;
      const done = (): void => {
        holders -= 1;
        if (holders === 0) release();
      };
      await draft.append(bytes, done);
      await archive.appendAside(bytes, done);
    }
    await archive.settle();
    return await draft.finish();
  } catch (cause) {
    await Promise.allSettled([archive.settle(), draft.discard()]);
    throw cause;
  }
}

/** A live view that a session is made of: each message is appended, under the id it has, when it is first read. */
export class LiveCopy implements Iterable<Message> {
  readonly #writer: SessionWriter;
  readonly #live: Iterable<MessageLine>;
  #count = 0;
  /** The newest one appended. */
  #last: string | null = null;
  #isWhole = false;

  constructor(writer: SessionWriter, live: Iterable<MessageLine>) {
    this.#writer = writer;
    this.#live = live;
  }

  *[Symbol.iterator](): Generator<Message> {
    let index = 0;
    for (const line of this.#live) {
      if (index === this.#count) this.#append(line);
      index += 1;
      yield line.message;
    }
    this.#isWhole = true;
  }

  /** Messages appended. */
  get count(): number {
    return this.#count;
  }

  #append({ message, text }: MessageLine): void {
    // Hung in a line: what the view left out is not there to hang on.
    const parent = this.#last;
    if (message.parent_msg_id === parent) this.#writer.append(message, text);
    else this.#writer.append({ ...message, parent_msg_id: parent });
    this.#last = message.msg_id;
    this.#count += 1;
  }

  /** Appends what nobody read and states the view; the message it ends with. Throws `invalid-session` when there is none. */
  finish(): string {
    if (!this.#isWhole) {
      const rest = this[Symbol.iterator]();
      for (let next = rest.next(); next.done !== true;) next = rest.next();
    }
    if (this.#last === null)
      throw new SessionFsError(
        'invalid-session',
        'the session has no message to go on from',
        'show what it holds: sfs show <id> --messages',
      );
    this.#writer.live({ op: 'leaf', id: this.#last });
    return this.#last;
  }
}

function manifestOf(
  placement: Placement,
  written: Written,
  writer: SessionWriter,
  id: string,
  base: string | null,
): Manifest {
  const { source, adapter } = placement;
  const isChild = id !== source.id;
  const before = writer.manifest();
  const manifest = deriveManifest({
    sessionId: id,
    tool: adapter.id,
    nativeId: written.nativeId,
    nativePath: undefined,
    facts: source.manifest.title == null ? {} : { title: { text: source.manifest.title, by: 'person' } },
    tally: writer.isNew ? emptyTally() : writer.before.tally,
    promptTitle: null,
    losses: new Map(),
    cost: null,
    fallbackTime: placement.now,
    isPlaced: true,
    before,
    parent: isChild ? { session: source.id, msg: base } : undefined,
  });
  const titleBy = source.manifest.metadata?.title_by;
  return {
    ...manifest,
    ...(before === undefined
      ? { created_at: placement.now, updated_at: placement.now, tags: source.manifest.tags ?? [] }
      : {}),
    stats: before?.stats ?? manifest.stats ?? null,
    metadata: {
      ...manifest.metadata,
      ...(titleBy === undefined ? {} : { title_by: titleBy }),
      ...(written.losses.size === 0 ? {} : { conversion_losses: Object.fromEntries(written.losses) }),
    },
  };
}

/** Bytes of a piece of a placed file: a frame of its archive. */
const pieceBytes = 1 << 20;
/** A character takes at most three bytes. */
const worstBytes = 3;
const newline = 10;
/** With room for what a line may be longer. */
const spare = new SpareBuffers(pieceBytes + (1 << 18));

/** Follows the lines of one placed file: decodes them as capture would, while they are written and archived. */
export class PlacedReading {
  readonly #file: WrittenFile;
  readonly #nativeId: string;
  readonly #adapter: Adapter;
  readonly #writer: SessionWriter;
  readonly #carried: Carried;
  readonly #state: DecoderState;
  readonly #given: Given;
  readonly #keys = new Map<string, string>();
  /** Decoded ids. */
  readonly #told = new Set<string>();
  /** The messages that the line was made from and the reader has not told yet; the last one stands for what comes after. */
  #from: readonly string[] = [];
  #last = Buffer.alloc(0);
  #bytes = 0;
  /** Decoded messages that stand for none of the session's. */
  strangers = 0;

  constructor(
    adapter: Adapter,
    nativeId: string,
    file: WrittenFile,
    writer: SessionWriter,
    carried: Carried,
    now: string,
  ) {
    this.#adapter = adapter;
    this.#nativeId = nativeId;
    this.#file = file;
    this.#writer = writer;
    this.#carried = carried;
    const context: FileContext = { nativeId, key: file.key, kind: 'log', agentId: undefined };
    this.#state = adapter.reader.start(context);
    this.#given = { file: context, sink: this.#sink(), lookup: this.#lookup(), fallbackTime: now };
  }

  /** The file's bytes in pieces, each good until it is released; of a database its lines, whose rows are handed to `insert`. */
  *chunks(insert?: Insert): Generator<Chunk> {
    let piece = spare.take();
    let filled = 0;
    for (const { text, record, from, also = [], row } of this.#file.lines) {
      for (const { table, values } of row?.puts ?? []) insert?.(table, values);
      if (row !== undefined) this.#writer.addKey(rowKey(this.#file, row.key), rowMark(row.stamp, text));
      if (from !== undefined) this.#from = [from, ...also];
      this.#adapter.reader.decode(record ?? JSON.parse(text), this.#state, this.#given);
      const worst = text.length * worstBytes + 1;
      if (filled >= pieceBytes || (filled > 0 && worst > piece.bytes.length - filled)) {
        yield this.#taken(piece.bytes.subarray(0, filled), piece.release);
        piece = spare.take();
        filled = 0;
      }
      if (worst > piece.bytes.length) {
        yield this.#taken(Buffer.from(`${text}\n`, 'utf8'), () => undefined);
        continue;
      }
      filled += piece.bytes.write(text, filled, 'utf8');
      piece.bytes[filled] = newline;
      filled += 1;
    }
    if (filled > 0) yield this.#taken(piece.bytes.subarray(0, filled), piece.release);
    else piece.release();
    this.#adapter.reader.settle(this.#state, this.#given);
  }

  cursor(file: Pick<PreparedFile, 'path' | 'info'>): Cursor {
    const isDatabase = this.#file.kind === 'database';
    return {
      // How its rows stand the tool's reader tells: at the next capture, which finds them known.
      path: isDatabase ? `${file.path}/${encodeURIComponent(this.#nativeId)}` : file.path,
      device: file.info.device,
      inode: file.info.inode,
      sizeBytes: file.info.sizeBytes,
      modifiedMs: file.info.modifiedMs,
      offset: this.#bytes,
      guard: hashOf(this.#last),
      state: this.#state,
    };
  }

  #taken(bytes: Buffer, release: () => void): Chunk {
    this.#bytes += bytes.length;
    this.#last = Buffer.concat([this.#last, bytes.subarray(-guardBytes)]).subarray(-guardBytes);
    return { bytes, release };
  }

  /** A placed record is a message we have under another id; nothing else about it is new. */
  #sink(): Sink {
    return {
      message: (message) => {
        countCarried(this.#carried, message);
        const [from, ...others] = this.#from;
        if (others.length > 0) this.#from = others;
        const known = from ?? this.#writer.key(placedKey(message.msg_id));
        if (known === undefined) this.strangers += 1;
        this.#told.add(message.msg_id);
        // Without a look at those there are: of a session written anew, two may say the same.
        if (from !== undefined) this.#writer.addKey(placedKey(message.msg_id), from);
      },
      key: (key, id) => {
        if (this.#keys.get(key) === id) return;
        this.#keys.set(ownText(key), id);
        this.#writer.addKey(key, id);
      },
      usage: () => undefined,
      copied: () => undefined,
      live: () => undefined,
      fact: () => undefined,
      loss: () => undefined,
    };
  }

  /** Only this file: what an earlier placing of the session told is not told again in it. */
  #lookup(): Given['lookup'] {
    return {
      id: (key) => this.#keys.get(key),
      has: (id) => this.#told.has(id),
      message: (id) => this.#writer.message(this.#writer.key(placedKey(id)) ?? id),
    };
  }
}
