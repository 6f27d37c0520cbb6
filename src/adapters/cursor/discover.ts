/**
 * Finds chats: in the one global database, and the oldest kind in the database of each workspace. Only indexes are read of a
 * large table: the keys of chats and messages with their row ids, which change when a row is written again.
 */

import { SessionFsError } from '../../errors.ts';
import type { Machine, Snapshot } from '../../io/machine.ts';
import { listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import type { Problem, RowsInfo, SessionFacts, Source, SourceFile } from '../adapter.ts';
import { asObject, folderOf, headersOf, jsonOf, pathOfUri, startedBy, underWayUntil } from './native.ts';
import { copiedStore, storeAt, storesIn } from './stores.ts';
import { transcriptAt, transcriptOf, transcriptsIn } from './transcripts.ts';
import { dotFolderOf } from './user-folder.ts';

/** The key of a workspace's database under which the chats of 2023 stand. */
export const tabsKey = 'workbench.panel.aichat.view.aichat.chatdata';

/** Every chat of a `User` folder. */
export function* discover(machine: Machine, home: string, problem: Problem): Iterable<Source> {
  const folder = home.replaceAll('\\', '/');
  const workspaces = workspacesIn(machine, folder, problem);
  const database = `${folder}/globalStorage/state.vscdb`;
  const isThere = machine.stat(database) !== undefined;
  const entries = isThere ? readable(problem, database, () => remembered(machine, database, entriesIn)) : undefined;
  const chats = chatsOf(machine, database, entries ?? [], workspaces);
  const tabs = workspaces.flatMap((one) => one.tabs.map((tab): Chat => ({ ...tab, database: one.database })));
  yield* sourcesOf(chats, tabs);
  const byId = new Set(chats.map(({ id }) => id));
  const dotFolder = dotFolderOf(machine, folder);
  if (dotFolder === undefined) return;
  const stores = readable(problem, dotFolder, () => [...storesIn(machine, dotFolder)]) ?? [];
  yield* stores;
  const known = new Set([...byId, ...stores.map(({ nativeId }) => nativeId)]);
  const folders = workspaces.flatMap((workspace) => workspace.folder ?? []);
  const transcripts = readable(problem, dotFolder, () => [...transcriptsIn(machine, dotFolder, folders)]) ?? [];
  for (const source of transcripts) if (!known.has(source.nativeId)) yield source;
}

/** Each chat with its sub-agents; a chat of 2023 where it was not taken over into the global database. */
function* sourcesOf(chats: readonly Chat[], tabs: readonly Chat[]): Iterable<Source> {
  const byId = new Map(chats.map((chat) => [chat.id, chat]));
  const below = Map.groupBy(chats, (chat) => rootOf(chat, byId));
  for (const [root, family] of below) yield sourceOf(root, family);
  for (const tab of tabs) if (!byId.has(tab.id)) yield sourceOf(tab, []);
}

/** The chat whose rows a path names, or whose transcript lies there. */
export function sourceAt(machine: Machine, path: string, problem: Problem): Source | undefined {
  const plain = path.replaceAll('\\', '/');
  const store = /^(.*\/(?:chats\/[^/]+|acp-sessions)\/[^/]+)\/(?:meta\.json|store\.db(?:-\w+|\/[^/]+)?)$/.exec(
    plain,
  )?.[1];
  if (store !== undefined) return storeAt(machine, store);
  const home = /^(.*)\/(?:globalStorage|workspaceStorage\/[^/]+)\/state\.vscdb\/[^/]+$/.exec(plain)?.[1];
  const database = plain.slice(0, plain.lastIndexOf('/'));
  if (home === undefined && machine.stat(database)?.kind !== 'file') return transcriptAt(machine, plain);
  for (const source of home === undefined ? sourcesIn(machine, database, problem) : discover(machine, home, problem))
    if (source.files.some((file) => file.path === plain)) return source;
  return undefined;
}

/** Every chat of one database, wherever a copy of it lies. Of its workspaces nothing is known then. */
export function sourcesIn(machine: Machine, path: string, problem: Problem): readonly Source[] {
  const database = path.replaceAll('\\', '/');
  const store = sourceAt(machine, database, problem);
  if (store !== undefined) return [store];
  const head = Buffer.from(machine.readHead(database, 16)).toString('latin1');
  if (head !== 'SQLite format 3\0' && !/(?:\.vscdb|\/store\.db)$/.test(database)) return [];
  return (
    readable(problem, database, () =>
      machine.snapshot(database, (rows) => {
        const tables = tablesOf(rows);
        if (tables.has('blobs') && tables.has('meta')) return copiedStore(machine, rows, database);
        if (!tables.has('ItemTable') && !tables.has('cursorDiskKV')) return [];
        const chats = chatsOf(machine, database, entriesIn(rows, database), []);
        const tabs = tables.has('ItemTable') ? itemsIn(rows, database).tabs : [];
        const others = tabs.map((tab): Chat => ({ ...tabOf(machine, tab, undefined), database }));
        return [...sourcesOf(chats, others)];
      }),
    ) ?? []
  );
}

/** `main` is the chat itself, `agent-…` a sub-agent's, `transcript…` what was written of either; all are kept as lines. */
export function fileOf(_nativeId: string, key: string, path: string): Pick<SourceFile, 'kind' | 'agentId'> | undefined {
  if (key === 'main' || key === 'store') return { kind: 'log' };
  return key.startsWith('agent-') ? { kind: 'log', agentId: placeOf(path).id } : transcriptOf(key);
}

/** The database and the chat of a file's path. */
export function placeOf(path: string): { readonly database: string; readonly id: string } {
  const at = path.lastIndexOf('/');
  return { database: path.slice(0, at), id: decodeURIComponent(path.slice(at + 1)) };
}

/** One chat as far as indexes tell. */
interface Chat {
  readonly id: string;
  readonly database: string;
  readonly rows: RowsInfo;
  readonly parent: string | undefined;
  readonly facts: SessionFacts;
}

/** The chat that a sub-agent's belongs to, in the end; itself for any other, and where the one it belongs to is gone. */
function rootOf(chat: Chat, byId: ReadonlyMap<string, Chat>): Chat {
  let root = chat;
  const seen = new Set<string>();
  for (let at: Chat | undefined = chat; at !== undefined && !seen.has(at.id); at = byId.get(at.parent ?? '')) {
    seen.add(at.id);
    root = at;
  }
  return root;
}

function sourceOf(chat: Chat, family: readonly Chat[]): Source {
  const files = [chat, ...family.filter(({ id }) => id !== chat.id)].map(({ id, database, rows }): SourceFile => ({
    key: id === chat.id ? 'main' : `agent-${id.replaceAll(/[^A-Za-z0-9.-]/g, (other) => `_${other.codePointAt(0)}`)}`,
    path: `${database}/${encodeURIComponent(id)}`,
    kind: 'database',
    rows,
    ...(id === chat.id ? {} : { agentId: id }),
  }));
  return { nativeId: chat.id, files, facts: chat.facts };
}

/** What a workspace's own folder tells. */
interface Workspace {
  readonly id: string;
  readonly database: string;
  readonly folder: string | undefined;
  /** Chats its window had. */
  readonly chats: readonly string[];
  /** Chats of 2023, which lie here. */
  readonly tabs: readonly Omit<Chat, 'database'>[];
}

function workspacesIn(machine: Machine, home: string, problem: Problem): Workspace[] {
  const folder = `${home}/workspaceStorage`;
  return machine.list(folder).flatMap(({ name, kind }) => {
    if (kind !== 'directory') return [];
    const database = `${folder}/${name}/state.vscdb`;
    const listed = `${folder}/${name}/workspace.json`;
    const place = workspaceFolder(jsonOf(readable(problem, listed, () => machine.readText(listed))));
    const items =
      machine.stat(database) === undefined
        ? undefined
        : readable(problem, database, () => remembered(machine, database, itemsIn));
    return [
      {
        id: name,
        database,
        folder: place,
        chats: items?.chats ?? [],
        tabs: (items?.tabs ?? []).map((tab) => tabOf(machine, tab, place)),
      },
    ];
  });
}

/** `{"folder":"file:///home/me/project"}`, or the file that lists several: then the folder it lies in. */
function workspaceFolder(value: unknown): string | undefined {
  const listed = pathOfUri(stringAt(value, 'workspace'));
  return pathOfUri(stringAt(value, 'folder')) ?? listed?.slice(0, Math.max(1, listed.lastIndexOf('/')));
}

interface Items {
  readonly chats: readonly string[];
  readonly tabs: readonly unknown[];
}

const panes = 'workbench.panel.composerChatViewPane';
const paneChat = 'workbench.panel.aichat.view.';

function itemsIn(database: Snapshot, path: string): Items {
  if (!tablesOf(database).has('ItemTable')) throw unknownTables(path, 'ItemTable');
  const composers = jsonOf(item(database, 'composer.composerData'));
  const shown = database
    .rows('select value from ItemTable where key >= ? and key < ?', panes, `${panes}~`)
    .flatMap(({ value }) => Object.keys(asObject(jsonOf(value))))
    .flatMap((key) => (key.startsWith(paneChat) ? [key.slice(paneChat.length)] : []));
  const listed = listAt(composers, 'allComposers').flatMap((head) => stringAt(head, 'composerId') ?? []);
  const selected = listAt(composers, 'selectedComposerIds').filter((id) => typeof id === 'string');
  return { chats: [...listed, ...selected, ...shown], tabs: listAt(jsonOf(item(database, tabsKey)), 'tabs') };
}

function tabOf(machine: Machine, tab: unknown, folder: string | undefined): Omit<Chat, 'database'> {
  const title = stringAt(tab, 'chatTitle');
  return {
    id: stringAt(tab, 'tabId') ?? '',
    rows: {
      size: listAt(tab, 'bubbles').length,
      modifiedMs: numberAt(tab, 'lastSendTime') ?? 0,
      version: versionOf(machine, tab),
    },
    parent: undefined,
    facts: factsOf(title, folder),
  };
}

function chatsOf(
  machine: Machine,
  database: string,
  entries: readonly Entry[],
  workspaces: readonly Workspace[],
): Chat[] {
  const folders = new Map(workspaces.map(({ id, folder }) => [id, folder]));
  const windows = new Map(workspaces.flatMap(({ chats, folder }) => chats.map((id) => [id, folder])));
  return entries.map((entry): Chat => {
    const folder =
      folderOf(entry.head) ??
      folderOf(entry.chat) ??
      entry.project ??
      folders.get(entry.workspace ?? '') ??
      windows.get(entry.id);
    const title = stringAt(entry.head, 'name') ?? stringAt(entry.head, 'subtitle');
    return {
      id: entry.id,
      database,
      rows: {
        size: entry.messages,
        modifiedMs: entry.modifiedMs,
        version: versionOf(machine, [entry.stamp, machine.now().getTime() < entry.underWayUntil]),
      },
      parent: entry.parent,
      facts: factsOf(title, folder),
    };
  });
}

function factsOf(title: string | undefined, folder: string | undefined): SessionFacts {
  return {
    ...(title === undefined || title.trim() === '' ? {} : { title: { text: title, by: 'model' } }),
    ...(folder === undefined ? {} : { cwd: folder }),
  };
}

/** One chat of the global database. */
interface Entry {
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

function entriesIn(database: Snapshot, path: string): Entry[] {
  const tables = tablesOf(database);
  if (!tables.has('cursorDiskKV')) {
    // Cursor has just made it, or is one from before there were chats in it.
    if (tables.size === 0 || tables.has('ItemTable')) return [];
    throw unknownTables(path, 'cursorDiskKV');
  }
  const heads = headsIn(database, tables);
  const projects = projectsIn(database);
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

/** The names of a database's tables. */
export function tablesOf(database: Snapshot): ReadonlySet<string> {
  return new Set(database.rows("select name from sqlite_master where type = 'table'").map(({ name }) => String(name)));
}

function item(database: Snapshot, key: string): unknown {
  return database.rows('select value from ItemTable where key = ?', key)[0]?.['value'];
}

/** A value of the key-value table. */
export function valueOf(database: Snapshot, key: string): unknown {
  return database.rows('select value from cursorDiskKV where key = ?', key)[0]?.['value'];
}

function unknownTables(path: string, name: string): SessionFsError {
  return new SessionFsError(
    'unreadable',
    `cannot read ${path}: it has no table ${name}; its schema is another than that of Cursor 0.3 to 3.23`,
    'update SessionFS: npm install -g sessionfs@latest',
  );
}

/** 48 bits of the hash of what is told. */
function versionOf(machine: Machine, value: unknown): number {
  return Number.parseInt(machine.sha256(JSON.stringify(value) ?? '').slice(0, 12), 16);
}

/** What `read` gives; a database that cannot be read is told and leaves the others alone. */
function readable<T>(problem: Problem, path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    problem(path, cause.message);
    return undefined;
  }
}

/** So long after the last write a file's time tells one state of it from the next. */
const settledMs = 2000;

/** What was read of each database while it lies as it did, for as long as the machine is looked at. */
const memories = new WeakMap<Machine, Map<string, { readonly stamp: string; readonly value: unknown }>>();

function remembered<T>(machine: Machine, path: string, read: (database: Snapshot, path: string) => T): T {
  const lies = ['', '-wal'].map((end) => machine.stat(path + end));
  const stamp = lies.map((info) => `${info?.inode}.${info?.sizeBytes}.${info?.modifiedMs}`).join(' ');
  const memory = memories.get(machine) ?? new Map<string, { readonly stamp: string; readonly value: unknown }>();
  memories.set(machine, memory);
  const before = memory.get(path);
  // Each path is read by one function only.
  if (before?.stamp === stamp) return before.value as T;
  const value = machine.snapshot(path, (database) => read(database, path));
  const newestMs = Math.max(...lies.map((info) => info?.modifiedMs ?? 0));
  if (machine.now().getTime() - newestMs > settledMs) memory.set(path, { stamp, value });
  return value;
}
