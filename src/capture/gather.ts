/** Takes what a decoder yields into a session: new messages once, later forms as revisions, facts merged, losses counted. */

import type { Lookup, SessionFacts, Sink } from '../adapters/adapter.ts';
import { contentHash, revisionId } from '../model/ids.ts';
import { addFile, mergeFacts } from '../model/facts.ts';
import type { TouchedFile } from '../model/facts.ts';
import type { LiveOp } from '../model/live.ts';
import type { Message } from '../model/message.ts';
import type { ResponseUsage, Tally } from '../model/tally.ts';
import { count, countResponse, emptyTally } from '../model/tally.ts';
import { titleFrom } from '../model/title.ts';
import type { Commit } from '../store/commit.ts';
import type { SessionWriter } from '../store/session-writer.ts';

/** Under this key stands the original id of a message that a resume placed in the tool's own form. */
export function placedKey(decodedId: string): string {
  return `=${decodedId}`;
}

/** What has been gathered for one session since its last commit. */
export class Gathering implements Sink {
  readonly #writer: SessionWriter;
  readonly #placed: boolean;
  /** Inherited messages are the session's, but not its own part: they are not counted. */
  inherited = false;
  /** The source is read from its beginning again: a form that is known already is an old one, however it differs from the newest. */
  rereading = false;
  readonly tally: Tally;
  /** Counts what comes after the last copied message, once there is one. */
  #part: Tally | undefined;
  #facts: SessionFacts;
  /** By path; a session touches many, so they are not merged list by list, and not at all as long as none comes. */
  #files: Map<string, TouchedFile> | undefined;
  readonly #filesBefore: readonly TouchedFile[] | undefined;
  promptTitle: string | null;
  readonly records: Map<string, number>;
  readonly losses: Map<string, number>;
  /** Messages appended, revisions included. */
  added = 0;
  changed = false;
  #lastInherited: string | undefined;
  /** The last message of the main line, by line. */
  #lastMain: string | undefined;
  #ops: LiveOp[] = [];

  constructor(writer: SessionWriter) {
    this.#writer = writer;
    const { before } = writer;
    this.#placed = before.placed;
    this.tally = structuredClone(before.tally);
    this.#part = structuredClone(before.copied?.own);
    this.#lastInherited = before.copied?.last;
    const { files, ...facts } = before.facts;
    this.#facts = facts;
    this.#filesBefore = files;
    this.promptTitle = before.promptTitle;
    this.records = new Map(Object.entries(before.records));
    this.losses = new Map(Object.entries(before.losses));
  }

  /** The last message of the inherited part; `undefined` when there is none. */
  get lastInherited(): string | undefined {
    return this.#lastInherited;
  }

  message(message: Message): void {
    if (this.#placed && this.#writer.key(placedKey(message.msg_id)) !== undefined) return;
    const own = this.#own(message);
    if (this.inherited) this.#lastInherited = own.msg_id;
    const kept = this.#writer.has(own.msg_id) ? this.#revision(own) : own;
    if (kept === undefined) return;
    this.#writer.append(kept);
    if (kept.is_sidechain !== true) this.#lastMain = kept.metadata?.revises === undefined ? kept.msg_id : undefined;
    this.added += 1;
    this.changed = true;
    if (this.promptTitle === null) this.promptTitle = titleFrom(kept) ?? null;
    if (!this.inherited) for (const tally of this.#tallies()) count(tally, kept);
  }

  usage(stated: ResponseUsage): void {
    this.changed = true;
    if (!this.inherited) for (const tally of this.#tallies()) countResponse(tally, stated);
  }

  #tallies(): Tally[] {
    return this.#part === undefined ? [this.tally] : [this.tally, this.#part];
  }

  copied(id: string): void {
    // Read again from the start, what comes after is known and would not be counted again.
    if (this.inherited || this.rereading) return;
    this.#lastInherited = this.#original(id);
    this.#part = emptyTally();
  }

  /** What stands in front of the session's own part, as long as nothing tells whose it is. */
  get copiedPart(): Commit['copied'] {
    return this.#part === undefined || this.#lastInherited === undefined
      ? undefined
      : { last: this.#lastInherited, own: this.#part };
  }

  /** The counts without what the tool copied from the session this one goes on from. */
  get own(): Tally {
    return this.#part ?? this.tally;
  }

  live(op: LiveOp): void {
    this.changed = true;
    this.#ops.push(this.#placed ? this.#ownOp(op) : op);
  }

  /** Writes the live operations. One that says what is so without it (the last message is the leaf) is left out. */
  finish(): void {
    const [only, ...others] = this.#ops;
    const isPlain = only?.op === 'leaf' && others.length === 0 && only.id === this.#lastMain && this.#writer.isNew;
    if (!isPlain) for (const op of this.#ops) this.#writer.live(op);
    this.#ops = [];
  }

  #ownOp(op: LiveOp): LiveOp {
    switch (op.op) {
      case 'leaf':
      case 'rewind':
        return { op: op.op, id: op.id === null ? null : this.#original(op.id) };
      case 'replace':
        return { op: op.op, at: this.#original(op.at), with: op.with.map((id) => this.#original(id)) };
      default:
        return op satisfies never;
    }
  }

  fact({ files, ...facts }: SessionFacts): void {
    this.changed = true;
    for (const file of files ?? []) this.#touch(file);
    if (Object.keys(facts).length > 0) this.#facts = mergeFacts(this.#facts, facts);
  }

  #touch(file: TouchedFile): void {
    this.#files ??= new Map((this.#filesBefore ?? []).map((each) => [each.path, each]));
    addFile(this.#files, file);
  }

  /** Everything told so far. As long as no file was touched, `files` is the very list of the last commit. */
  get facts(): SessionFacts {
    const files = this.#files === undefined ? this.#filesBefore : [...this.#files.values()];
    return files === undefined ? this.#facts : { ...this.#facts, files };
  }

  key(key: string, id: string): void {
    this.#writer.setKey(key, id);
  }

  loss(name: string): void {
    this.losses.set(name, (this.losses.get(name) ?? 0) + 1);
  }

  /** Counts one record of the source by what it was. */
  record(disposition: string): void {
    this.changed = true;
    this.records.set(disposition, (this.records.get(disposition) ?? 0) + 1);
  }

  /** The lookup a decoder is handed. */
  get lookup(): Lookup {
    return {
      id: (key) => this.#writer.key(key),
      has: (id) => this.#writer.has(id) || (this.#placed && this.#writer.key(placedKey(id)) !== undefined),
      message: (id) => this.#writer.message(this.#original(id)),
    };
  }

  #original(id: string): string {
    return this.#placed ? (this.#writer.key(placedKey(id)) ?? id) : id;
  }

  /** The message hung where its parent stands in this session. */
  #own(message: Message): Message {
    if (!this.#placed) return message;
    const parent = message.parent_msg_id === null ? null : this.#original(message.parent_msg_id);
    return parent === message.parent_msg_id ? message : { ...message, parent_msg_id: parent };
  }

  #isKnownForm(message: Message): boolean {
    const first = this.#writer.firstForm(message.msg_id);
    return first !== undefined && contentHash(first) === contentHash(message);
  }

  /** A message under a known id: nothing when it says the same, else its newer form. */
  #revision(message: Message): Message | undefined {
    const earlier = this.#writer.message(message.msg_id);
    if (earlier === undefined || contentHash(earlier) === contentHash(message)) return undefined;
    if (this.rereading && this.#isKnownForm(message)) return undefined;
    const id = revisionId(message.msg_id, message);
    if (this.#writer.has(id)) return undefined;
    return { ...message, msg_id: id, metadata: { ...message.metadata, revises: message.msg_id } };
  }
}
