/** A `User` folder of Cursor made row by row, as the editor would. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Scratch } from '../../../test/support/scratch.ts';

/** What a test says of a message; the rest is as the editor has it. */
export interface Said {
  readonly id: string;
  readonly type?: 1 | 2;
  readonly text?: string;
  readonly [field: string]: unknown;
}

/** An open database that Cursor writes. */
export class Editor {
  readonly home: string;
  readonly path: string;
  readonly #database: DatabaseSync;

  constructor(place: Pick<Scratch, 'home'>, mode: 'wal' | 'delete' = 'wal') {
    this.home = join(place.home, '.config', 'Cursor', 'User');
    this.path = join(this.home, 'globalStorage', 'state.vscdb');
    mkdirSync(dirname(this.path), { recursive: true });
    this.#database = new DatabaseSync(this.path);
    this.#database.exec(`pragma journal_mode = ${mode}; pragma user_version = 1;
      create table if not exists ItemTable (key text unique on conflict replace, value blob);
      create table if not exists cursorDiskKV (key text unique on conflict replace, value blob)`);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Writes a row as the editor does: the row id becomes another. */
  put(key: string, value: unknown): void {
    const stored =
      value === null || value instanceof Uint8Array || typeof value === 'string' ? value : JSON.stringify(value);
    this.#database.prepare('insert into cursorDiskKV values (?, ?)').run(key, stored);
  }

  /** Changes a row where it stands: the row id stays. */
  change(key: string, value: unknown): void {
    this.#database.prepare('update cursorDiskKV set value = ? where key = ?').run(JSON.stringify(value), key);
  }

  /** Writes a chat and the messages given; `order` may list others. */
  chat(
    id: string,
    said: readonly Said[],
    fields: Readonly<Record<string, unknown>> = {},
    order?: readonly string[],
  ): void {
    for (const one of said) this.say(id, one);
    const ids = order ?? said.map((one) => one.id);
    this.put(`composerData:${id}`, chatOf(id, ids, fields));
  }

  say(chat: string, { id, type = 2, text = '', ...fields }: Said): void {
    this.put(`bubbleId:${chat}:${id}`, { _v: 3, type, bubbleId: id, text, ...fields });
  }

  close(): void {
    this.#database.close();
  }
}

/** A chat's own row. */
export function chatOf(id: string, ids: readonly string[], fields: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    _v: 17,
    composerId: id,
    name: 'A chat',
    status: 'completed',
    createdAt: Date.parse('2026-09-10T10:00:00Z'),
    lastUpdatedAt: Date.parse('2026-09-10T10:30:00Z'),
    fullConversationHeadersOnly: ids.map((bubbleId) => ({ bubbleId, type: 2 })),
    ...fields,
  };
}

/** A call as a message has it. */
export function call(
  id: string,
  name: string,
  params: unknown,
  fields: Readonly<Record<string, unknown>> = {},
): unknown {
  return {
    tool: 15,
    toolCallId: id,
    name,
    params: JSON.stringify(params),
    rawArgs: '',
    status: 'completed',
    ...fields,
  };
}

/** A chat of Cursor's command line. */
export class Store {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #id: string;

  constructor(place: Pick<Scratch, 'home'>, id: string, meta: object = {}, mode: 'wal' | 'delete' = 'wal') {
    this.#id = id;
    const folder = join(place.home, '.cursor', 'chats', '0'.repeat(32), id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'meta.json'), JSON.stringify({ schemaVersion: 1, ...meta }));
    this.path = join(folder, 'store.db');
    this.#database = new DatabaseSync(this.path);
    this.#database
      .exec(`pragma journal_mode = ${mode}; create table if not exists blobs (id text primary key, data blob);
      create table if not exists meta (key text primary key, value text)`);
  }

  /** States what the model is sent, what was archived before, and the turns' ends and durations. */
  state(
    messages: readonly object[],
    archives: readonly (readonly object[])[] = [],
    timings: readonly (readonly [endMs: number, durationMs: number])[] = [],
  ): void {
    const archived = archives.map((list) =>
      this.#blob(Buffer.concat(list.map((one) => bytesField(1, this.#json(one))))),
    );
    const root = Buffer.concat([
      ...messages.map((one) => bytesField(1, this.#json(one))),
      ...timings.map((_, turn) => bytesField(8, this.#json({ turn }))),
      ...archived.map((id) => bytesField(13, id)),
      ...timings.map(([end, duration]) =>
        bytesField(14, Buffer.concat([numberField(1, duration), numberField(2, end)])),
      ),
    ]);
    const about = {
      agentId: this.#id,
      latestRootBlobId: this.#blob(root).toString('hex'),
      name: 'New Agent',
      createdAt: Date.parse('2026-09-10T10:00:00Z'),
      lastUsedModel: 'composer-2',
      blobEncryptionKey: 'REDACTED-synthetic',
    };
    const value = Buffer.from(JSON.stringify(about)).toString('hex');
    this.#database.prepare("insert or replace into meta values ('0', ?)").run(value);
  }

  close(): void {
    this.#database.close();
  }

  #json(value: object): Buffer {
    return this.#blob(Buffer.from(JSON.stringify(value)));
  }

  #blob(data: Buffer): Buffer {
    const id = createHash('sha256').update(data).digest();
    this.#database.prepare('insert or ignore into blobs values (?, ?)').run(id.toString('hex'), data);
    return id;
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}

function bytesField(number: number, data: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(data.length), data]);
}

function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}
