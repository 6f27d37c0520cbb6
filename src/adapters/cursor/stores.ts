/**
 * Chats of Cursor's command line: `chats/<md5 of the folder>/<chat>/store.db`, with `meta.json` beside it; those of editors that
 * drive it (ACP) `acp-sessions/<chat>/store.db`. Table `blobs` holds values by the hash of what they hold, and `meta` says which
 * is the root: a protobuf message that lists what the model is sent. Each message of that becomes one record:
 *
 *     {"store":{"agentId":"…","name":"…","createdAt":1789034400000,"lastUsedModel":"…"},"folder":"/home/dev/api","last":"3f…"}
 *     {"said":"3f…","after":null,"at":"2026-09-10T10:00:00.000Z","message":{"role":"user","content":[{"type":"text","text":"…"}]}}
 *     {"said":"77…","after":"3f…","summary":true,"message":{"role":"user","content":"Summary of …"}}
 *     {"said":"90…","after":"3f…"}
 *
 * One with `context` is what Cursor tells the model of the surroundings; nothing hangs on it. `said` is a hash of all that was said up to there: Cursor writes a message anew under another hash of its own with its fields in
 * another order. Without `message` its blob is missing. `at` is not before it was said; with `stated` it is the message's own time.
 */

import { SessionFsError } from '../../errors.ts';
import type { Machine, Snapshot } from '../../io/machine.ts';
import { sha256Hex } from '../../model/ids.ts';
import { canonicalJson, isObject, listAt, objectAt, stringAt } from '../../model/json.ts';
import type { LoadedRow, SessionFacts, Source, SourceFile } from '../adapter.ts';
import { asObject, isoOf, jsonOf, pathOfUri } from './native.ts';
import { Fields } from './protobuf.ts';

/** Every chat of the command line below a `.cursor` folder. */
export function* storesIn(machine: Machine, dotFolder: string): Iterable<Source> {
  const places = [
    ...machine.list(`${dotFolder}/chats`).map(({ name }) => `${dotFolder}/chats/${name}`),
    `${dotFolder}/acp-sessions`,
  ];
  for (const place of places) {
    if (machine.stat(place)?.kind !== 'directory') continue;
    for (const { name, kind } of machine.list(place)) {
      const source = kind === 'directory' ? storeAt(machine, `${place}/${name}`) : undefined;
      if (source !== undefined) yield source;
    }
  }
}

/** The chat of one folder; `undefined` when there is none. */
export function storeAt(machine: Machine, folder: string): Source | undefined {
  const path = `${folder}/store.db`;
  const nativeId = folder.slice(folder.lastIndexOf('/') + 1);
  const facts = factsOf(jsonOf(machine.readText(`${folder}/meta.json`)));
  return machine.stat(path)?.kind === 'file'
    ? { nativeId, files: [fileOf(machine, path, nativeId)], facts }
    : undefined;
}

/** The chat of a database that was copied elsewhere: by the id it has for itself. */
export function copiedStore(machine: Machine, database: Snapshot, path: string): readonly Source[] {
  const nativeId = stringAt(metaOf(database), 'agentId');
  return nativeId === undefined ? [] : [{ nativeId, files: [fileOf(machine, path, nativeId)] }];
}

function fileOf(machine: Machine, path: string, nativeId: string): SourceFile {
  const infos = [machine.stat(path), machine.stat(`${path}-wal`)];
  const lies = infos.map((one) => [one?.inode, one?.sizeBytes, one?.modifiedMs]);
  return {
    key: 'store',
    path: `${path}/${encodeURIComponent(nativeId)}`,
    kind: 'database',
    rows: {
      size: infos.reduce((sum, one) => sum + (one?.sizeBytes ?? 0), 0),
      modifiedMs: Math.max(...infos.map((one) => one?.modifiedMs ?? 0)),
      version: Number.parseInt(machine.sha256(JSON.stringify(lies)).slice(0, 12), 16),
    },
  };
}

/** `{"schemaVersion":1,"createdAtMs":…,"cwd":"/home/dev/api","title":"…"}` */
function factsOf(meta: unknown): SessionFacts {
  const cwd = stringAt(meta, 'cwd');
  const title = stringAt(meta, 'title');
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(title === undefined || title.trim() === '' ? {} : { title: { text: title, by: 'model' } }),
  };
}

/** The rows of one chat, from its database. Throws `unreadable`. */
export function loadStore(database: Snapshot, path: string): readonly LoadedRow[] {
  // One that Cursor has just made.
  if (database.rows("select name from sqlite_master where type = 'table'").length === 0) return [];
  const text = database.rows("select value from meta where key = '0'")[0]?.['value'];
  if (text === undefined) return [];
  const meta = metaOf(database);
  const rootId = stringAt(meta, 'latestRootBlobId');
  // A chat in which nothing was said yet.
  if (isObject(meta) && (rootId === undefined || rootId === '')) return [];
  const root = rootId === undefined ? undefined : blobOf(database, rootId);
  if (!isObject(meta) || root === undefined)
    throw new SessionFsError(
      'unreadable',
      `${path}: its root is missing`,
      'open it in cursor-agent, or delete it there',
    );
  return rowsOf(database, meta, new Fields(root));
}

function metaOf(database: Snapshot): unknown {
  return jsonOf(database.rows("select value from meta where key = '0'")[0]?.['value']);
}

/** Numbers of the root's fields (`agent.v1.ConversationStateStructure`). */
export const root = { messages: 1, turns: 8, workspaces: 9, mode: 10, archives: 13, timings: 14 } as const;

/** The number of a prompt's own time, in milliseconds (3.22). */
export const promptTime = 25;

function rowsOf(database: Snapshot, meta: Record<string, unknown>, fields: Fields): LoadedRow[] {
  const archived = fields.get(root.archives).bytes.flatMap((id) => {
    const archive = blobOf(database, hexOf(id));
    return archive === undefined ? [] : new Fields(archive).get(1).bytes;
  });
  const sent = fields.get(root.messages).bytes.map((id) => ({ id, message: messageOf(database, id) }));
  const history = [
    ...archived.map((id) => ({ id, message: messageOf(database, id) })),
    ...sent.filter(({ message }) => !isSummary(message)),
  ].filter(({ message }) => stringAt(message, 'role') !== 'system');
  const times = timesOf(
    database,
    history.map(({ message }) => message),
    fields,
  );
  const rows: LoadedRow[] = [];
  let last: string | null = null;
  for (const [index, { id, message }] of history.entries()) {
    const said = chainId(last, message ?? hexOf(id));
    const { at, stated } = times[index] ?? nowhere;
    if (isContext(message)) rows.push(messageRow(said, { after: last, at, context: true, message }));
    else {
      rows.push(messageRow(said, { after: last, at, stated, message }));
      last = said;
    }
    // What the model is sent in place of all that was archived.
    if (index === archived.length - 1 && last !== null)
      for (const { message: summary } of sent) {
        if (!isSummary(summary)) continue;
        rows.push(messageRow(chainId(last, summary), { after: last, at, summary: true, message: summary }));
      }
  }
  const [workspace] = fields.get(root.workspaces).bytes;
  const folder = workspace === undefined ? undefined : pathOfUri(new TextDecoder().decode(workspace));
  return [aboutRow(meta, folder, last), ...rows];
}

/** The record of the chat itself, from the JSON of its `meta` row: `last` is the message it ends with. */
export function aboutRow(meta: Record<string, unknown>, folder: string | undefined, last: string | null): LoadedRow {
  const { blobEncryptionKey: _key, latestRootBlobId: _root, ...store } = meta;
  return row('store', { store, folder, last });
}

/** The record of one message. What is `undefined` or `false` is not in it. */
export function messageRow(
  said: string,
  place: {
    readonly after: string | null;
    readonly at: string | undefined;
    /** Is `at` the message's own time? */
    readonly stated?: boolean;
    readonly summary?: true;
    readonly context?: true;
    readonly message: unknown;
  },
): LoadedRow {
  return row(said, { said, ...place, stated: place.stated || undefined });
}

function row(key: string, record: Record<string, unknown>): LoadedRow {
  // Of record, message and part; what a call was given keeps its order.
  return { key, stamp: '-', record: inOrder(record, 3) };
}

/** The value with the fields of its objects in one order, whichever Cursor wrote them in, so many levels down. */
function inOrder(value: unknown, levels: number): unknown {
  if (Array.isArray(value)) return value.map((item) => inOrder(item, levels));
  if (!isObject(value) || levels === 0) return value;
  const fields = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort();
  return Object.fromEntries(fields.map((key) => [key, inOrder(value[key], levels - 1)]));
}

/** The id of a message behind another one (`null`: the first). */
export function chainId(before: string | null, said: unknown): string {
  const what = isObject(said) ? { role: said['role'], content: said['content'] } : said;
  return sha256Hex(`${before ?? ''}\n${canonicalJson(what)}`).slice(0, 32);
}

function isSummary(message: unknown): boolean {
  return objectAt(objectAt(message, 'providerOptions'), 'cursor')?.['isSummary'] === true;
}

/**
 * Is it what Cursor tells the model beside the conversation (`<user_info>…`)? It is told anew behind a summary, so what is said
 * does not hang on it.
 */
function isContext(message: unknown): boolean {
  if (stringAt(message, 'role') !== 'user' || isPrompt(message) || isSummary(message)) return false;
  const texts = partsOf(message).map((part) => stringAt(part, 'text') ?? '');
  return texts.length > 0 && texts.every((text) => /^\s*<[a-z_]+>/.test(text));
}

/** The parts of a message; one whose content is a text has one part. */
export function partsOf(message: unknown): readonly unknown[] {
  const text = stringAt(message, 'content');
  return text === undefined ? listAt(message, 'content') : [{ type: 'text', text }];
}

/** Is it a person's? The words are marked, among context that Cursor adds. */
export function isPrompt(message: unknown): boolean {
  return (
    stringAt(message, 'role') === 'user' && JSON.stringify(asObject(message)['content'] ?? '').includes('<user_query>')
  );
}

/** When a message was said; `stated`: Cursor says so of that message, else it is not before that. */
interface Time {
  readonly at: string | undefined;
  readonly stated: boolean;
}

const nowhere: Time = { at: undefined, stated: false };

/**
 * When each message was said. Turns are counted from the last prompt back; each but one that is under way has its end and how
 * long it took, in milliseconds. Since 3.22 prompts and answers have a time of their own.
 */
function timesOf(database: Snapshot, history: readonly unknown[], fields: Fields): Time[] {
  const turns = fields.get(root.turns).bytes;
  const begins = fields.get(root.timings).bytes.map((bytes) => {
    const timing = new Fields(bytes);
    return isoOf((timing.get(2).numbers[0] ?? 0) - (timing.get(1).numbers[0] ?? 0));
  });
  const prompts = history.filter(isPrompt).length;
  let index = turns.length - prompts - 1;
  let turn = turnAt(database, turns[index]);
  let at = begins[index];
  return history.map((message): Time => {
    const texts = textsIn(message);
    let own: string | undefined;
    if (isPrompt(message)) {
      index += 1;
      turn = turnAt(database, turns[index]);
      at = begins[index];
      own = turn.prompt;
    } else if (stringAt(message, 'role') === 'assistant' && texts > 0) {
      own = turn.answers[0];
      turn.answers.splice(0, texts);
    }
    at = own ?? at;
    return { at, stated: own !== undefined };
  });
}

function textsIn(message: unknown): number {
  return partsOf(message).filter((part) => stringAt(part, 'type') === 'text').length;
}

/** When the prompt of a turn was said, and each text of its answers; both `undefined` where nothing tells. */
function turnAt(
  database: Snapshot,
  id: Uint8Array | undefined,
): { readonly prompt: string | undefined; readonly answers: (string | undefined)[] } {
  const [agent] = fieldsOf(database, id).get(1).bytes;
  const turn = new Fields(agent ?? new Uint8Array());
  const prompt = isoOf(fieldsOf(database, turn.get(1).bytes[0]).get(promptTime).numbers[0]);
  const answers = turn.get(2).bytes.flatMap((step) => {
    const [said] = new Fields(assistantStep(database, step) ?? new Uint8Array()).get(1).bytes;
    return said === undefined ? [] : [isoOf(new Fields(said).get(2).numbers[0])];
  });
  return { prompt, answers };
}

/** A step that is text: only its first byte tells, and what calls gave is not read twice. */
function assistantStep(database: Snapshot, id: Uint8Array): Uint8Array | undefined {
  const data = database.rows("select data from blobs where id = ? and substr(data, 1, 1) = x'0a'", hexOf(id))[0]?.[
    'data'
  ];
  return data instanceof Uint8Array ? data : undefined;
}

function fieldsOf(database: Snapshot, id: Uint8Array | undefined): Fields {
  return new Fields((id === undefined ? undefined : blobOf(database, hexOf(id))) ?? new Uint8Array());
}

function messageOf(database: Snapshot, id: Uint8Array): Record<string, unknown> | undefined {
  const message = jsonOf(blobOf(database, hexOf(id)));
  return isObject(message) ? message : undefined;
}

function blobOf(database: Snapshot, id: string): Uint8Array | undefined {
  const data = database.rows('select data from blobs where id = ?', id)[0]?.['data'];
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data instanceof Uint8Array ? data : undefined;
}

function hexOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
