/** A whole store from elsewhere (SessionFS 0.1.0's `~/.sessionfs`, or another machine's): each of its sessions is taken in. */

import { basename, join } from 'node:path';
import { SessionFsError, messageOf } from '../errors.ts';
import { layout } from '../format/layout.ts';
import { namesIn } from '../io/files.ts';
import { readManifest } from '../store/session-reader.ts';
import { deletedSessions } from '../store/trash.ts';
import type { Context } from './context.ts';
import { importDirectory, takenInId } from './import-directory.ts';
import type { ImportResult, Progress, ToolImport } from './import.ts';

/** The session directories of a store, or of its `sessions` folder; empty when the folder is neither. */
export function sessionFoldersIn(context: Context, path: string): string[] {
  for (const folder of [join(path, 'sessions'), path]) {
    if (context.machine.stat(folder)?.kind !== 'directory') continue;
    const sessions = namesIn(folder)
      .filter((name) => name.endsWith('.sfs'))
      .map((name) => join(folder, name))
      .filter((session) => context.machine.stat(join(session, layout.manifest)) !== undefined);
    if (sessions.length > 0) return sessions.toSorted();
  }
  return [];
}

/** Takes each in; one that cannot be read leaves the others alone. Throws `usage` for this store itself. */
export async function importStore(
  context: Context,
  path: string,
  folders: readonly string[],
  progress: Progress,
): Promise<ImportResult> {
  const own = [context.store.root, context.store.sessions].map((folder) => context.machine.realPath(folder));
  if (own.includes(context.machine.realPath(path)))
    throw new SessionFsError(
      'usage',
      `${path} is this store itself: its sessions are here already`,
      'list them: sfs list',
    );
  const names = new Map<string, string>();
  const deleted = deletedSessions(context.store);
  const keptOut = new Map<string, string>();
  for (const folder of folders) {
    try {
      const manifest = readManifest(join(folder, layout.manifest));
      const id = takenInId(manifest);
      names.set(manifest.session_id, id);
      if (deleted.has(id)) keptOut.set(folder, manifest.source.tool);
    } catch (cause) {
      // Told below, when it is to be taken in.
      if (!(cause instanceof SessionFsError)) throw cause;
    }
  }
  const results: ImportResult[] = [];
  let messages = 0;
  for (const folder of folders) {
    const deletedTool = keptOut.get(folder);
    const result =
      deletedTool === undefined
        ? await importDirectory(context, folder, { names }).catch((cause: unknown) => failed(folder, cause))
        : leftOut(folder, { tool: deletedTool, deleted: 1, failed: 0 });
    messages += result.tools.reduce((sum, tool) => sum + tool.messages, 0);
    results.push(result);
    progress({ done: results.length, total: folders.length, bytes: 0, messages });
  }
  const tools = new Map<string, ToolImport>();
  for (const tool of results.flatMap((result) => result.tools))
    tools.set(tool.tool, added(path, tool, tools.get(tool.tool)));
  return {
    tools: [...tools.values()],
    sessions: results.flatMap(({ sessions }) => sessions.filter(({ outcome }) => outcome !== 'unchanged')),
    bytes: 0,
    problems: results.flatMap(({ problems }) => problems),
  };
}

function added(home: string, tool: ToolImport, before: ToolImport | undefined): ToolImport {
  if (before === undefined) return { ...tool, home };
  return {
    tool: tool.tool,
    home,
    found: before.found + tool.found,
    new: before.new + tool.new,
    grown: before.grown + tool.grown,
    unchanged: before.unchanged + tool.unchanged,
    deleted: before.deleted + tool.deleted,
    failed: before.failed + tool.failed,
    messages: before.messages + tool.messages,
  };
}

/** A damaged session; what keeps every session from being written ends the import. */
function failed(folder: string, cause: unknown): ImportResult {
  if (cause instanceof SessionFsError && cause.code === 'store-unwritable') throw cause;
  const tool = 'unreadable';
  return {
    ...leftOut(folder, { tool, deleted: 0, failed: 1 }),
    sessions: [{ session_id: basename(folder, '.sfs'), tool, outcome: 'failed', messages: 0 }],
    problems: [{ path: folder, problem: messageOf(cause) }],
  };
}

/** One session that was not taken in. */
function leftOut(home: string, why: Pick<ToolImport, 'tool' | 'deleted' | 'failed'>): ImportResult {
  const tool = { home, found: 1, new: 0, grown: 0, unchanged: 0, messages: 0, ...why };
  return { tools: [tool], sessions: [], bytes: 0, problems: [] };
}
