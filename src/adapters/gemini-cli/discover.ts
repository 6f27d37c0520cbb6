/**
 * Finds Gemini CLI sessions: `tmp/<project>/chats/session-*.json[l]`, the sub-agents' files and cut tool outputs beside
 * them, and the named snapshots `tmp/<project>/checkpoint-<tag>.json`.
 */

import { sha256Hex } from '../../model/ids.ts';
import { messageOf as wordsOf } from '../../errors.ts';
import type { DirEntry, Machine } from '../../io/machine.ts';
import type { Problem, Source, SourceFile } from '../adapter.ts';
import { registeredSlugs } from './project.ts';

/** Bytes of a file in which its session id is looked for: the first line is about 230 bytes long. */
const headBytes = 1024;

/** One project's folder below `tmp`. */
interface Project {
  /** Absolute. */
  readonly folder: string;
  readonly name: string;
  /** Until 0.28 the folder was the hash of the working directory; later versions copy it once to a folder with a name. */
  readonly isHash: boolean;
  readonly chats: readonly DirEntry[];
  /** Names of the folders below `chats`: those that hold sub-agents. */
  readonly agents: ReadonlySet<string>;
  /** Names of the folders below `tool-outputs`. */
  readonly outputs: ReadonlySet<string>;
  /** Names of the named snapshots. */
  readonly snapshots: readonly string[];
}

/** A session's own file, before those of one session are put together. */
interface Found {
  readonly nativeId: string;
  readonly project: Project;
  readonly file: SourceFile;
}

/** Every session below `home` (`~/.gemini`). Reads the head of each session file. */
export function* discover(machine: Machine, home: string, problem: Problem): Iterable<Source> {
  const sessions = new Map<string, Found[]>();
  const snapshots = new Map<string, Source>();
  const directoryOf = directories(machine, home);
  for (const entry of entriesOf(machine, `${home}/tmp`, problem)) {
    if (entry.kind !== 'directory') continue;
    const project = projectOf(machine, `${home}/tmp/${entry.name}`, problem);
    for (const found of filesOf(machine, project, () => true, problem)) {
      const others = sessions.get(found.nativeId);
      if (others === undefined) sessions.set(found.nativeId, [found]);
      else others.push(found);
    }
    for (const name of project.snapshots) {
      const source = snapshotAt(project, name, directoryOf(project));
      // A folder named by hash is the older copy of the one named by a slug.
      if (!project.isHash || !snapshots.has(source.nativeId)) snapshots.set(source.nativeId, source);
    }
  }
  for (const [nativeId, found] of sessions) yield sourceOf(machine, nativeId, found, directoryOf, problem);
  yield* snapshots.values();
}

/** The session a path below `tmp/<project>/` belongs to: its file, a sub-agent's, a cut tool output, or a named snapshot. */
export function sourceAt(machine: Machine, path: string, problem: Problem): Source | undefined {
  const place =
    /^(.*)\/tmp\/([^/]+)\/(?:chats\/(session-[^/]+\.jsonl?)|chats\/([^/]+)\/[^/]+\.jsonl|tool-outputs\/session-([^/]+)\/[^/]+|(checkpoint-[^/]+\.json))$/.exec(
      path.replaceAll('\\', '/'),
    );
  if (place === null) return undefined;
  const [, home = '', name = '', fileName, owner, outputs, snapshot] = place;
  const project = projectOf(machine, `${home}/tmp/${name}`, problem);
  if (snapshot !== undefined)
    return project.snapshots.includes(snapshot)
      ? snapshotAt(project, snapshot, directories(machine, home)(project))
      : undefined;
  const wanted = owner ?? outputs;
  const nativeId =
    fileName === undefined
      ? ownerOf(machine, project, wanted ?? '', problem)
      : filesOf(machine, project, (each) => each === fileName, problem)[0]?.nativeId;
  if (nativeId === undefined) return undefined;
  const suffixes = [plainId(nativeId).slice(0, 8), safeSuffix(nativeId)];
  const mine = (each: string): boolean =>
    each === fileName || suffixes.some((suffix) => suffix !== '' && each.includes(`-${suffix}.json`));
  const found = filesOf(machine, project, mine, problem).filter((each) => each.nativeId === nativeId);
  return found.length === 0 ? undefined : sourceOf(machine, nativeId, found, directories(machine, home), problem);
}

/** What a captured file is: the folder it lay in says so. */
export function fileOf(
  _nativeId: string,
  _key: string,
  path: string,
): Pick<SourceFile, 'kind' | 'agentId'> | undefined {
  const place =
    /\/tmp\/[^/]+\/(?:(checkpoint-|chats\/session-)[^/]+\.(jsonl?)|chats\/[^/]+\/([^/]+)\.jsonl|(tool-outputs)\/.+)$/.exec(
      path.replaceAll('\\', '/'),
    );
  if (place === null) return undefined;
  const [, , form, agentId, outputs] = place;
  if (outputs !== undefined) return { kind: 'attachment' };
  if (agentId !== undefined) return { kind: 'log', agentId };
  return { kind: form === 'jsonl' ? 'log' : 'document' };
}

/**
 * The 8 characters a session file of ours ends with. They must not be the first of the session id: the CLI starts every
 * resume with a file of that name that it later deletes, with all files that end alike (0.36 to 0.61.0).
 */
export function safeSuffix(nativeId: string): string {
  const hash = sha256Hex(`sessionfs\n${nativeId}`);
  const first = hash.slice(0, 8);
  return first === plainId(nativeId).slice(0, 8) ? hash.slice(8, 16) : first;
}

/** An id as the CLI has it in file names. */
function plainId(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9_-]/g, '_');
}

/** Begins the native id of a named snapshot; no id the CLI gives or takes holds a colon. */
export const snapshotPrefix = 'checkpoint:';

/**
 * A history saved under a name (`/chat save <tag>`, `/resume save <tag>`; of 0.1 the only transcript there is). It names no
 * session, so it is one of its own: its id is made of the project and the tag.
 */
function snapshotAt(project: Project, name: string, cwd: string | undefined): Source {
  const encoded = name.slice('checkpoint-'.length, -'.json'.length);
  const hash = project.isHash ? project.name : sha256Hex(cwd ?? project.name);
  return {
    nativeId: `${snapshotPrefix}${hash.slice(0, 16)}:${encoded}`,
    files: [{ key: keyOf(name), path: `${project.folder}/${name}`, kind: 'document' }],
    facts: { ...(cwd === undefined ? {} : { cwd }), title: { text: tagOf(encoded), by: 'person' } },
  };
}

function tagOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // Not encoded by the CLI: shown as it stands.
    return encoded;
  }
}

/** The session whose sub-agents or outputs a folder holds: by the id in its name. */
function ownerOf(machine: Machine, project: Project, folder: string, problem: Problem): string | undefined {
  const near = filesOf(machine, project, (name) => name.includes(`-${folder.slice(0, 8)}.json`), problem);
  const direct = near.find((found) => plainId(found.nativeId) === folder);
  if (direct !== undefined) return direct.nativeId;
  // A file of ours has another suffix, and a sub-agent's own sub-agents lie in a folder with its id.
  for (const found of filesOf(machine, project, () => true, problem)) {
    if (
      plainId(found.nativeId) === folder ||
      agentFiles(machine, project, found.nativeId, problem).some((file) => file.agentId === folder)
    )
      return found.nativeId;
  }
  return undefined;
}

function projectOf(machine: Machine, folder: string, problem: Problem): Project {
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  const chats = entriesOf(machine, `${folder}/chats`, problem);
  return {
    folder,
    name,
    isHash: /^[0-9a-f]{64}$/.test(name),
    chats,
    agents: foldersIn(chats),
    outputs: foldersIn(entriesOf(machine, `${folder}/tool-outputs`, problem)),
    snapshots: entriesOf(machine, folder, problem).flatMap(({ name: each, kind }) =>
      kind === 'file' && /^checkpoint-.+\.json$/.test(each) ? [each] : [],
    ),
  };
}

function foldersIn(entries: readonly DirEntry[]): ReadonlySet<string> {
  return new Set(entries.flatMap((entry) => (entry.kind === 'directory' ? [entry.name] : [])));
}

function filesOf(machine: Machine, project: Project, wanted: (name: string) => boolean, problem: Problem): Found[] {
  const found: Found[] = [];
  for (const { name, kind } of project.chats) {
    if (kind !== 'file' || !name.startsWith('session-') || !/\.jsonl?$/.test(name) || !wanted(name)) continue;
    const path = `${project.folder}/chats/${name}`;
    const nativeId = sessionIdIn(machine.readHead(path, headBytes)) ?? sessionIdIn(machine.readTail(path, headBytes));
    if (nativeId === undefined) problem(path, 'no session id in its first or last kilobyte, or not readable');
    else
      found.push({
        nativeId,
        project,
        file: { key: keyOf(name), path, kind: name.endsWith('.jsonl') ? 'log' : 'document' },
      });
  }
  return found;
}

/** The value of an unescaped `"sessionId":"…"`: within a JSON string its quotes would be escaped. */
function sessionIdIn(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes);
  const found = /[{,]\s*"sessionId"\s*:\s*("(?:[^"\\\n]|\\.)+")/.exec(text)?.[1];
  if (found === undefined) return undefined;
  try {
    const id: unknown = JSON.parse(found);
    return typeof id === 'string' ? id : undefined;
  } catch {
    // An escape that JSON does not know: not written by the CLI.
    return undefined;
  }
}

function sourceOf(
  machine: Machine,
  nativeId: string,
  found: readonly Found[],
  directoryOf: (project: Project) => string | undefined,
  problem: Problem,
): Source {
  const files: SourceFile[] = [];
  const keys = new Set<string>();
  const add = (file: SourceFile): void => {
    if (keys.has(file.key)) return;
    keys.add(file.key);
    files.push(file);
  };
  // A folder named by hash is the older copy of the one named by a slug; names begin with the time.
  const ordered = [...found].sort(
    (a, b) => Number(a.project.isHash) - Number(b.project.isHash) || compare(a.file.path, b.file.path),
  );
  for (const each of ordered) add(each.file);
  files.sort((a, b) => compare(a.key, b.key));
  const projects = [...new Set(ordered.map((each) => each.project))];
  for (const project of projects) for (const file of agentFiles(machine, project, nativeId, problem)) add(file);
  for (const project of projects) for (const file of outputFiles(machine, project, nativeId, problem)) add(file);
  const cwd = projects.map(directoryOf).find((directory) => directory !== undefined);
  return { nativeId, files, ...(cwd === undefined ? {} : { facts: { cwd } }) };
}

/** The transcripts in `chats/<session id>/`; a sub-agent's own sub-agents lie in a folder with its id. */
function agentFiles(machine: Machine, project: Project, nativeId: string, problem: Problem): SourceFile[] {
  const files: SourceFile[] = [];
  // Grows while it is walked.
  const owners = new Set([plainId(nativeId)]);
  for (const owner of owners) {
    if (!project.agents.has(owner)) continue;
    for (const { name, kind } of entriesOf(machine, `${project.folder}/chats/${owner}`, problem)) {
      if (kind !== 'file' || !name.endsWith('.jsonl')) continue;
      const agentId = name.slice(0, -'.jsonl'.length);
      files.push({ key: keyOf(name), path: `${project.folder}/chats/${owner}/${name}`, kind: 'log', agentId });
      owners.add(agentId);
    }
  }
  return files;
}

/** The full texts of outputs that were cut in the transcript. */
function outputFiles(machine: Machine, project: Project, nativeId: string, problem: Problem): SourceFile[] {
  const name = `session-${plainId(nativeId)}`;
  if (!project.outputs.has(name)) return [];
  const folder = `${project.folder}/tool-outputs/${name}`;
  return entriesOf(machine, folder, problem).flatMap((entry): SourceFile[] =>
    entry.kind === 'file'
      ? [{ key: `output.${keyOf(entry.name)}`, path: `${folder}/${entry.name}`, kind: 'attachment' }]
      : [],
  );
}

/** The working directory of a project folder: by its marker, by the registry, or by hash of a directory known so. */
function directories(machine: Machine, home: string): (project: Project) => string | undefined {
  let registry: ReadonlyMap<string, string> | undefined;
  const known = new Map<string, string | undefined>();
  return (project) => {
    if (known.has(project.folder)) return known.get(project.folder);
    registry ??= registeredSlugs(machine, home);
    let cwd = readMarker(machine, project.folder);
    for (const [directory, slug] of registry) {
      if (cwd === undefined && (slug === project.name || (project.isHash && sha256Hex(directory) === project.name)))
        cwd = directory;
    }
    known.set(project.folder, cwd);
    return cwd;
  };
}

function readMarker(machine: Machine, folder: string): string | undefined {
  const text = new TextDecoder().decode(machine.readHead(`${folder}/.project_root`, 4096)).trim();
  return text === '' ? undefined : text;
}

function entriesOf(machine: Machine, folder: string, problem: Problem): readonly DirEntry[] {
  try {
    return machine.list(folder);
  } catch (error) {
    problem(folder, wordsOf(error));
    return [];
  }
}

function keyOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
