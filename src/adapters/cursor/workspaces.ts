/** The editor's workspaces: the folder of each, the chats its window had, and chats of 2023, which lie in its database. */

import type { Machine, Snapshot } from '../../io/machine.ts';
import { listAt, numberAt, stringAt } from '../../model/json.ts';
import type { Problem, RowsInfo, SessionFacts } from '../adapter.ts';
import { item, readable, remembered, tablesOf, unknownTables } from './databases.ts';
import { asObject, jsonOf, pathOfUri } from './native.ts';

/** The key of a workspace's database under which the chats of 2023 stand. */
export const tabsKey = 'workbench.panel.aichat.view.aichat.chatdata';

/** One chat as far as indexes tell. */
export interface Chat {
  readonly id: string;
  readonly database: string;
  readonly rows: RowsInfo;
  readonly parent: string | undefined;
  readonly facts: SessionFacts;
}

/** What a workspace's own folder tells. */
export interface Workspace {
  readonly id: string;
  readonly database: string;
  readonly folder: string | undefined;
  /** Chats its window had. */
  readonly chats: readonly string[];
  /** Chats of 2023, which lie here. */
  readonly tabs: readonly Omit<Chat, 'database'>[];
}

/** Every workspace of a `User` folder. */
export function workspacesIn(machine: Machine, home: string, problem: Problem): Workspace[] {
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

/** What the database of a workspace tells: chats its window had, and chats of 2023. */
interface Items {
  readonly chats: readonly string[];
  readonly tabs: readonly unknown[];
}

const panes = 'workbench.panel.composerChatViewPane';
const paneChat = 'workbench.panel.aichat.view.';

/** Throws `unreadable` for another schema. */
export function itemsIn(database: Snapshot, path: string): Items {
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

/** A chat of 2023 as its database has it. */
export function tabOf(machine: Machine, tab: unknown, folder: string | undefined): Omit<Chat, 'database'> {
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

/** What the tool knows of a chat beside what was said. */
export function factsOf(title: string | undefined, folder: string | undefined): SessionFacts {
  return {
    ...(title === undefined || title.trim() === '' ? {} : { title: { text: title, by: 'model' } }),
    ...(folder === undefined ? {} : { cwd: folder }),
  };
}

/** 48 bits of the hash of what is told. */
export function versionOf(machine: Machine, value: unknown): number {
  return Number.parseInt(machine.sha256(JSON.stringify(value) ?? '').slice(0, 12), 16);
}
