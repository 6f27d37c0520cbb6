/** What Codex calls its threads, and where it keeps that. */

import type { DirEntry, Machine } from '../../io/machine.ts';
import { stringAt } from '../../model/json.ts';
import { readConfig } from './config.ts';

/** What Codex calls its threads: the state database, else (older threads) the last word of `session_index.jsonl`. */
export function threadNames(machine: Machine, home: string, only?: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const line of (readTextAt(machine, `${home}/session_index.jsonl`) ?? '').split('\n')) {
    if (line === '' || (only !== undefined && !line.includes(only))) continue;
    const entry = parseText(line);
    const id = stringAt(entry, 'id');
    const name = stringAt(entry, 'thread_name');
    if (id !== undefined && name !== undefined && name.trim() !== '') names.set(id, name);
  }
  const database = stateDatabase(machine, home);
  const rows =
    database === undefined
      ? undefined
      : only === undefined
        ? machine.query(database, "select id, name from threads where name is not null and name <> ''")
        : machine.query(database, "select id, name from threads where id = ? and name is not null and name <> ''", [
            only,
          ]);
  for (const row of rows ?? []) {
    const id = stringAt(row, 'id');
    const name = stringAt(row, 'name');
    if (id !== undefined && name !== undefined && name.trim() !== '') names.set(id, name);
  }
  return names;
}

/** The newest `state_<n>.sqlite`; `undefined` when there is none. */
export function stateDatabase(machine: Machine, home: string): string | undefined {
  const folder = readConfig(machine, home).databases;
  let newest = -1;
  for (const entry of listOf(machine, folder)) {
    const version = /^state_(\d{1,6})\.sqlite$/.exec(entry.name)?.[1];
    if (version !== undefined) newest = Math.max(newest, Number(version));
  }
  return newest < 0 ? undefined : `${folder}/state_${newest}.sqlite`;
}

function listOf(machine: Machine, folder: string): readonly DirEntry[] {
  try {
    return machine.list(folder);
  } catch {
    // Without the database sessions have no names; that is no reason to leave them out.
    return [];
  }
}

/** The text of a file beside the sessions; `undefined` when there is none, or it cannot be read. */
export function readTextAt(machine: Machine, path: string): string | undefined {
  try {
    return machine.readText(path);
  } catch {
    // As above: what is noted beside the sessions is no reason to leave them out.
    return undefined;
  }
}

/** The value of a text; `undefined` when it is no JSON. */
export function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A torn line, or a file being written; the others count.
    return undefined;
  }
}
