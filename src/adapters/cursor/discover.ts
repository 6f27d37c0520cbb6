/** Finds chats: in the one global database, in those of workspaces, of the command line, and in transcripts. */

import type { Machine } from '../../io/machine.ts';
import { stringAt } from '../../model/json.ts';
import type { Problem, Source, SourceFile } from '../adapter.ts';
import { readable, remembered, tablesOf } from './databases.ts';
import { entriesIn } from './entries.ts';
import type { Entry } from './entries.ts';
import { folderOf } from './native.ts';
import { copiedStore, storeAt, storesIn } from './stores.ts';
import { transcriptAt, transcriptOf, transcriptsIn } from './transcripts.ts';
import { dotFolderOf } from './user-folder.ts';
import { factsOf, itemsIn, tabOf, versionOf, workspacesIn } from './workspaces.ts';
import type { Chat, Workspace } from './workspaces.ts';

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
