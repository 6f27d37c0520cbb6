/** Cursor while it runs: its database open in WAL mode, and a person who says something in one chat of it. */

import { DatabaseSync } from 'node:sqlite';

/** A chat's own row, as far as it is changed. */
interface ChatRow {
  readonly fullConversationHeadersOnly: readonly { readonly bubbleId: string; readonly type: number }[];
}

/** Holds the database open until it is closed. */
export class RunningCursor {
  /** The chat in which something is said: of some length, among those of late. */
  readonly chat: string;
  readonly #database: DatabaseSync;
  #said = 0;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec('pragma journal_mode = wal; pragma synchronous = normal');
    const recent = this.#database
      .prepare('select composerId from composerHeaders where isSubagent = 0 order by recency desc limit 50')
      .all()
      .map(({ composerId }) => String(composerId));
    const lengths = recent.map((id) => this.#rowOf(id).fullConversationHeadersOnly.length);
    const long = lengths.findIndex((length) => length >= 40);
    this.chat = recent[long === -1 ? lengths.indexOf(Math.max(...lengths)) : long] ?? '';
  }

  /** Commits one more message of the person's: its row, the chat's list and the index of chats. Bytes of the message's row. */
  say(): number {
    this.#said += 1;
    const row = this.#rowOf(this.chat);
    const listed = row.fullConversationHeadersOnly;
    const before = listed.findLast(({ type }) => type === 1)?.bubbleId ?? '';
    const now = new Date();
    const createdAt = now.toISOString();
    const bubbleId = `${String(this.#said).padStart(8, '0')}-0000-4000-8000-000000000000`;
    const text = `Go on with number ${this.#said}.`;
    const bubble = JSON.stringify({
      ...objectIn(this.#value(`bubbleId:${this.chat}:${before}`)),
      bubbleId,
      createdAt,
      text,
      richText: text,
    });
    const put = this.#database.prepare('insert into cursorDiskKV values (?, ?)');
    this.#database.exec('begin');
    put.run(`bubbleId:${this.chat}:${bubbleId}`, bubble);
    const headers = [...listed, { bubbleId, type: 1, grouping: { hasText: true, textPreview: text }, createdAt }];
    put.run(
      `composerData:${this.chat}`,
      JSON.stringify({ ...row, fullConversationHeadersOnly: headers, lastUpdatedAt: now.getTime() }),
    );
    this.#database
      .prepare('update composerHeaders set lastUpdatedAt = ?, recency = ? where composerId = ?')
      .run(now.getTime(), now.getTime(), this.chat);
    this.#database.exec('commit');
    return bubble.length;
  }

  close(): void {
    this.#database.close();
  }

  #rowOf(id: string): ChatRow {
    // Written by the generator.
    return objectIn(this.#value(`composerData:${id}`)) as unknown as ChatRow;
  }

  #value(key: string): unknown {
    return this.#database.prepare('select value from cursorDiskKV where key = ?').get(key)?.['value'];
  }
}

function objectIn(value: unknown): Record<string, unknown> {
  // Rows of chats and messages are JSON objects.
  return JSON.parse(String(value)) as Record<string, unknown>;
}
