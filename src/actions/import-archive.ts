/** A session packed as `.tar.gz` becomes a session of this store, as its directory would. */

import { basename, dirname, join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { layout } from '../format/layout.ts';
import { appendAt, exists, makeFolder, namesIn, remove } from '../io/files.ts';
import { gunzipFile } from '../io/gzip.ts';
import { TarReader } from '../io/tar.ts';
import { wrongName } from '../model/name.ts';
import { prepareStore } from '../store/store.ts';
import type { Context } from './context.ts';
import { importDirectory } from './import-directory.ts';
import type { ImportResult } from './import.ts';

/** What is unpacked; everything else in an archive is looked at and left. */
const wanted: ReadonlySet<string> = new Set([
  layout.manifest,
  layout.messages,
  layout.workspace,
  layout.tools,
  layout.live,
]);
/** These are read whole. */
const small: ReadonlySet<string> = new Set([layout.manifest, layout.workspace, layout.tools, layout.checkpoint]);
/** `checkpoints/<name>/<file>` */
const ofCheckpoint: ReadonlySet<string> = new Set([layout.checkpoint, layout.manifest, layout.messages]);
const mostSmallBytes = 16 << 20;

/** Does the file begin as a gzip file does? */
export function isArchive(context: Context, path: string): boolean {
  const [first, second] = context.machine.readHead(path, 2);
  return first === 0x1f && second === 0x8b;
}

/** Unpacks beside the store, takes in what an imported directory gives, and leaves nothing else behind. Throws `invalid-session`. */
export async function importArchive(context: Context, path: string): Promise<ImportResult> {
  prepareStore(context.store);
  const incoming = join(context.store.root, 'incoming');
  sweep(context, incoming);
  const folder = join(incoming, `${process.pid}-${context.machine.uuid()}`);
  try {
    const { session, misnamed } = await unpacked(context, path, folder);
    return await importDirectory(context, session, { shownAs: path, misnamedCheckpoints: misnamed });
  } catch (cause) {
    if (!(cause instanceof SessionFsError) || !cause.message.includes(folder)) throw cause;
    // The person knows the archive, not where it was unpacked.
    const message = cause.message.split(join(folder, '0')).join(path);
    throw new SessionFsError(cause.code, message, cause.hint, cause);
  } finally {
    remove(folder);
    if (namesIn(incoming).length === 0) remove(incoming);
  }
}

/** Takes away what killed processes left. */
function sweep(context: Context, incoming: string): void {
  for (const name of namesIn(incoming))
    if (!context.machine.isRunning(Number.parseInt(name, 10))) remove(join(incoming, name));
}

/** The folder of the one session in the archive, and how many of its checkpoints have names that are none. */
async function unpacked(
  context: Context,
  path: string,
  folder: string,
): Promise<{ readonly session: string; readonly misnamed: number }> {
  const misnamed = new Set<string>();
  const roots: string[] = [];
  let file: string | undefined;
  let length = 0;
  const reader = new TarReader(path, {
    begin(name, sizeBytes) {
      const found = placeOf(name);
      if (found === undefined) return false;
      if (found.checkpoint !== undefined && wrongName(found.checkpoint) !== undefined) {
        misnamed.add(found.checkpoint);
        return false;
      }
      if (small.has(basename(found.file)) && sizeBytes > mostSmallBytes)
        throw invalid(path, `holds a ${found.file} of more than ${mostSmallBytes >> 20} MiB`);
      if (!roots.includes(found.root)) roots.push(found.root);
      file = join(folder, String(roots.indexOf(found.root)), found.file);
      makeFolder(dirname(file));
      length = appendAt(file, 0, Buffer.alloc(0));
      return true;
    },
    bytes(piece) {
      if (file !== undefined) length = appendAt(file, length, piece);
    },
  });
  await gunzipFile(path, context.machine.stat(path)?.sizeBytes ?? 0, (piece) => reader.take(piece));
  reader.end();
  const sessions = roots
    .map((_, index) => join(folder, String(index)))
    .filter((at) => exists(join(at, layout.manifest)));
  const [session] = sessions;
  if (session === undefined) throw invalid(path, `holds no ${layout.manifest}`);
  if (sessions.length > 1) throw invalid(path, `holds ${sessions.length} sessions; one at a time is taken in`);
  if (!exists(join(session, layout.messages))) throw invalid(path, `holds no ${layout.messages}`);
  return { session, misnamed: misnamed.size };
}

interface Place {
  readonly root: string;
  /** Below the root. */
  readonly file: string;
  /** The name of the checkpoint it belongs to. */
  readonly checkpoint?: string;
}

/** Which wanted file a name means, in the folder of a session or at the top. */
function placeOf(name: string): Place | undefined {
  const parts = name.split('/');
  const own = parts.slice(-3);
  const [parent, checkpoint, file] = own;
  if (parent === layout.checkpoints && checkpoint !== undefined && ofCheckpoint.has(file ?? '') && parts.length <= 4)
    return { root: parts.slice(0, -3).join('/'), file: own.join('/'), checkpoint };
  if (wanted.has(name)) return { root: '', file: name };
  const below = parts.slice(1).join('/');
  return parts[0] !== undefined && wanted.has(below) ? { root: parts[0], file: below } : undefined;
}

function invalid(path: string, what: string): SessionFsError {
  return new SessionFsError(
    'invalid-session',
    `${path} ${what}`,
    'nothing was taken in; export the session again: sfs export ID --output NAME.tar.gz',
  );
}
