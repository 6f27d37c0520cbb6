/**
 * Writes sessions for Cursor's command line (`cursor-agent`, 2025.9 and later): the database of one chat, and what lists it
 * beside it. The README says what goes where.
 */

import type { Machine } from '../../io/machine.ts';
import type { LiveSession, Losses, WriteGiven, WriteRequest, Writer, Written, WrittenLine } from '../adapter.ts';
import { graphOf, uriOf } from './graph.ts';
import type { Blob } from './graph.ts';
import { pathOfUri } from './native.ts';
import { aboutRow } from './stores.ts';
import { dotFolderOf } from './user-folder.ts';

const provenVersion = '2026.9.0';

/** The writer of Cursor's chats. */
export const writer: Writer = {
  minimumVersion: '2025.9.0',
  provenVersion,
  // A chat goes on with the model that is chosen in it; of Cursor's own the name is kept.
  omits: ['model', 'tokens', 'exit-code', 'duration', 'interruption', 'git'],
  prepare,
  write,
  // Its rows are kept as the lines they say, not as a database.
  restore: () => undefined,
  // A chat of the editor is not among those of the command line.
  opens: (_nativeId, path) => /\/store\.db(?:\/[^/]*)?$/.test(path.replaceAll('\\', '/')),
  // A running program leaves nothing that one that crashed does not.
  live: () => false,
  launch: (nativeId, { model }) => [
    'cursor-agent',
    ...(model === undefined ? [] : ['--model', model]),
    '--resume',
    nativeId,
  ],
};

function prepare(machine: Machine, request: WriteRequest): Promise<WriteGiven> {
  const { homeDir, env } = machine;
  const home =
    dotFolderOf(machine, request.home.replaceAll('\\', '/')) ?? env['CURSOR_DATA_DIR'] ?? `${homeDir}/.cursor`;
  return Promise.resolve({
    ...request,
    home: machine.realPath(home),
    nativeId: request.nativeId ?? machine.uuid(),
    now: machine.now().toISOString(),
    toolVersion: request.version ?? provenVersion,
    // By the folder's name Cursor finds the chats of a folder.
    extra: { folder: machine.md5(request.cwd) },
  });
}

const schema = `pragma user_version = 1;
create table blobs (id text primary key, data blob);
create table meta (key text primary key, value text);`;

function write(session: LiveSession, given: WriteGiven): Written {
  const losses: Losses = new Map();
  const folder = `chats/${String(given.extra['folder'] ?? 'folder')}/${given.nativeId}`;
  return {
    nativeId: given.nativeId,
    files: [
      // First, so that a chat that is there is always listed.
      {
        key: 'meta',
        path: `${folder}/meta.json`,
        kind: 'text',
        exists: 'keep',
        lines: [{ text: listing(session, given) }],
      },
      { key: 'store', path: `${folder}/store.db`, kind: 'database', schema, lines: linesOf(session, given, losses) },
    ],
    losses,
  };
}

/** `{"schemaVersion":1,"createdAtMs":…,"updatedAtMs":…,"hasConversation":true,"cwd":"/home/dev/api","title":"…"}` */
function listing({ title }: LiveSession, { now, cwd }: WriteGiven): string {
  const atMs = Date.parse(now);
  return JSON.stringify({
    schemaVersion: 1,
    createdAtMs: atMs,
    updatedAtMs: atMs,
    hasConversation: true,
    cwd,
    ...(title === undefined ? {} : { title: title.toWellFormed() }),
  });
}

function* linesOf(session: LiveSession, given: WriteGiven, losses: Losses): Generator<WrittenLine> {
  const graph = graphOf(session, given, losses);
  let next = graph.next();
  for (; next.done !== true; next = graph.next()) {
    const { row, from, blobs } = next.value;
    yield { text: JSON.stringify(row.record), from, row: { key: row.key, stamp: row.stamp, puts: blobs.map(put) } };
  }
  const { root, blobs, last } = next.value;
  const meta = {
    agentId: given.nativeId,
    latestRootBlobId: root.id,
    name: session.title?.toWellFormed() ?? 'New Agent',
    mode: 'default',
    isRunEverything: false,
    createdAt: Date.parse(given.now),
  };
  const row = aboutRow(meta, pathOfUri(uriOf(given.cwd)), last);
  yield {
    text: JSON.stringify(row.record),
    row: {
      key: row.key,
      stamp: row.stamp,
      puts: [
        ...[...blobs, root].map(put),
        { table: 'meta', values: ['0', Buffer.from(JSON.stringify(meta), 'utf8').toString('hex')] },
      ],
    },
  };
}

function put({ id, data }: Blob): { readonly table: string; readonly values: readonly [string, Uint8Array] } {
  return { table: 'blobs', values: [id, data] };
}
