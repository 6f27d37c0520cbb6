/** Bringing sessions into the store: from the tools of this machine, from a folder or file, from a `.sfs` directory, archive or store. */

import { join, resolve } from 'node:path';
import type { Adapter } from '../adapters/adapter.ts';
import type { Captured, Found } from '../capture/capture.ts';
import { captureEntry } from '../capture/audit.ts';
import { noteGone } from '../capture/gone.ts';
import { infoOf } from '../capture/read-database.ts';
import { captureShared } from './capture-share.ts';
import { SessionFsError, messageOf } from '../errors.ts';
import { archiveName, layout } from '../format/layout.ts';
import type { FileInfo } from '../io/machine.ts';
import { auditOf } from './audit.ts';
import type { Context } from './context.ts';
import type { AuditEntry } from '../store/audit.ts';
import { sweepPlacing } from '../store/placing.ts';
import { withIndex } from './with-index.ts';
import { importArchive, isArchive } from './import-archive.ts';
import { importDirectory } from './import-directory.ts';
import { importStore, sessionFoldersIn } from './import-store.ts';
import { homeOf, isEnabled, toolNamed } from './tools.ts';

/** What to import; nothing named means every enabled tool of this machine. */
export interface ImportRequest {
  readonly from?: string;
  readonly path?: string;
}

/** What an import came to, `import --json`. */
export interface ImportResult {
  readonly tools: readonly ToolImport[];
  readonly sessions: readonly {
    readonly session_id: string;
    readonly tool: string;
    readonly outcome: Captured['outcome'];
    readonly messages: number;
  }[];
  readonly bytes: number;
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
}

/** One tool's share. */
export interface ToolImport {
  readonly tool: string;
  readonly home: string;
  readonly found: number;
  readonly new: number;
  readonly grown: number;
  readonly unchanged: number;
  readonly failed: number;
  /** Sessions of the tool that were deleted here and stay out. */
  readonly deleted: number;
  readonly messages: number;
}

/** Told as the work goes on. */
export interface Progress {
  (state: { readonly done: number; readonly total: number; readonly bytes: number; readonly messages: number }): void;
}

/** Imports and says what came in. Throws `path-not-found`, `unknown-tool`, `store-unwritable`. */
export async function importSessions(
  context: Context,
  request: ImportRequest,
  progress: Progress,
): Promise<ImportResult> {
  const result = await importNow(context, request, progress);
  const entry = importEntry(request, result);
  if (entry !== undefined) {
    const log = auditOf(context);
    log.add(entry);
    log.write();
  }
  return result;
}

/** A run that changed nothing leaves no line: it may be one of a thousand a day. */
function importEntry({ from, path }: ImportRequest, { tools, bytes }: ImportResult): AuditEntry | undefined {
  const sum = (field: 'new' | 'grown' | 'failed' | 'messages'): number =>
    tools.reduce((total, tool) => total + tool[field], 0);
  const counts = { new: sum('new'), grown: sum('grown'), failed: sum('failed'), messages: sum('messages'), bytes };
  if (counts.new + counts.grown + counts.failed === 0) return undefined;
  return {
    event: 'import',
    session_id: null,
    tool: from ?? null,
    outcome: counts.failed === 0 ? 'done' : 'partly',
    details: { ...counts, ...(path === undefined ? {} : { path: resolve(path) }) },
  };
}

async function importNow(context: Context, request: ImportRequest, progress: Progress): Promise<ImportResult> {
  const only = request.from === undefined ? undefined : toolNamed(context, request.from);
  const path = request.path === undefined ? undefined : resolve(request.path);
  if (path !== undefined && context.machine.stat(path) === undefined) {
    throw new SessionFsError(
      'path-not-found',
      `there is nothing at ${path}`,
      'name a tool’s folder, a session file, a .sfs directory or its .tar.gz',
    );
  }
  if (path !== undefined && context.machine.stat(join(path, layout.manifest)) !== undefined)
    return takenIn(context, await importDirectory(context, path));
  const info = path === undefined ? undefined : context.machine.stat(path);
  if (path !== undefined && info?.kind === 'file' && (isArchive(context, path) || archiveName.test(path)))
    return takenIn(context, await importArchive(context, path));
  const folders = path === undefined || info?.kind !== 'directory' ? [] : sessionFoldersIn(context, path);
  if (path !== undefined && folders.length > 0)
    return takenIn(context, await importStore(context, path, folders, progress));
  const problems: { path: string; problem: string }[] = [];
  const places = path === undefined ? installedHomes(context, only) : undefined;
  const searched =
    places === undefined && path !== undefined
      ? sourcesAt(context, path, only, problems)
      : sourcesIn(context, places ?? [], problems);
  const sources = searched.flatMap(({ found }) => found);
  if (path !== undefined && sources.length === 0 && problems.length === 0) {
    throw new SessionFsError(
      'path-not-found',
      `${path} holds no session of ${only?.name ?? 'any known tool'}`,
      'see where each tool keeps its sessions: sfs tools',
    );
  }
  return withIndex(context, { create: true }, async (index) => {
    sweepPlacing(context.store, context.machine);
    for (const { place, found, isWhole } of searched)
      if (isWhole)
        noteGone(
          { machine: context.machine, index },
          place,
          found.map(({ source }) => source.nativeId),
        );
    const done: Captured[] = [];
    let bytes = 0;
    let messages = 0;
    const files = filesOf(context, sources);
    const log = auditOf(context);
    await captureShared(
      { machine: context.machine, store: context.store, index },
      sources.toSorted((a, b) => (files.get(b)?.modifiedMs ?? 0) - (files.get(a)?.modifiedMs ?? 0)),
      (found) => files.get(found)?.sizeBytes ?? 0,
      (captured) => {
        done.push(captured);
        bytes += captured.bytes;
        messages += captured.messages;
        problems.push(...captured.problems);
        const entry = captureEntry(captured);
        if (entry !== undefined) log.add(entry);
        progress({ done: done.length, total: sources.length, bytes, messages });
      },
    ).finally(() => log.write());
    const homes =
      places ?? [...new Set(sources.map(({ adapter }) => adapter))].map((adapter) => ({ adapter, home: path ?? '' }));
    return {
      tools: homes.map(({ adapter, home }) => summaryOf(adapter, home, done)),
      sessions: done
        .filter(({ outcome }) => outcome !== 'unchanged' && outcome !== 'empty' && outcome !== 'deleted')
        .map(({ sessionId, found, outcome, messages: count }) => ({
          session_id: sessionId,
          tool: found.adapter.id,
          outcome,
          messages: count,
        })),
      bytes,
      problems,
    };
  });
}

function takenIn(context: Context, result: ImportResult): ImportResult {
  const log = auditOf(context);
  for (const { session_id: id, tool, outcome, messages } of result.sessions)
    if (outcome !== 'unchanged') log.add({ event: 'take-in', session_id: id, tool, outcome, details: { messages } });
  log.write();
  return result;
}

interface Place {
  readonly adapter: Adapter;
  readonly home: string;
}

function installedHomes(context: Context, only: Adapter | undefined): Place[] {
  return context.adapters
    .filter((adapter) => (only === undefined ? isEnabled(context, adapter) : adapter === only))
    .map((adapter) => ({ adapter, home: homeOf(context, adapter) }));
}

/** What was found in one place. */
interface Searched {
  readonly place: Place;
  readonly found: readonly Found[];
  /** Could all of it be read? */
  readonly isWhole: boolean;
}

function sourcesIn(
  context: Context,
  places: readonly Place[],
  problems: { path: string; problem: string }[],
): Searched[] {
  return places.map((place) => {
    const { adapter, home } = place;
    const found: Found[] = [];
    const before = problems.length;
    try {
      for (const source of adapter.reader.discover(context.machine, home, (path, problem) =>
        problems.push({ path, problem }),
      ))
        found.push({ adapter, source });
    } catch (cause) {
      // One unreadable home leaves the other tools alone.
      problems.push({ path: home, problem: messageOf(cause) });
    }
    return { place, found, isWhole: problems.length === before };
  });
}

/** A file of a tool; a tool's home; a folder with tools' homes in it (a person's home directory, or a copy of it). */
function sourcesAt(
  context: Context,
  path: string,
  only: Adapter | undefined,
  problems: { path: string; problem: string }[],
): Searched[] {
  const candidates = only === undefined ? context.adapters : [only];
  if (context.machine.stat(path)?.kind === 'file') {
    for (const adapter of candidates) {
      const { reader } = adapter;
      const tell = (where: string, problem: string): void => void problems.push({ path: where, problem });
      const source = reader.sourceAt(context.machine, path, tell);
      const sources = source === undefined ? (reader.sourcesIn?.(context.machine, path, tell) ?? []) : [source];
      if (sources.length > 0)
        return [
          { place: { adapter, home: path }, found: sources.map((one) => ({ adapter, source: one })), isWhole: false },
        ];
    }
    return [];
  }
  const places = candidates.flatMap((adapter) => [
    { adapter, home: path },
    { adapter, home: join(path, adapter.home.default.linux) },
  ]);
  return sourcesIn(context, places, problems);
}

/** Each source's first file: what was worked on last is captured first. */
function filesOf(context: Context, sources: readonly Found[]): Map<Found, FileInfo | undefined> {
  return new Map(
    sources.map((found) => {
      const [first] = found.source.files;
      return [found, first === undefined ? undefined : infoOf(context.machine, first)];
    }),
  );
}

function summaryOf(adapter: Adapter, home: string, done: readonly Captured[]): ToolImport {
  const own = done.filter(({ found, outcome }) => found.adapter === adapter && outcome !== 'empty');
  const withOutcome = (...outcomes: Captured['outcome'][]): number =>
    own.filter(({ outcome }) => outcomes.includes(outcome)).length;
  return {
    tool: adapter.id,
    home,
    found: own.length,
    new: withOutcome('new'),
    grown: withOutcome('grown', 'rewritten'),
    unchanged: withOutcome('unchanged'),
    failed: withOutcome('failed'),
    deleted: withOutcome('deleted'),
    messages: own.reduce((sum, { messages }) => sum + messages, 0),
  };
}
