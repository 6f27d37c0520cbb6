/** Chats in databases of their own. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Random } from '../../../bench/corpus/random.ts';
import { real } from './real.ts';
import { Teller } from './teller.ts';
import type { NativeSession, Said, Size, World } from './world.ts';

/** Chats of cursor-agent: a database each, whose root lists what was said by the hashes of it. */
export class StoreWorld implements World {
  readonly adapter = 'cursor';
  readonly kind = 'database of blobs';
  readonly #teller: Teller;
  readonly #chats: { readonly id: string; said: Said[]; readonly database: DatabaseSync }[] = [];

  constructor(home: string, random: Random, size: Size) {
    this.#teller = new Teller(random, size);
    for (let times = random.between(1, 2); times > 0; times -= 1) {
      const id = random.uuid();
      const folder = join(home, '..', '..', '..', '.cursor', 'chats', '0'.repeat(32), id);
      real.mkdirSync(folder, { recursive: true });
      const database = new DatabaseSync(join(folder, 'store.db'));
      database.exec(`pragma journal_mode = wal; pragma synchronous = off;
        create table blobs (id text primary key, data blob); create table meta (key text primary key, value text)`);
      const chat = { id, said: [this.#teller.say()], database };
      this.#chats.push(chat);
      this.#state(chat);
    }
  }

  sessions(last = Infinity): readonly NativeSession[] {
    return this.#chats.slice(-last).map(({ id, said }) => ({
      nativeId: id,
      place: id,
      said: [...said],
      files: () => [],
      rows: [],
      isTorn: false,
    }));
  }

  act(random: Random): string {
    const chat = random.pick(this.#chats);
    const act = random.pick(['appended', 'appended', 'appended', 'cut back', 'checkpointed', 'under way'] as const);
    if (chat.database.isTransaction) chat.database.exec('rollback');
    if (act === 'checkpointed') {
      chat.database.exec('pragma wal_checkpoint(truncate)');
      return act;
    }
    if (act === 'under way') {
      chat.database.exec("begin immediate; insert or replace into meta values ('0', '7b7d')");
      return act;
    }
    if (act === 'cut back') chat.said = chat.said.slice(0, random.between(0, chat.said.length));
    chat.said.push(...Array.from({ length: random.between(1, 3) }, () => this.#teller.say()));
    this.#state(chat);
    return act;
  }

  close(): void {
    for (const { database } of this.#chats) database.close();
  }

  #state({ said, database }: { readonly said: readonly Said[]; readonly database: DatabaseSync }): void {
    database.exec('begin immediate');
    const blob = (data: Buffer): Buffer => {
      const id = createHash('sha256').update(data).digest();
      database.prepare('insert or ignore into blobs values (?, ?)').run(id.toString('hex'), data);
      return id;
    };
    const ids = said.map(({ role, text }) =>
      blob(
        Buffer.from(
          JSON.stringify({
            role,
            content: role === 'user' ? `<user_query>\n${text}\n</user_query>` : [{ type: 'text', text }],
          }),
        ),
      ),
    );
    // Field 1 of a protobuf message, 32 bytes, as often as there are messages.
    const root = blob(Buffer.concat(ids.map((id) => Buffer.concat([Buffer.from([10, 32]), id]))));
    const meta = {
      agentId: 'a',
      latestRootBlobId: root.toString('hex'),
      name: 'New Agent',
      createdAt: 1_789_034_400_000,
    };
    database
      .prepare("insert or replace into meta values ('0', ?)")
      .run(Buffer.from(JSON.stringify(meta)).toString('hex'));
    database.exec('commit');
  }
}
