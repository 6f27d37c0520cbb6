/** Finds the sessions below a Codex home: which files make up which thread, what it goes on from, what it is called. */

import type { Problem, SessionFacts, Source, SourceFile } from '../adapter.ts';
import { messageOf } from '../../errors.ts';
import type { DirEntry, Machine } from '../../io/machine.ts';
import { readHeader } from './headers.ts';
import type { Origin } from './imports.ts';
import { importedThreads } from './imports.ts';
import { threadNames } from './names.ts';
import type { Header, HistoryBase, RolloutName } from './native.ts';
import { packedEnd, rolloutName } from './native.ts';

/** Folders below the home that hold rollouts. */
export const rolloutFolders = ['sessions', 'archived_sessions'] as const;

/** Every thread below `home`, with its segments, sub-agents and what it was forked from. One short read per thread. */
export function* discover(machine: Machine, home: string, problem: Problem): Generator<Source> {
  const survey = new Survey(machine, home, problem);
  const names = threadNames(machine, home);
  const origins = importedThreads(machine, home);
  const roots = new Map<string, string[]>();
  for (const threadId of survey.threads.keys()) {
    const root = survey.rootOf(threadId);
    if (root === undefined) continue;
    const members = roots.get(root);
    if (members === undefined) roots.set(root, [threadId]);
    else members.push(threadId);
  }
  for (const [root, members] of roots) yield survey.source(root, members, factsOf(names.get(root), origins.get(root)));
}

/** The thread a rollout file belongs to. Codex packs and unpacks its files, so one that is gone may be there in the other form. */
export function sourceAt(machine: Machine, named: string, problem: Problem): Source | undefined {
  const other = named.endsWith(packedEnd) ? named.slice(0, -packedEnd.length) : named + packedEnd;
  const path = machine.stat(named)?.kind === 'file' ? named : other;
  const place = /^(.*)[\\/](?:sessions|archived_sessions)[\\/](?:.*[\\/])?([^\\/]+)$/s.exec(path);
  const name = place?.[2] === undefined ? undefined : rolloutName(place[2]);
  const home = place?.[1];
  if (name === undefined || home === undefined || machine.stat(path)?.kind !== 'file') return undefined;
  const header = readHeader(machine, path, problem, 'place');
  if (header === undefined) return undefined;
  const assumed = header.sessionId ?? header.spawnedBy ?? header.threadId;
  // A sub-agent's file is never older than its root, whose id tells when it was made.
  const survey = new Survey(machine, home, problem, dayBefore(assumed));
  const root = survey.rootOf(name.threadId);
  if (root === undefined) return undefined;
  const members = [...survey.threads.keys()].filter((threadId) => survey.rootOf(threadId) === root);
  return survey.source(
    root,
    members,
    factsOf(threadNames(machine, home, root).get(root), importedThreads(machine, home).get(root)),
  );
}

/** What a captured rollout is: the thread in its name is the session's own or a sub-agent's. */
export function fileOf(nativeId: string, _key: string, path: string): Pick<SourceFile, 'kind' | 'agentId'> | undefined {
  const name = rolloutName(path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1));
  if (name === undefined) return undefined;
  return { kind: 'log', ...(name.threadId === nativeId ? {} : { agentId: name.threadId }) };
}

/** What Codex notes of a thread outside its files. */
function factsOf(name: string | undefined, parent: Origin | undefined): SessionFacts | undefined {
  if (name === undefined && parent === undefined) return undefined;
  return {
    ...(name === undefined ? {} : { title: { text: name, by: 'person' } }),
    ...(parent === undefined ? {} : { parent }),
  };
}

interface RolloutFile extends RolloutName {
  readonly path: string;
}

/** The rollouts of a home and what their first lines say, read when asked. */
class Survey {
  /** The files of each thread: the first one, then its segments in the order of their making. */
  readonly threads = new Map<string, RolloutFile[]>();
  readonly #machine: Machine;
  readonly #home: string;
  readonly #problem: Problem;
  readonly #headers = new Map<string, Header | undefined>();
  #everything: Map<string, RolloutFile> | undefined;

  /** `since`: leaves out day folders before this one (`2026/11/22`). */
  constructor(machine: Machine, home: string, problem: Problem, since?: string) {
    this.#machine = machine;
    this.#home = home;
    this.#problem = problem;
    const listed = this.#list(since, problem);
    if (since === undefined) this.#everything = listed;
    for (const file of listed.values()) {
      const files = this.threads.get(file.threadId);
      if (files === undefined) this.threads.set(file.threadId, [file]);
      else files.push(file);
    }
    for (const files of this.threads.values()) if (files.length > 1) files.sort(inOrder);
  }

  /** The thread whose session this one belongs to: its own, or that which started it. `undefined`: unreadable. */
  rootOf(threadId: string, depth = 0): string | undefined {
    const header = this.#header(threadId);
    if (header === undefined || depth > 32) return undefined;
    if (header.sessionId !== undefined) return header.sessionId;
    const parent = header.spawnedBy;
    return parent === undefined ? threadId : (this.rootOf(parent, depth + 1) ?? parent);
  }

  /** The source with this root: what it inherited, its own files, those of its sub-agents. */
  source(root: string, members: readonly string[], facts: SessionFacts | undefined): Source {
    const own = this.threads.get(root) ?? [];
    const agents = members.filter((threadId) => threadId !== root).sort();
    const files: SourceFile[] = [
      ...this.#inheritedBy(own[0]),
      ...own.map(logOf),
      ...agents.flatMap((agentId) =>
        (this.threads.get(agentId) ?? []).map((file): SourceFile => ({ ...logOf(file), agentId })),
      ),
    ];
    return { nativeId: root, files, ...(facts === undefined ? {} : { facts }) };
  }

  #header(threadId: string): Header | undefined {
    if (this.#headers.has(threadId)) return this.#headers.get(threadId);
    const file = this.threads.get(threadId)?.[0];
    const header = file === undefined ? undefined : readHeader(this.#machine, file.path, this.#problem, 'place');
    this.#headers.set(threadId, header);
    return header;
  }

  #inheritedBy(file: RolloutFile | undefined): SourceFile[] {
    if (file === undefined) return [];
    if (this.#header(file.threadId)?.forkedFrom === undefined && file.rolloutId === file.threadId) return [];
    const inherited: SourceFile[] = [];
    const seen = new Set([file.rolloutId]);
    let base: HistoryBase | undefined = readHeader(this.#machine, file.path, this.#problem, 'base')?.base;
    while (base !== undefined && !seen.has(base.rolloutId)) {
      seen.add(base.rolloutId);
      const from = this.#find(base.rolloutId);
      if (from === undefined) {
        this.#problem(file.path, `goes on from rollout ${base.rolloutId}, which is not there`);
        break;
      }
      inherited.unshift({ ...logOf(from), inherited: { bytes: base.endBytes } });
      base = readHeader(this.#machine, from.path, this.#problem, 'base')?.base;
    }
    return inherited;
  }

  #find(rolloutId: string): RolloutFile | undefined {
    this.#everything ??= this.#list(undefined, () => undefined);
    return this.#everything.get(rolloutId);
  }

  /** Rollouts by id. A plain file stands before a compressed one, `sessions/` before the archive. */
  #list(since: string | undefined, problem: Problem): Map<string, RolloutFile> {
    const found = new Map<string, RolloutFile>();
    const packed: RolloutFile[] = [];
    const take = (folder: string, entry: DirEntry): void => {
      const name = entry.kind === 'file' ? rolloutName(entry.name) : undefined;
      if (name === undefined) return;
      const file = { ...name, path: `${folder}/${entry.name}` };
      if (name.compressed) packed.push(file);
      else if (!found.has(name.rolloutId)) found.set(name.rolloutId, file);
    };
    for (const folder of rolloutFolders) walk(this.#machine, `${this.#home}/${folder}`, '', since, take, problem);
    for (const file of packed) if (!found.has(file.rolloutId)) found.set(file.rolloutId, file);
    return found;
  }
}

/** `year/month/day` folders and files beside them; no deeper, and through no link. */
function walk(
  machine: Machine,
  folder: string,
  day: string,
  since: string | undefined,
  take: (folder: string, entry: DirEntry) => void,
  problem: Problem,
): void {
  let entries: readonly DirEntry[];
  try {
    entries = machine.list(folder);
  } catch (cause) {
    problem(folder, messageOf(cause));
    return;
  }
  for (const entry of entries) {
    if (entry.kind !== 'directory') take(folder, entry);
    else if (/^\d{2,4}$/.test(entry.name) && day.length < 8) {
      const below = day === '' ? entry.name : `${day}/${entry.name}`;
      if (since !== undefined && below < since.slice(0, below.length)) continue;
      walk(machine, `${folder}/${entry.name}`, below, since, take, problem);
    }
  }
}

function logOf(file: RolloutFile): SourceFile {
  return { key: file.rolloutId, path: file.path, kind: 'log', ...(file.compressed ? { packed: 'zstd' } : {}) };
}

function inOrder(a: RolloutFile, b: RolloutFile): number {
  if (a.rolloutId === a.threadId) return -1;
  if (b.rolloutId === b.threadId) return 1;
  return a.stamp === b.stamp ? (a.rolloutId < b.rolloutId ? -1 : 1) : a.stamp < b.stamp ? -1 : 1;
}

/** The day folder before the one in which a thread with this id was made; `undefined` when the id does not tell. */
function dayBefore(threadId: string): string | undefined {
  if (threadId[14] !== '7') return undefined;
  const made = Number.parseInt(threadId.slice(0, 8) + threadId.slice(9, 13), 16);
  // Folders go by local time, the id by UTC: a day and a half is enough for any zone.
  return new Date(made - 36 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '/');
}
