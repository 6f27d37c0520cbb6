/**
 * The chats of the global database, as far as indexes tell: only these are read of a large table, the keys of chats and messages
 * with their row ids, which change when a row is written again.
 */

import type { Snapshot } from '../../io/machine.ts';
import { listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import { item, tablesOf, unknownTables, valueOf } from './databases.ts';
import { asObject, headersOf, jsonOf, pathOfUri, startedBy, underWayUntil } from './native.ts';

/** One chat of the global database. */
export interface Entry {
  readonly id: string;
  readonly head: unknown;
  /** All of it, where nothing smaller tells of it. */
  readonly chat: unknown;
  readonly workspace: string | undefined;
  readonly project: string | undefined;
  readonly parent: string | undefined;
  readonly messages: number;
  readonly modifiedMs: number;
  readonly stamp: readonly unknown[];
  /** What its work holds back is read when that is over, though no row changes. */
  readonly underWayUntil: number;
}

/** So many of the chats that were written last are looked at closer: their rows may grow in place. */
const closerLook = 4;

/** Each chat with the row ids of its messages: for these SQLite asks the index alone. */
const chatsWithMessages = `
  select substr(chat.key, 14) as id, chat.rowid as row, octet_length(chat.value) as size,
    (select count(*) || ' ' || sum(message.rowid) || ' ' || max(message.rowid) from cursorDiskKV message
     where message.key >= 'bubbleId:' || substr(chat.key, 14) || ':' and message.key < 'bubbleId:' || substr(chat.key, 14) || ';'
    ) as messages
  from cursorDiskKV chat where chat.key >= 'composerData:' and chat.key < 'composerData;' and chat.value is not null`;

/** Every chat, without drafts and those in which nothing was said. Throws `unreadable` for another schema. */
export function entriesIn(database: Snapshot, path: string): Entry[] {
  const tables = tablesOf(database);
  if (!tables.has('cursorDiskKV')) {
    // Cursor has just made it, or is one from before there were chats in it.
    if (tables.size === 0 || tables.has('ItemTable')) return [];
    throw unknownTables(path, 'cursorDiskKV');
  }
  const heads = headsIn(database, tables);
  const projects = tables.has('ItemTable') ? projectsIn(database) : new Map<string, string>();
  const rows = database.rows(chatsWithMessages).map(({ id, row, size, messages }) => {
    const [count = 0, , newest = 0] = typeof messages === 'string' ? messages.split(' ').map(Number) : [];
    return { id: String(id), count, newest, stamp: [row, size, messages] };
  });
  const recent = rows.map(({ newest }) => newest).toSorted((a, b) => b - a)[closerLook - 1] ?? 0;
  return rows.flatMap(({ id, count, newest, stamp }): Entry[] => {
    const head = heads.get(id);
    const isRecent = count > 0 && newest >= recent;
    const isRead = head === undefined || count === 0 || isRecent;
    const chat = isRead ? jsonOf(valueOf(database, `composerData:${id}`)) : undefined;
    const messages = count === 0 ? headersOf(chat).length : count;
    if (id === 'empty-state-draft' || (messages === 0 && chat !== undefined)) return [];
    return [
      {
        id,
        head: head?.value,
        chat: head === undefined ? withoutBulk(chat) : undefined,
        workspace: head?.workspace ?? stringAt(objectAt(chat, 'workspaceIdentifier'), 'id'),
        project: projects.get(id),
        parent: (startedBy(head?.value) ?? startedBy(chat))?.parent,
        messages,
        modifiedMs:
          numberAt(head?.value, 'lastUpdatedAt') ?? numberAt(chat, 'lastUpdatedAt') ?? numberAt(chat, 'createdAt') ?? 0,
        stamp: [stamp, head?.stamp, isRecent ? [chat, sizesOf(database, id)] : null],
        underWayUntil: underWayUntil(chat),
      },
    ];
  });
}

function withoutBulk(chat: unknown): unknown {
  const { workspaceIdentifier, trackedGitRepos } = asObject(chat);
  return { workspaceIdentifier, trackedGitRepos };
}

function sizesOf(database: Snapshot, id: string): unknown {
  return database.rows(
    'select sum(octet_length(value)) as sum from cursorDiskKV where key >= ? and key < ?',
    `bubbleId:${id}:`,
    `bubbleId:${id};`,
  )[0]?.['sum'];
}

interface Head {
  readonly value: unknown;
  readonly workspace: string | undefined;
  /** What of it changes when the chat does. */
  readonly stamp: unknown;
}

/** What the index of chats says: a table since about 3.9, before that one value, which lists recent ones only. */
function headsIn(database: Snapshot, tables: ReadonlySet<string>): Map<string, Head> {
  const heads = new Map<string, Head>();
  for (const value of tables.has('ItemTable')
    ? listAt(jsonOf(item(database, 'composer.composerHeaders')), 'allComposers')
    : []) {
    const id = stringAt(value, 'composerId');
    if (id === undefined) continue;
    const workspace = stringAt(objectAt(value, 'workspaceIdentifier'), 'id');
    heads.set(id, { value, workspace, stamp: numberAt(value, 'lastUpdatedAt') });
  }
  if (!tables.has('composerHeaders')) return heads;
  for (const { composerId, workspaceId, lastUpdatedAt, checkpointAt, recency, value } of database.rows(
    'select * from composerHeaders',
  )) {
    if (typeof composerId !== 'string') continue;
    const workspace = typeof workspaceId === 'string' ? workspaceId : undefined;
    heads.set(composerId, { value: jsonOf(value), workspace, stamp: [lastUpdatedAt, checkpointAt, recency] });
  }
  return heads;
}

/** The folder of each chat that belongs to a project of the agents' window. */
function projectsIn(database: Snapshot): Map<string, string> {
  const folders = new Map<string, string>();
  const projects = jsonOf(item(database, 'glass.localAgentProjects.v1'));
  for (const project of Array.isArray(projects) ? projects : []) {
    const folder = pathOfUri(objectAt(project, 'workspace')?.['uri']);
    const id = stringAt(project, 'id');
    if (id !== undefined && folder !== undefined) folders.set(id, folder);
  }
  return new Map(
    Object.entries(asObject(jsonOf(item(database, 'glass.localAgentProjectMembership.v1')))).flatMap(
      ([chat, project]) => {
        const folder = typeof project === 'string' ? folders.get(project) : undefined;
        return folder === undefined ? [] : [[chat, folder] as const];
      },
    ),
  );
}
