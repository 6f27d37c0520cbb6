/** Chats in the database of an editor. */

import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Random } from '../../../bench/corpus/random.ts';
import { real } from './real.ts';
import { Teller } from './teller.ts';
import type { NativeSession, Said, Size, World } from './world.ts';

interface Chat {
  readonly id: string;
  said: Said[];
  /** Rows that were written and that no list names yet. */
  ahead: Said[];
  isThere: boolean;
}

/** Chats of the Cursor editor: rows of one database in WAL mode. */
export class EditorWorld implements World {
  readonly adapter = 'cursor';
  readonly kind = 'database';
  readonly #path: string;
  readonly #size: Size;
  readonly #teller: Teller;
  readonly #chats: Chat[] = [];
  #database: DatabaseSync;

  constructor(home: string, random: Random, size: Size) {
    this.#size = size;
    this.#teller = new Teller(random, size);
    this.#path = join(home, 'globalStorage', 'state.vscdb');
    real.mkdirSync(dirname(this.#path), { recursive: true });
    this.#database = this.#open();
    for (let times = random.between(1, 2); times > 0; times -= 1) this.#begin(random);
  }

  sessions(last = Infinity): readonly NativeSession[] {
    return this.#chats.slice(-last).map(({ id, said, isThere }) => ({
      nativeId: id,
      place: this.#path,
      said: isThere ? said : [],
      files: () => [],
      rows: isThere ? said.map((one) => bubbleOf(one)) : [],
      isTorn: false,
    }));
  }

  act(random: Random): string {
    const { most, active, begins } = this.#size;
    if (this.#chats.length < most && random.chance(begins)) {
      this.#begin(random);
      return 'begun';
    }
    const chat = random.pick(this.#chats.slice(-active));
    const act = random.pick([
      'appended',
      'appended',
      'appended',
      'listed later',
      'edited',
      'under way',
      'given up',
      'cut back',
      'deleted',
      'checkpointed',
      'closed',
      'killed',
      'vacuumed',
    ] as const);
    switch (act) {
      case 'appended':
        return this.#transaction(() => this.#append(chat, random.between(1, 4)), act);
      case 'listed later': {
        const said = [this.#teller.say()];
        chat.ahead.push(...said);
        return this.#transaction(() => said.forEach((one) => this.#row(chat, one)), act);
      }
      case 'under way':
        this.#end();
        this.#database.exec('begin immediate');
        this.#row(chat, this.#teller.say());
        return act;
      case 'given up':
        this.#end();
        this.#database.exec('begin immediate');
        this.#row(chat, this.#teller.say());
        this.#database.exec('rollback');
        return act;
      case 'edited': {
        const [old] = chat.said.length === 0 ? [] : [random.pick(chat.said)];
        if (old === undefined) return this.#transaction(() => this.#append(chat, 1), act);
        const said = this.#teller.sayAnew(old);
        chat.said = chat.said.with(chat.said.indexOf(old), said);
        return this.#transaction(() => this.#row(chat, said), act);
      }
      case 'cut back':
        chat.said = chat.said.slice(0, random.between(0, chat.said.length));
        return this.#transaction(() => this.#append(chat, 1), act);
      case 'deleted':
        chat.isThere = false;
        chat.said = [];
        chat.ahead = [];
        return this.#transaction(() => {
          this.#database
            .prepare('delete from cursorDiskKV where key >= ? and key < ?')
            .run(`bubbleId:${chat.id}:`, `bubbleId:${chat.id};`);
          this.#database.prepare('delete from cursorDiskKV where key = ?').run(`composerData:${chat.id}`);
        }, act);
      case 'checkpointed':
        this.#end();
        this.#database.exec('pragma wal_checkpoint(truncate)');
        return act;
      case 'closed':
        this.#end();
        this.#database.close();
        this.#database = this.#open();
        return act;
      case 'killed': {
        this.#end();
        const copies = ['', '-wal'].map((end) => [this.#path + end, real.readFileSync(this.#path + end)] as const);
        this.#database.close();
        for (const [path, bytes] of copies) real.writeFileSync(path, bytes);
        this.#database = this.#open();
        return act;
      }
      case 'vacuumed':
        this.#end();
        this.#database.exec('vacuum');
        return act;
      default:
        return act satisfies never;
    }
  }

  close(): void {
    this.#database.close();
  }

  #open(): DatabaseSync {
    const database = new DatabaseSync(this.#path);
    database.exec(`pragma journal_mode = wal; pragma synchronous = off;
      create table if not exists ItemTable (key text unique on conflict replace, value blob);
      create table if not exists cursorDiskKV (key text unique on conflict replace, value blob)`);
    return database;
  }

  #begin(random: Random): void {
    const chat: Chat = { id: random.uuid(), said: [], ahead: [], isThere: true };
    this.#chats.push(chat);
    this.#transaction(() => this.#append(chat, 1), '');
  }

  /** What is under way is given up. */
  #end(): void {
    if (this.#database.isTransaction) this.#database.exec('rollback');
  }

  #transaction(work: () => void, act: string): string {
    this.#end();
    this.#database.exec('begin immediate');
    work();
    this.#database.exec('commit');
    return act;
  }

  #append(chat: Chat, count: number): void {
    const said = Array.from({ length: count }, () => this.#teller.say());
    for (const one of said) this.#row(chat, one);
    chat.isThere = true;
    chat.said = [...chat.said, ...chat.ahead, ...said];
    chat.ahead = [];
    this.#put(`composerData:${chat.id}`, {
      _v: 17,
      composerId: chat.id,
      name: 'A chat',
      status: 'completed',
      createdAt: 1_789_034_400_000,
      lastUpdatedAt: Date.parse(this.#teller.now()),
      fullConversationHeadersOnly: chat.said.map(({ id, role }) => ({ bubbleId: id, type: role === 'user' ? 1 : 2 })),
    });
  }

  #row(chat: Chat, said: Said): void {
    this.#put(`bubbleId:${chat.id}:${said.id}`, bubbleOf(said));
  }

  #put(key: string, value: unknown): void {
    this.#database.prepare('insert into cursorDiskKV values (?, ?)').run(key, JSON.stringify(value));
  }
}

function bubbleOf({ id, role, text }: Said): unknown {
  return { _v: 3, type: role === 'user' ? 1 : 2, bubbleId: id, text };
}
