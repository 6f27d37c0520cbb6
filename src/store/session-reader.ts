/** Reads a session directory: its four files, the timeline, the live view. Reading never takes the lock. */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { decodeLiveOp, decodeManifest, decodeMessage, decodeTools, decodeWorkspace } from '../format/decode.ts';
import type { LeftOut } from '../format/fit.ts';
import { layout } from '../format/layout.ts';
import { exists, readBytes } from '../io/files.ts';
import { LineFile, linesInFile } from '../io/line-file.ts';
import type { Line } from '../io/lines.ts';
import type { Link, LiveOp } from '../model/live.ts';
import { linkOf, liveIds } from '../model/live.ts';
import type { Manifest, Tools, Workspace } from '../model/manifest.ts';
import { isKnown } from '../model/block.ts';
import { mapped } from '../model/mapped.ts';
import type { Message } from '../model/message.ts';
import { baseId } from '../model/message.ts';
import type { OutlineItem } from '../model/outline.ts';
import { readingOrder } from '../model/order.ts';
import type { CommitOutline } from './commit.ts';
import { decodeCommit, outlineOf } from './commit.ts';
import type { Store } from './store.ts';
import { sessionFolder } from './store.ts';

/** Bytes of the files that only grow. */
export type Lengths = Pick<CommitOutline, 'messagesBytes' | 'liveBytes'>;

/** A session that is there to be read. */
export class SessionReader {
  readonly id: string;
  readonly folder: string;
  readonly manifest: Manifest;
  /** `undefined` in a directory this program did not write. */
  readonly commit: CommitOutline | undefined;

  /** How much of the appended files counts; all of it in a directory without a commit. */
  readonly lengths: Lengths | undefined;

  private constructor(
    id: string,
    folder: string,
    manifest: Manifest,
    commit: CommitOutline | undefined,
    lengths: Lengths | undefined = commit,
  ) {
    this.id = id;
    this.lengths = lengths;
    this.folder = folder;
    this.manifest = manifest;
    this.commit = commit;
  }

  /** Opens a session of the store. Throws `session-not-found`, `newer-format`, `invalid-session`, `unreadable`. */
  static open(store: Store, id: string): SessionReader {
    const folder = sessionFolder(store, id);
    if (!exists(join(folder, layout.manifest)))
      throw new SessionFsError('session-not-found', `there is no session ${id}`, 'list the sessions: sfs list');
    return SessionReader.at(folder);
  }

  /** Opens a `.sfs` directory anywhere. */
  static at(folder: string): SessionReader {
    const manifest = readManifest(join(folder, layout.manifest));
    return new SessionReader(
      manifest.session_id,
      folder,
      manifest,
      outlineOf(decodeCommit(textAt(join(folder, layout.commit)), join(folder, layout.commit))),
    );
  }

  /** The session as it was when its files had these lengths. */
  upTo(lengths: Lengths): SessionReader {
    return new SessionReader(this.id, this.folder, this.manifest, this.commit, lengths);
  }

  get workspace(): Workspace | undefined {
    return readWorkspace(this.folder);
  }

  get tools(): Tools | undefined {
    return readTools(this.folder);
  }

  /** Every line that is a message, in line order, revisions included. `skipped` is told of lines that are none. */
  *lines(skipped: (line: number) => void = () => undefined): Generator<Message> {
    let number = 0;
    for (const line of this.#messageLines()) {
      number += 1;
      const message = decodeMessage(line.bytes.toString('utf8'));
      if (message === undefined) skipped(number);
      else yield message;
    }
  }

  /** Every line as text, in line order. */
  *rawLines(): Generator<string> {
    for (const line of this.#messageLines()) yield line.bytes.toString('utf8');
  }

  /**
   * The timeline in reading order, each message in its newest revision under its base id, live-only text left out; read from
   * the disk one at a time. `last`: only so many at its end.
   */
  *timeline(last = Infinity): Generator<Message> {
    const { timeline } = this.heads(new Set());
    yield* this.messagesAt(timeline.slice(-last).map(({ offset }) => offset));
  }

  /** The ids of the timeline's messages in the main conversation, in line order. */
  mainIds(): string[] {
    const main = this.#places()
      .values()
      .filter(({ sidechain, liveOnly }) => !sidechain && !liveOnly);
    return Array.from(main, ({ id }) => id);
  }

  /** Where the session stands: the last message of its live view, and how many its timeline has. */
  standing(): { readonly leaf: string | null; readonly messages: number } {
    const places = this.#places();
    let messages = 0;
    for (const { liveOnly } of places.values()) messages += liveOnly ? 0 : 1;
    return { leaf: this.#liveIn(places, undefined).at(-1) ?? null, messages };
  }

  /** The ids of the live view in order; with a leaf, as it would be if the conversation went on after that message. */
  liveIds(leaf?: string): string[] {
    return this.#liveIn(this.#places(), leaf);
  }

  /** The messages of the live view in order, read from the disk one at a time; can be read more than once. */
  live(leaf?: string): Iterable<Message> {
    return this.messagesAt(this.#liveOffsets(leaf));
  }

  /** The same with their lines, for who copies them. */
  liveLines(leaf?: string): Iterable<MessageLine> {
    return this.#linesAt(this.#liveOffsets(leaf));
  }

  #liveOffsets(leaf: string | undefined): number[] {
    // Of all that was looked through only where each message stands is kept.
    const places = this.#places();
    return this.#liveIn(places, leaf).flatMap((id) => places.get(id)?.offset ?? []);
  }

  #liveIn(places: ReadonlyMap<string, Place>, leaf: string | undefined): string[] {
    const ops = readLiveOps(join(this.folder, layout.live), this.lengths?.liveBytes);
    return liveIds(places, leaf === undefined ? ops : [...ops, { op: 'leaf', id: leaf }]);
  }

  /**
   * The timeline in reading order without what was said, so that a session of any size fits; `live_only` messages stand
   * apart. `calls`: the tool calls whose messages are asked for.
   */
  heads(calls: ReadonlySet<string>): { readonly timeline: readonly Head[]; readonly liveOnly: readonly Head[] } {
    const timeline = new Map<string, Head>();
    const liveOnly = new Map<string, Head>();
    for (const line of this.#messageLines()) {
      const message = decodeMessage(line.bytes.toString('utf8'));
      if (message === undefined) continue;
      const id = baseId(message);
      // Of a directory from elsewhere it may be anything.
      const agent: unknown = message.agent_id;
      const made = message.content.flatMap((block) =>
        isKnown(block) && block.type === 'tool_use' && calls.has(block.tool_use_id) ? [block.tool_use_id] : [],
      );
      (message.metadata?.live_only === true ? liveOnly : timeline).set(id, {
        msg_id: id,
        parent_msg_id: message.parent_msg_id,
        timestamp: message.timestamp,
        agent: typeof agent === 'string' ? agent : message.is_sidechain === true ? '' : undefined,
        calls: made,
        offset: line.offset,
      });
    }
    return { timeline: readingOrder(timeline.values()), liveOnly: [...liveOnly.values()] };
  }

  /** The messages whose lines begin at these offsets, under their base ids, read one at a time. */
  messagesAt(offsets: Iterable<number>): Iterable<Message> {
    return mapped(this.#linesAt(offsets), ({ message }) => message);
  }

  #linesAt(offsets: Iterable<number>): Iterable<MessageLine> {
    const path = join(this.folder, layout.messages);
    // Another program may have written a directory without a commit, in a form that is not quite ours.
    const isOurs = this.commit !== undefined;
    return {
      *[Symbol.iterator]() {
        const file = new LineFile(path);
        try {
          for (const offset of offsets) {
            const text = file.at(offset)?.bytes.toString('utf8') ?? '';
            const read = decodeMessage(text);
            if (read === undefined) continue;
            const message = asBase(read);
            yield isOurs && message === read ? { message, text } : { message };
          }
        } finally {
          file.close();
        }
      },
    };
  }

  /** By base id, in line order. */
  #places(): Map<string, Place> {
    const places = new Map<string, Place>();
    for (const line of this.#messageLines()) {
      const message = decodeMessage(line.bytes.toString('utf8'));
      if (message === undefined) continue;
      const { parent, sidechain } = linkOf(message);
      const id = baseId(message);
      // Mostly it hangs on a message that is there: one text serves both.
      const above = parent === null ? null : (places.get(parent)?.id ?? parent);
      const liveOnly = message.metadata?.live_only === true && places.get(id)?.liveOnly !== false;
      places.set(id, { id, parent: above, sidechain, liveOnly, offset: line.offset });
    }
    return places;
  }

  *#messageLines(): Generator<Line> {
    const path = join(this.folder, layout.messages);
    if (!exists(path))
      throw new SessionFsError(
        'invalid-session',
        `${path} is missing`,
        'import the session again from its source, or restore the file from a copy',
      );
    for (const line of linesInFile(path, this.lengths?.messagesBytes)) if (line.bytes.length > 0) yield line;
  }
}

/** Has nothing of this directory ever been committed? */
export function isUncommitted(folder: string): boolean {
  return !exists(join(folder, layout.commit)) && !exists(join(folder, layout.manifest));
}

/** A message under its base id, and its line where that is what we would write for it. */
export interface MessageLine {
  readonly message: Message;
  readonly text?: string;
}

/** Where the newest form of a message stands, and how it hangs together with others. */
interface Place extends Link {
  readonly id: string;
  /** It is no part of the timeline. */
  readonly liveOnly: boolean;
  readonly offset: number;
}

/** A message of the timeline without its content, and where its newest form stands. */
export interface Head extends OutlineItem {
  readonly offset: number;
}

/** A revision under the id of what it revises. */
export function asBase(message: Message): Message {
  const base = message.metadata?.revises;
  if (base === undefined) return message;
  const { metadata: { revises: _revises, ...metadata } = {}, ...rest } = message;
  return { ...rest, msg_id: base, ...(Object.keys(metadata).length === 0 ? {} : { metadata }) };
}

/** Under this key stands where the first form of a revised message is. */
export function firstFormKey(base: string): string {
  return `${base}~`;
}

/** Notes where a line stands: under its own id, and as the newest form of what it revises. */
export function noteForm(offsets: Map<string, number>, message: Message, offset: number): void {
  const base = message.metadata?.revises;
  if (base !== undefined) {
    const before = offsets.get(base);
    if (before !== undefined && !offsets.has(firstFormKey(base))) offsets.set(firstFormKey(base), before);
    offsets.set(base, offset);
  }
  offsets.set(message.msg_id, offset);
}

/** Where each message's newest revision stands: base id (and revision id) → offset of the newest line. */
export function messageOffsets(path: string, bytes: number | undefined): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { message, offset } of messagesIn(path, bytes)) noteForm(offsets, message, offset);
  return offsets;
}

/** How messages hang together: by base id, in line order. */
export function messageLinks(path: string, bytes: number | undefined): Map<string, Link> {
  const links = new Map<string, Link>();
  for (const { message } of messagesIn(path, bytes)) links.set(baseId(message), linkOf(message));
  return links;
}

/** Looks through a messages file without keeping its content. */
function* messagesIn(
  path: string,
  bytes: number | undefined,
): Generator<{ readonly message: Message; readonly offset: number }> {
  if (!exists(path)) return;
  for (const line of linesInFile(path, bytes)) {
    const message = line.bytes.length === 0 ? undefined : decodeMessage(line.bytes.toString('utf8'));
    if (message !== undefined) yield { message, offset: line.offset };
  }
}

/** The live view operations of a file, those unknown to this version left out. */
export function readLiveOps(path: string, bytes: number | undefined): LiveOp[] {
  if (!exists(path)) return [];
  const ops: LiveOp[] = [];
  for (const line of linesInFile(path, bytes)) {
    const op = decodeLiveOp(line.bytes.toString('utf8'));
    if (op !== undefined) ops.push(op);
  }
  return ops;
}

/** A manifest file; told what of it does not fit the schema. Throws `unreadable`, `invalid-session`, `newer-format`. */
export function readManifest(path: string, leftOut?: LeftOut): Manifest {
  return decodeManifest(readBytes(path).toString('utf8'), path, leftOut);
}

/** The workspace of a session directory; `undefined` when it has none. */
export function readWorkspace(folder: string, leftOut?: LeftOut): Workspace | undefined {
  return decodeWorkspace(textAt(join(folder, layout.workspace)), leftOut);
}

/** The tools of a session directory; `undefined` when it has none. */
export function readTools(folder: string, leftOut?: LeftOut): Tools | undefined {
  return decodeTools(textAt(join(folder, layout.tools)), leftOut);
}

function textAt(path: string): string | undefined {
  return exists(path) ? readBytes(path).toString('utf8') : undefined;
}
