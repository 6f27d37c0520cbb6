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
 * another order. Without `message` its blob is missing.
 */

import { SessionFsError } from '../../errors.ts';
import type { Machine, Snapshot } from '../../io/machine.ts';
import { sha256Hex } from '../../model/ids.ts';
import { canonicalJson, isObject, listAt, objectAt, stringAt } from '../../model/json.ts';
import type { LoadedRow, SessionFacts, Source, SourceFile } from '../adapter.ts';
import { asObject, jsonOf, pathOfUri } from './native.ts';
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
  const info = machine.stat(path);
  const nativeId = folder.slice(folder.lastIndexOf('/') + 1);
  if (info?.kind !== 'file') return undefined;
  const log = machine.stat(`${path}-wal`);
  const lies = [info, log].map((one) => [one?.inode, one?.sizeBytes, one?.modifiedMs]);
  const file: SourceFile = {
    key: 'store',
    path: `${path}/${encodeURIComponent(nativeId)}`,
    kind: 'database',
    rows: {
      size: info.sizeBytes + (log?.sizeBytes ?? 0),
      modifiedMs: Math.max(info.modifiedMs, log?.modifiedMs ?? 0),
      version: Number.parseInt(machine.sha256(JSON.stringify(lies)).slice(0, 12), 16),
    },
  };
  return { nativeId, files: [file], facts: factsOf(jsonOf(machine.readText(`${folder}/meta.json`))) };
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
  const text = database.rows("select value from meta where key = '0'")[0]?.['value'];
  if (text === undefined) return [];
  const meta = typeof text === 'string' ? jsonOf(text) : undefined;
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

/** Numbers of the root's fields (`agent.v1.ConversationStateStructure`). */
const root = { messages: 1, turns: 8, workspaces: 9, archives: 13, timings: 14 } as const;

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
    history.map(({ message }) => message),
    fields,
  );
  const rows: LoadedRow[] = [];
  let last: string | null = null;
  for (const [index, { id, message }] of history.entries()) {
    const said = chainId(last, message ?? hexOf(id));
    const at = times[index];
    const place = { said, after: last, ...(at === undefined ? {} : { at }) };
    if (isContext(message)) rows.push(row(said, { ...place, context: true, message }));
    else {
      rows.push(row(said, { ...place, ...(message === undefined ? {} : { message }) }));
      last = said;
    }
    // What the model is sent in place of all that was archived.
    if (index === archived.length - 1 && last !== null)
      for (const { message: summary } of sent) if (isSummary(summary)) rows.push(summaryRow(summary, last, at));
  }
  const { blobEncryptionKey: _key, latestRootBlobId: _root, ...about } = meta;
  const [workspace] = fields.get(root.workspaces).bytes;
  const folder = workspace === undefined ? undefined : pathOfUri(new TextDecoder().decode(workspace));
  return [row('store', { store: about, ...(folder === undefined ? {} : { folder }), last }), ...rows];
}

function summaryRow(message: unknown, after: string, at: string | undefined): LoadedRow {
  const said = chainId(after, message);
  return row(said, { said, after, ...(at === undefined ? {} : { at }), summary: true, message });
}

function row(key: string, record: Record<string, unknown>): LoadedRow {
  // In one order, whichever Cursor wrote its fields in.
  return { key, stamp: '-', record: JSON.parse(canonicalJson(record)) as unknown };
}

function chainId(before: string | null, said: unknown): string {
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

/**
 * When each message was said: the begin of its turn. Turns are counted from the last prompt back; each but one that is under
 * way has its end and how long it took, in milliseconds.
 */
function timesOf(history: readonly unknown[], fields: Fields): (string | undefined)[] {
  const begins = fields.get(root.timings).bytes.map((bytes) => {
    const timing = new Fields(bytes);
    const ms = (timing.get(2).numbers[0] ?? 0) - (timing.get(1).numbers[0] ?? 0);
    return ms < 1e12 || ms > 253_402_300_799_999 ? undefined : new Date(ms).toISOString();
  });
  const prompts = history.filter(isPrompt).length;
  let turn = fields.get(root.turns).bytes.length - prompts - 1;
  return history.map((message) => {
    if (isPrompt(message)) turn += 1;
    return begins[turn];
  });
}

function messageOf(database: Snapshot, id: Uint8Array): Record<string, unknown> | undefined {
  const message = jsonOf(blobOf(database, hexOf(id)));
  return isObject(message) ? message : undefined;
}

function blobOf(database: Snapshot, id: string): Uint8Array | undefined {
  const data = database.rows('select data from blobs where id = ?', id)[0]?.['data'];
  return data instanceof Uint8Array ? data : undefined;
}

function hexOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
