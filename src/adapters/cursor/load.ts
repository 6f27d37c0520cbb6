/**
 * The rows of a chat, in reading order. Each becomes one record:
 *
 *     {"chat":{"composerId":"…","name":"…","status":"completed",…},"last":"0000…314"}
 *     {"bubble":"0000…311","after":null,"header":{"bubbleId":"0000…311","type":1},"value":{"type":1,"text":"…",…}}
 *     {"bubble":"0000…218","after":"0000…215","header":{…}}
 *     {"bubble":"0000…217","after":null,"orphan":true,"value":{…}}
 *
 * `last` is where the conversation ends, `after` the message before this one. Without `value` the row of the message is gone
 * (`"unreadable":true`: it is there and no JSON). An `orphan` is in no list: Cursor keeps the last 1,000 messages in the list
 * of a chat and leaves the rows of older ones.
 */

import { SessionFsError } from '../../errors.ts';
import type { Machine, Snapshot } from '../../io/machine.ts';
import { isObject, listAt, stringAt } from '../../model/json.ts';
import type { LoadedRow, SourceFile } from '../adapter.ts';
import { tablesOf, valueOf } from './databases.ts';
import { placeOf } from './discover.ts';
import { imagesOf } from './images.ts';
import { loadStore } from './stores.ts';
import { tabsKey } from './workspaces.ts';
import { chatWithoutMessages, headersOf, isRunning, jsonOf, underWayUntil } from './native.ts';
import type { Header } from './native.ts';

/** From so many messages on Cursor cuts the list of a chat (it keeps 1,000, less what comes before a person's message). */
const cutFrom = 900;
/** So many of the last messages are read whatever their stamp: they may change in place. */
const readAlways = 30;
/** Rows that one query asks for. */
const batchSize = 200;

/** The rows of one chat; the contract's `load`. */
export function load(
  machine: Machine,
  file: SourceFile,
  stampOf: (key: string) => string | undefined,
): readonly LoadedRow[] {
  const { database, id } = placeOf(file.path);
  if (file.key === 'store') return machine.snapshot(database, (rows) => loadStore(rows, database));
  return machine.snapshot(database, (rows) => {
    const tables = tablesOf(rows);
    const chat = tables.has('cursorDiskKV') ? loadChat(machine, rows, file.path, id, stampOf) : undefined;
    return chat ?? (tables.has('ItemTable') ? loadTab(machine, rows, id) : []);
  });
}

/** A chat of 2023 stands whole in one value of its workspace. */
function loadTab(machine: Machine, database: Snapshot, id: string): readonly LoadedRow[] {
  const value = database.rows('select value from ItemTable where key = ?', tabsKey)[0]?.['value'];
  const tab = listAt(jsonOf(value), 'tabs').find((one) => stringAt(one, 'tabId') === id);
  return isObject(tab) ? rowsOf(machine, tab, headersOf(tab), new Map(), () => undefined) : [];
}

/** `undefined`: there is no such chat. */
function loadChat(
  machine: Machine,
  database: Snapshot,
  path: string,
  id: string,
  stampOf: (key: string) => string | undefined,
): readonly LoadedRow[] | undefined {
  const value = valueOf(database, `composerData:${id}`);
  if (value === undefined || value === null) return undefined;
  const chat = jsonOf(value);
  if (!isObject(chat))
    throw new SessionFsError(
      'unreadable',
      `${path} is no chat: its row is no JSON object`,
      'open it in Cursor, or delete it there',
    );
  const prefix = `bubbleId:${id}:`;
  const rows = database.rows(
    'select key, rowid as row from cursorDiskKV where key >= ? and key < ?',
    prefix,
    `bubbleId:${id};`,
  );
  const stamps = new Map(rows.map(({ key, row }) => [String(key).slice(prefix.length), String(row)]));
  const headers = headersOf(chat);
  const wanted = headers.filter(
    ({ bubbleId }, index) =>
      stamps.has(bubbleId) && (index >= headers.length - readAlways || stampOf(bubbleId) !== stamps.get(bubbleId)),
  );
  const listed = new Set(headers.map(({ bubbleId }) => bubbleId));
  const orphans =
    headers.length < cutFrom
      ? []
      : [...stamps.keys()].filter((bubble) => !listed.has(bubble) && stampOf(bubble) !== stamps.get(bubble));
  const values = valuesOf(database, prefix, [...wanted.map(({ bubbleId }) => bubbleId), ...orphans]);
  const stamp = (bubble: string): string | undefined => stamps.get(bubble);
  return [
    ...orphanRows(machine, orphans, values, stamp),
    ...rowsOf(machine, chat, headers, values, stamp, orphans.length > 0 ? lastOf(orphans, values) : null),
  ];
}

function valuesOf(database: Snapshot, prefix: string, ids: readonly string[]): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (let from = 0; from < ids.length; from += batchSize) {
    const batch = ids.slice(from, from + batchSize);
    const found = database.rows(
      `select key, value from cursorDiskKV where key in (${batch.map(() => '?').join(', ')})`,
      ...batch.map((id) => prefix + id),
    );
    for (const { key, value } of found) values.set(String(key).slice(prefix.length), value);
  }
  return values;
}

function rowsOf(
  machine: Machine,
  chat: Record<string, unknown>,
  headers: readonly Header[],
  values: ReadonlyMap<string, unknown>,
  stamp: (bubble: string) => string | undefined,
  before: string | null = null,
): LoadedRow[] {
  const isLive = machine.now().getTime() < underWayUntil(chat);
  const rows: LoadedRow[] = [];
  let last = before;
  for (const [index, { bubbleId, rest, inline }] of headers.entries()) {
    const value = values.get(bubbleId);
    const isThere = inline !== undefined || stamp(bubbleId) !== undefined;
    // Its row is written after the list that names it.
    if (!isThere && isLive && headers.slice(index).every((later) => stamp(later.bubbleId) === undefined)) break;
    const bubble = inline ?? jsonOf(value);
    if (inline !== undefined || values.has(bubbleId) || !isThere)
      rows.push(rowOf(machine, bubbleId, last, rest, bubble, value, stamp(bubbleId)));
    last = bubbleId;
    // What comes after a call hangs on its result.
    if (isLive && isRunning(bubble)) break;
  }
  return [{ key: 'chat', stamp: '-', record: { chat: chatWithoutMessages(chat), last } }, ...rows];
}

function rowOf(
  machine: Machine,
  bubbleId: string,
  after: string | null,
  header: Record<string, unknown>,
  bubble: unknown,
  value: unknown,
  stamp: string | undefined,
): LoadedRow {
  const said = isObject(bubble)
    ? saidBy(machine, bubble)
    : value === undefined || value === null
      ? {}
      : { unreadable: true };
  return { key: bubbleId, stamp: stamp ?? '-', record: { bubble: bubbleId, after, header, ...said } };
}

/** A message without the model's side of the conversation, and the pictures it names. */
function saidBy(machine: Machine, { conversationState: _state, ...bubble }: Record<string, unknown>): object {
  return { value: bubble, ...imagesOf(machine, bubble) };
}

/** Messages that are in no list any more, by their times. */
function orphanRows(
  machine: Machine,
  ids: readonly string[],
  values: ReadonlyMap<string, unknown>,
  stamp: (bubble: string) => string | undefined,
): LoadedRow[] {
  return byTime(ids, values).map((id, index, all): LoadedRow => {
    const bubble = jsonOf(values.get(id));
    const said = isObject(bubble) ? saidBy(machine, bubble) : {};
    return {
      key: id,
      stamp: stamp(id) ?? '-',
      record: { bubble: id, after: all[index - 1] ?? null, header: {}, orphan: true, ...said },
    };
  });
}

function lastOf(ids: readonly string[], values: ReadonlyMap<string, unknown>): string | null {
  return byTime(ids, values).at(-1) ?? null;
}

function byTime(ids: readonly string[], values: ReadonlyMap<string, unknown>): string[] {
  const timeOf = (id: string): string => stringAt(jsonOf(values.get(id)), 'createdAt') ?? '';
  return ids
    .map((id) => [timeOf(id), id] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([, id]) => id);
}
