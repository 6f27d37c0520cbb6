/** Finds the sessions below Claude Code's home, and the session one file belongs to. */

import { messageOf } from '../../errors.ts';
import { isObject, stringAt } from '../../model/json.ts';
import type { DirEntry, Machine } from '../../io/machine.ts';
import type { Problem, Source, SourceFile } from '../adapter.ts';
import { isSessionName } from './project-path.ts';

/** Enough of a sub-agent's first row to tell whose it is. */
const headBytes = 16_384;
/** Folders inside a session's folder are followed this deep. */
const depthLimit = 4;
/** First prompt of the sub-agents that 2.0.x starts for itself. */
const warmUp = '"content":"Warmup"';

/** Every session below `home`: one file each, and a folder of the same name with what belongs to it. */
export function* discover(machine: Machine, home: string, problem: Problem): Iterable<Source> {
  const inside = machine.realPath(home);
  const projects = `${home}/projects`;
  const found = new Map<string, Source>();
  for (const entry of listed(machine, projects, problem)) {
    const folder = `${projects}/${entry.name}`;
    if (entry.kind !== 'directory' && (entry.kind !== 'link' || !isInside(machine, folder, inside, problem))) continue;
    for (const source of discoverProject(machine, folder, inside, problem)) {
      const other = found.get(source.nativeId);
      found.set(source.nativeId, other === undefined ? source : newerOf(machine, other, source, problem));
    }
  }
  yield* found.values();
}

/** A copied project holds the same sessions: the tool goes on with the file that was written last, and so do we. */
function newerOf(machine: Machine, one: Source, two: Source, problem: Problem): Source {
  const [path = '', other = ''] = [one, two].map(({ files }) => files[0]?.path);
  const isOlder = (machine.stat(path)?.modifiedMs ?? 0) < (machine.stat(other)?.modifiedMs ?? 0);
  problem(isOlder ? path : other, `is an older file of a session that is read from ${isOlder ? other : path}`);
  return isOlder ? two : one;
}

/** The session a file belongs to: its own file, one in its folder, or a sub-agent's beside it. */
export function sourceAt(machine: Machine, path: string, problem: Problem): Source | undefined {
  const place = placeOf(path);
  if (place === undefined) return looseSource(machine, path);
  const inside = machine.realPath(place.home);
  const { folder, name } = place;
  const session = isSessionName(name)
    ? name
    : agentName(name) === undefined
      ? undefined
      : ownerOf(machine, `${folder}/${name}.jsonl`);
  if (session === undefined) return undefined;
  const entries = listed(machine, folder, problem);
  if (!entries.some((entry) => entry.name === `${session}.jsonl`)) return undefined;
  return sourceOf(
    machine,
    folder,
    session,
    entries,
    flatAgents(machine, folder, entries).get(session) ?? [],
    inside,
    problem,
  );
}

/** What a captured file is: its key says so. */
export function fileOf(_nativeId: string, key: string): Pick<SourceFile, 'kind' | 'agentId'> | undefined {
  if (key === 'main') return { kind: 'log' };
  if (key === 'custom-title') return { kind: 'document' };
  if (key.startsWith('tool-results-')) return { kind: 'attachment' };
  const meta = key.endsWith('.meta') ? agentName(key.slice(0, -'.meta'.length)) : undefined;
  if (meta !== undefined) return { kind: 'document', agentId: meta };
  const log = agentName(key);
  return log === undefined ? undefined : { kind: 'log', agentId: log };
}

function* discoverProject(machine: Machine, folder: string, inside: string, problem: Problem): Iterable<Source> {
  const entries = listed(machine, folder, problem);
  const flat = flatAgents(machine, folder, entries);
  for (const entry of entries) {
    const name = sessionOf(entry.name);
    if (name === undefined || !isFile(machine, `${folder}/${entry.name}`, entry, inside, problem)) continue;
    yield sourceOf(machine, folder, name, entries, flat.get(name) ?? [], inside, problem);
  }
}

function sourceOf(
  machine: Machine,
  folder: string,
  nativeId: string,
  entries: readonly DirEntry[],
  flat: readonly SourceFile[],
  inside: string,
  problem: Problem,
): Source {
  const files: SourceFile[] = [{ key: 'main', path: `${folder}/${nativeId}.jsonl`, kind: 'log' }, ...flat];
  if (entries.some((entry) => entry.name === nativeId && entry.kind === 'directory')) {
    collect(machine, `${folder}/${nativeId}`, '', files, inside, problem, 0);
  }
  return { nativeId, files: unique(files) };
}

/** What lies in a session's folder. Logs of sub-agents may lie deeper (workflows). */
function collect(
  machine: Machine,
  folder: string,
  below: string,
  files: SourceFile[],
  inside: string,
  problem: Problem,
  depth: number,
): void {
  for (const entry of listed(machine, folder, problem)) {
    const path = `${folder}/${entry.name}`;
    if (entry.kind === 'directory') {
      if (depth < depthLimit)
        collect(machine, path, below === '' ? entry.name : below, files, inside, problem, depth + 1);
      continue;
    }
    const file = fileIn(path, entry.name, below);
    if (file !== undefined && isFile(machine, path, entry, inside, problem)) files.push(file);
  }
}

/** A file of the session's folder; `undefined`: nothing of ours (marks of retention, of cloud sessions, indexes). */
function fileIn(path: string, name: string, below: string): SourceFile | undefined {
  if (below === '') return name === 'custom-title.json' ? { key: 'custom-title', path, kind: 'document' } : undefined;
  if (below === 'tool-results') return { key: keyOf(`tool-results-${name}`), path, kind: 'attachment' };
  if (below !== 'subagents') return undefined;
  const log = name.endsWith('.jsonl') ? agentName(name.slice(0, -6)) : undefined;
  if (log !== undefined) return { key: `agent-${log}`, path, kind: 'log', agentId: log };
  const meta = name.endsWith('.meta.json') ? agentName(name.slice(0, -10)) : undefined;
  return meta === undefined ? undefined : { key: `agent-${meta}.meta`, path, kind: 'document', agentId: meta };
}

/** 2.0.x kept sub-agents beside the session: which session each belongs to stands in its first row. */
function flatAgents(machine: Machine, folder: string, entries: readonly DirEntry[]): ReadonlyMap<string, SourceFile[]> {
  const bySession = new Map<string, SourceFile[]>();
  for (const entry of entries) {
    const agent =
      entry.kind === 'file' && entry.name.endsWith('.jsonl') ? agentName(entry.name.slice(0, -6)) : undefined;
    if (agent === undefined) continue;
    const path = `${folder}/${entry.name}`;
    const owner = ownerOf(machine, path);
    if (owner === undefined) continue;
    const file: SourceFile = { key: `agent-${agent}`, path, kind: 'log', agentId: agent };
    bySession.set(owner, [...(bySession.get(owner) ?? []), file]);
  }
  return bySession;
}

/** The session named in a sub-agent's first row; `undefined` for the tool's own warm-up. */
function ownerOf(machine: Machine, path: string): string | undefined {
  const head = firstLine(machine, path);
  if (head.includes(warmUp)) return undefined;
  const stated = /"sessionId":"([0-9a-fA-F-]{36})"/.exec(head)?.[1];
  return stated !== undefined && isSessionName(stated) ? stated : undefined;
}

function firstLine(machine: Machine, path: string): string {
  const text = new TextDecoder().decode(machine.readHead(path, headBytes));
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}

/** A session file outside any home (`claude --resume <file>` takes one): known by its name and its first rows. */
function looseSource(machine: Machine, path: string): Source | undefined {
  const nativeId = sessionOf(path.slice(path.lastIndexOf('/') + 1));
  if (nativeId === undefined || machine.stat(path)?.kind !== 'file') return undefined;
  const rows = new TextDecoder().decode(machine.readHead(path, headBytes)).split('\n').slice(0, -1);
  const isOurs = rows.some((line) => {
    const row = parsed(line);
    return stringAt(row, 'sessionId') !== undefined && stringAt(row, 'type') !== undefined;
  });
  return isOurs ? { nativeId, files: [{ key: 'main', path, kind: 'log' }] } : undefined;
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Home, project folder and the name below it that a path runs through. */
function placeOf(path: string): { readonly home: string; readonly folder: string; readonly name: string } | undefined {
  const normal = path.replaceAll('\\', '/');
  const at = normal.lastIndexOf('/projects/');
  if (at === -1) return undefined;
  const [project, first, ...deeper] = normal.slice(at + 10).split('/');
  if (project === undefined || project === '' || first === undefined || first === '') return undefined;
  const home = path.slice(0, at);
  const name = deeper.length === 0 && first.endsWith('.jsonl') ? first.slice(0, -6) : first;
  if (!isSessionName(name) && agentName(name) === undefined) return undefined;
  return { home, folder: `${home}/projects/${project}`, name };
}

function sessionOf(fileName: string): string | undefined {
  const name = fileName.endsWith('.jsonl') ? fileName.slice(0, -6) : '';
  return isSessionName(name) ? name : undefined;
}

/** The id in `agent-<id>`, when it is fit to be a key. */
function agentName(name: string): string | undefined {
  return /^agent-([A-Za-z0-9_-]{1,48})$/.exec(name)?.[1];
}

/** A key may hold letters, digits, dots, dashes and underscores. */
function keyOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 160);
}

/** One file a key: of two sub-agent files with one id the first found counts. */
function unique(files: readonly SourceFile[]): SourceFile[] {
  return [...new Map(files.toReversed().map((file) => [file.key, file])).values()].reverse();
}

function listed(machine: Machine, folder: string, problem: Problem): readonly DirEntry[] {
  try {
    return machine.list(folder);
  } catch (cause) {
    problem(folder, messageOf(cause));
    return [];
  }
}

function isFile(machine: Machine, path: string, entry: DirEntry, inside: string, problem: Problem): boolean {
  if (entry.kind === 'file') return true;
  return entry.kind === 'link' && isInside(machine, path, inside, problem) && machine.stat(path)?.kind === 'file';
}

/** Does a link stay within the home? */
function isInside(machine: Machine, path: string, inside: string, problem: Problem): boolean {
  if (machine.realPath(path).startsWith(`${inside}/`)) return true;
  problem(path, 'links out of the home');
  return false;
}
