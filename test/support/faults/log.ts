/** A session in a file of JSON lines, written as tools and crashes write them. */

import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { Random } from '../../../bench/corpus/random.ts';
import { real } from './real.ts';
import type { Teller } from './teller.ts';
import type { KeptBytes, NativeSession, Said } from './world.ts';

/** A piece of a line: a whole record, or the first half of one. */
interface Piece {
  /** One letter for each byte, so that a character can be cut too. */
  readonly text: string;
  /** Nothing for records that say nothing, and for halves. */
  readonly said?: Said;
  readonly isHalf?: true;
}

/** How one tool writes a log. */
export interface LogForm {
  /** Relative to the tool's home; another one each time it is asked. */
  path(nativeId: string, times: number): string;
  key(nativeId: string, path: string): string;
  /** What stands in front; it is never damaged, for without it nobody knows whose file it is. */
  head(nativeId: string, at: string): string | undefined;
  record(said: Said, before: Said | undefined, nativeId: string, at: string): unknown;
  /** May its file be compressed? */
  readonly packs?: true;
  /** Do its records have ids of their own, so that other words under one are a later form of it? */
  readonly revises?: true;
  /** Another file of the session that is kept and not read. */
  attachment?(nativeId: string, path: string): { readonly key: string; readonly path: string };
}

/** One session in a file that only grows, most of the time. */
export class Log {
  readonly nativeId: string;
  readonly #form: LogForm;
  readonly #home: string;
  readonly #teller: Teller;
  #moves = 0;
  #lines: Piece[][] = [];
  /** The last line has no newline yet. */
  #isOpen = false;
  #isThere = true;
  #isPacked = false;
  #isTorn = false;
  #attached: Buffer | undefined;

  constructor(form: LogForm, home: string, teller: Teller, nativeId: string) {
    this.#form = form;
    this.#home = home;
    this.#teller = teller;
    this.nativeId = nativeId;
    const head = form.head(nativeId, teller.now());
    if (head !== undefined) this.#lines = [[{ text: head }]];
    this.#append(teller.say());
    this.#write();
  }

  get #heads(): number {
    return this.#form.head(this.nativeId, '') === undefined ? 0 : 1;
  }

  get #plain(): string {
    return join(this.#home, this.#form.path(this.nativeId, this.#moves));
  }

  get #path(): string {
    return this.#isPacked ? `${this.#plain}.zst` : this.#plain;
  }

  /** Each line that is made of whole records only says what they say. */
  get #readable(): Said[] {
    return this.#lines
      .filter((line) => line.every(({ isHalf }) => isHalf !== true))
      .flatMap((line) => line.flatMap(({ said }) => said ?? []));
  }

  get #bytes(): Buffer {
    const lines = this.#lines.map((line) => line.map(({ text }) => text).join(''));
    return Buffer.from(lines.join('\n') + (this.#isOpen || lines.length === 0 ? '' : '\n'), 'latin1');
  }

  get native(): NativeSession {
    return {
      nativeId: this.nativeId,
      place: this.#path,
      said: this.#isThere ? this.#readable : [],
      files: () => (this.#isThere ? this.#files : []),
      rows: [],
      isTorn: this.#isTorn,
    };
  }

  get #files(): KeptBytes[] {
    const attachment = this.#attachment();
    const own: KeptBytes = { key: this.#form.key(this.nativeId, this.#plain), bytes: this.#bytes, kind: 'log' };
    return attachment === undefined || this.#attached === undefined
      ? [own]
      : [own, { key: attachment.key, bytes: this.#attached, kind: 'whole' }];
  }

  act(random: Random): string {
    if (!this.#isThere) {
      this.#isThere = true;
      if (random.chance(0.5)) this.#cut(random.between(0, this.#lines.length));
      this.#append(this.#teller.say());
      this.#write();
      return 'restored';
    }
    const [name] = random.pick(
      Object.entries(this.#acts).flatMap(([one, { weight }]) => Array.from({ length: weight }, () => [one] as const)),
    );
    this.#acts[name]?.act(random);
    return name;
  }

  readonly #acts: Readonly<Record<string, { readonly weight: number; readonly act: (random: Random) => void }>> = {
    appended: {
      weight: 8,
      act: (random) => {
        // The newline that was missing comes first, or never.
        if (random.chance(0.5) && this.#pending === undefined) this.#isOpen = false;
        for (let times = random.between(1, 4); times > 0; times -= 1) this.#append(this.#teller.say());
        this.#append$();
      },
    },
    glued: {
      weight: 2,
      act: () => {
        this.#append(this.#teller.say());
        this.#isOpen = true;
        this.#append(this.#teller.say());
        this.#append$();
      },
    },
    unterminated: {
      weight: 2,
      act: () => {
        this.#append(this.#teller.say());
        this.#isOpen = true;
        this.#append$();
      },
    },
    halved: {
      weight: 3,
      act: (random) => {
        const text = this.#record(this.#teller.say());
        this.#append(undefined, text.slice(0, random.between(1, text.length - 1)));
        this.#isTorn = true;
        this.#isOpen = random.chance(0.7);
        this.#append$();
      },
    },
    'completed later': {
      weight: 2,
      act: (random) => {
        const said = this.#teller.say();
        const text = this.#record(said);
        const before = this.#isOpen ? undefined : text.slice(0, random.between(1, text.length - 1));
        if (before === undefined) return this.#finish();
        this.#lines.push([{ text: before, isHalf: true }]);
        this.#isOpen = true;
        this.#pending = { said, text };
        this.#append$();
      },
    },
    truncated: {
      weight: 2,
      act: (random) => {
        this.#cut(random.between(0, this.#lines.length));
        if (random.chance(0.8)) this.#append(this.#teller.say());
        const file = this.#isPacked ? undefined : real.openSync(this.#path, 'r+');
        if (file === undefined) return this.#write();
        // In its place: the same file by its inode.
        const bytes = this.#bytes;
        real.ftruncateSync(file, 0);
        real.writeSync(file, bytes);
        real.closeSync(file);
        this.#teller.touch(this.#path);
      },
    },
    'replaced by another': {
      weight: 2,
      act: (random) => {
        this.#cut(random.chance(0.5) ? this.#lines.length : random.between(0, this.#lines.length));
        for (let times = random.between(0, 5); times > 0; times -= 1) this.#append(this.#teller.say());
        this.#write();
      },
    },
    moved: {
      weight: 1,
      act: () => {
        const from = this.#path;
        this.#moves += 1;
        real.mkdirSync(dirname(this.#path), { recursive: true });
        real.renameSync(from, this.#path);
        // It stays where it was.
        this.#attached = undefined;
      },
    },
    deleted: {
      weight: 1,
      act: () => {
        real.rmSync(this.#path);
        this.#isThere = false;
      },
    },
    edited: { weight: 2, act: (random) => this.#edit(random) },
    packed: {
      weight: 1,
      act: () => {
        if (this.#form.packs !== true) return this.#finish();
        real.rmSync(this.#path);
        this.#isPacked = !this.#isPacked;
        this.#write();
      },
    },
    attached: {
      weight: 1,
      act: () => {
        const attachment = this.#attachment();
        if (attachment === undefined) return this.#finish();
        this.#attached = this.#teller.bytes();
        real.mkdirSync(dirname(attachment.path), { recursive: true });
        real.writeFileSync(attachment.path, this.#attached);
        this.#teller.touch(attachment.path);
      },
    },
  };

  /** One record in another form, the others as they were. */
  #edit(random: Random): void {
    const spoken = this.#lines.flatMap((line) => line.flatMap((piece) => (piece.said === undefined ? [] : [piece])));
    const old = spoken.length === 0 || this.#form.revises !== true ? undefined : random.pick(spoken);
    if (old?.said === undefined) return this.#finish();
    const said = this.#teller.sayAnew(old.said);
    const quoted = (text: string): string => Buffer.from(JSON.stringify(text)).toString('latin1');
    const edited: Piece = { ...old, said, text: old.text.replace(quoted(old.said.text), () => quoted(said.text)) };
    this.#lines = this.#lines.map((line) => line.map((piece) => (piece === old ? edited : piece)));
    this.#write();
  }

  /** A record whose first half is in the file. */
  #pending: { readonly said: Said; readonly text: string } | undefined;

  #attachment(): { readonly key: string; readonly path: string } | undefined {
    return this.#form.attachment?.(this.nativeId, this.#plain);
  }

  #record(said: Said): string {
    const record = this.#form.record(said, this.#readable.at(-1), this.nativeId, this.#teller.now());
    return Buffer.from(JSON.stringify(record), 'utf8').toString('latin1');
  }

  #finish(): void {
    this.#append(this.#teller.say());
    this.#append$();
  }

  #append(said: Said | undefined, half = ''): void {
    const last = this.#lines.at(-1);
    if (this.#pending !== undefined && last !== undefined) {
      // The rest of it comes first.
      last.splice(-1, 1, { text: this.#pending.text, said: this.#pending.said });
      this.#pending = undefined;
      this.#isOpen = false;
    }
    const piece: Piece = said === undefined ? { text: half, isHalf: true } : { text: this.#record(said), said };
    if (this.#isOpen && last !== undefined) last.push(piece);
    else this.#lines.push([piece]);
    this.#isOpen = false;
  }

  /** The first lines stay. */
  #cut(lines: number): void {
    this.#lines = this.#lines.slice(0, Math.max(this.#heads, lines));
    this.#isTorn ||= this.#pending !== undefined;
    this.#pending = undefined;
    this.#isOpen = false;
  }

  /** Writes behind what is there. */
  #append$(): void {
    if (this.#isPacked) return this.#write();
    const length = real.statSync(this.#path).size;
    real.appendFileSync(this.#path, this.#bytes.subarray(length));
    this.#teller.touch(this.#path);
  }

  /** Writes another file in its place. */
  #write(): void {
    const temporary = `${this.#path}.new`;
    real.mkdirSync(dirname(temporary), { recursive: true });
    real.writeFileSync(temporary, this.#isPacked ? zstdCompressSync(this.#bytes) : this.#bytes);
    real.renameSync(temporary, this.#path);
    this.#teller.touch(this.#path);
  }
}
