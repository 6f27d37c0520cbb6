/** A `User` folder of Cursor made row by row, as the editor would. */

import { mkdirSync } from 'node:fs';
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

  constructor(place: Scratch, mode: 'wal' | 'delete' = 'wal') {
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
