/**
 * Makes the session that a resume places: at once, whole by itself, with its cursor behind what was placed. Capture then
 * appends only what is said next, and knows the placed part however the tool writes it again.
 */

import { dirname, join } from 'node:path';
import type { Adapter, DecoderState, FileContext, Given, Sink, Written, WrittenFile } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { readChunks } from '../io/chunks.ts';
import { hashOf } from '../io/hash.ts';
import { remove } from '../io/files.ts';
import type { PreparedFile } from '../io/files.ts';
import { prepareBelow } from '../io/place.ts';
import { countCarried, emptyCarried } from '../model/carried.ts';
import type { Carried } from '../model/carried.ts';
import { sessionId } from '../model/ids.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import { emptyTally } from '../model/tally.ts';
import type { Cursor } from '../store/commit.ts';
import { notePlacing } from '../store/placing.ts';
import type { SessionReader } from '../store/session-reader.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import type { CaptureSite } from './capture.ts';
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
  readonly live: Iterable<Message>;
  readonly written: Written;
  /** ISO 8601. */
  readonly now: string;
}

/** What was placed. */
export interface Adopted {
  readonly sessionId: string;
  readonly files: readonly { readonly key: string; readonly path: string }[];
  /** What the target's own reader finds in what was written. */
  readonly carried: Carried;
}

/** Writes the native files and the session that follows them; all or nothing is seen under a native name. */
export async function adopt(site: CaptureSite, placement: Placement): Promise<Adopted> {
  const { adapter, source, written, home } = placement;
  const id = sessionId(adapter.id, written.nativeId);
  const writer = openForWriting(site.store, site.machine, id);
  if (!writer.isNew && id !== source.id) {
    writer.close();
    throw new SessionFsError(
      'already-exists',
      `${written.nativeId} is another session of ${adapter.name} already`,
      'resume again to get a new id',
    );
  }
  const prepared: PreparedFile[] = [];
  let placed = (): void => undefined;
  try {
    const base = writer.isNew ? copyLive(writer, placement.live) : null;
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
      const reading = new PlacedReading(adapter, written.nativeId, file, writer, carried, placement.now);
      const one = prepareBelow(home, file.path, reading.chunks());
      prepared.push(one);
      // Written anew under its own name, it is another file: what was kept of the lost one stays as it was.
      const archive = writer.archive(file.key, { freshUnless: false });
      for (const piece of readChunks(one.temporary, 0)) archive.append(piece);
      cursors[file.key] = reading.cursor(one);
    }
    const manifest = manifestOf(placement, writer, id, base);
    const facts = {
      ...writer.before.facts,
      cwd: placement.cwd,
      ...(source.workspace?.git == null ? {} : { git: source.workspace.git }),
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
      [{ manifest: staged.derived.manifest, workspace: staged.derived.workspace, commit: staged.commit }],
      site.machine,
    );
    const keyOf = new Map(written.files.map((file) => [file.path, file.key]));
    return {
      sessionId: id,
      files: prepared.map((file) => ({
        key: keyOf.get(file.path.slice(home.length + 1).replaceAll('\\', '/')) ?? '',
        path: file.path,
      })),
      carried,
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

/** The live view under the parent's message ids; the last of them is where the own part begins. */
export function copyLive(writer: SessionWriter, live: Iterable<Message>): string {
  let last: string | null = null;
  for (const message of live) {
    // Hung in a line: what the view left out is not there to hang on.
    writer.append(message.parent_msg_id === last ? message : { ...message, parent_msg_id: last });
    last = message.msg_id;
  }
  if (last === null)
    throw new SessionFsError(
      'invalid-session',
      'the session has no message to go on from',
      'show what it holds: sfs show <id> --messages',
    );
  writer.live({ op: 'leaf', id: last });
  return last;
}

function manifestOf(placement: Placement, writer: SessionWriter, id: string, base: string | null): Manifest {
  const { source, adapter, written } = placement;
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

/** Follows the lines of one placed file: writes them, archives them, and decodes them as capture would. */
export class PlacedReading {
  readonly #file: WrittenFile;
  readonly #adapter: Adapter;
  readonly #writer: SessionWriter;
  readonly #carried: Carried;
  readonly #state: DecoderState;
  readonly #given: Given;
  readonly #keys = new Map<string, string>();
  /** Decoded id → the message it was made from. */
  readonly #told = new Map<string, string>();
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
    this.#file = file;
    this.#writer = writer;
    this.#carried = carried;
    const context: FileContext = { nativeId, key: file.key, kind: 'log', agentId: undefined };
    this.#state = adapter.reader.start(context);
    this.#given = { file: context, sink: this.#sink(), lookup: this.#lookup(), fallbackTime: now };
  }

  /** The file's bytes in pieces of about 1 MiB. */
  *chunks(): Generator<Buffer> {
    let waiting: Buffer[] = [];
    let size = 0;
    for (const line of this.#file.lines) {
      const bytes = Buffer.from(`${line.text}\n`, 'utf8');
      waiting.push(bytes);
      size += bytes.length;
      if (line.from !== undefined) this.#from = [line.from, ...(line.also ?? [])];
      this.#adapter.reader.decode(JSON.parse(line.text), this.#state, this.#given);
      if (size < 1 << 20) continue;
      yield this.#take(waiting);
      waiting = [];
      size = 0;
    }
    if (waiting.length > 0) yield this.#take(waiting);
    this.#adapter.reader.settle(this.#state, this.#given);
  }

  cursor(file: Pick<PreparedFile, 'path' | 'info'>): Cursor {
    return {
      path: file.path,
      device: file.info.device,
      inode: file.info.inode,
      sizeBytes: file.info.sizeBytes,
      modifiedMs: file.info.modifiedMs,
      offset: this.#bytes,
      guard: hashOf(this.#last),
      state: this.#state,
    };
  }

  #take(waiting: readonly Buffer[]): Buffer {
    const piece = Buffer.concat(waiting);
    this.#bytes += piece.length;
    this.#last = Buffer.concat([this.#last, piece]).subarray(-4096);
    return piece;
  }

  /** A placed record is a message we have under another id; nothing else about it is new. */
  #sink(): Sink {
    return {
      message: (message) => {
        countCarried(this.#carried, message);
        const [from, ...others] = this.#from;
        if (others.length > 0) this.#from = others;
        const known = from ?? this.#writer.key(placedKey(message.msg_id));
        this.#told.set(message.msg_id, known ?? message.msg_id);
        if (known === undefined) this.strangers += 1;
        if (from !== undefined) this.#writer.setKey(placedKey(message.msg_id), from);
      },
      key: (key, id) => {
        this.#keys.set(key, id);
        this.#writer.setKey(key, id);
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
      message: (id) => this.#writer.message(this.#told.get(id) ?? id),
    };
  }
}
