/** The part of a child that a resume placed: it is not derived, the rest is derived behind it. */

import type { Adapter, SourceFile, WrittenLine } from '../adapters/adapter.ts';
import { readChunks } from '../io/chunks.ts';
import { linesOf } from '../io/lines.ts';
import type { Machine } from '../io/machine.ts';
import { emptyCarried } from '../model/carried.ts';
import { isObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import { archivedBytes } from '../store/archive.ts';
import type { Cursor } from '../store/commit.ts';
import { ledgerLines } from '../store/ledger.ts';
import { SessionReader } from '../store/session-reader.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import type { SessionWriter } from '../store/session-writer.ts';
import type { Store } from '../store/store.ts';
import { PlacedReading } from './adopt.ts';
import type { CaptureSite } from './capture.ts';
import { placedKey } from './gather.ts';
import { outsideFactsOf } from './derive.ts';
import type { Kept } from './kept-files.ts';

/** What a resume placed of a session: messages up to `base`, and so many bytes of files by key. */
export interface Placed {
  readonly base: string;
  readonly bytes: ReadonlyMap<string, number>;
}

const writtenAnew =
  'it was written anew for its own tool, whose file was gone: what was said before and after stays as it was read';
const placedUnknown = 'what a resume placed of it, and what was said after, cannot be told apart any more';

/** As the ledger has it; or why it cannot be told. */
export function placedPart(
  site: CaptureSite,
  writer: SessionWriter,
  manifest: Manifest,
  files: readonly Kept[],
): Placed | string {
  if (manifest.parent_session_id == null) return writtenAnew;
  const base = manifest.metadata?.base?.msg;
  const entry = ledgerLines(site.store, 'placed').find(
    (line) =>
      isObject(line) && line['session_id'] === writer.id && line['parent_session_id'] === manifest.parent_session_id,
  );
  if (typeof base !== 'string' || !isObject(entry)) return placedUnknown;
  const bytes = new Map<string, number>();
  for (const noted of Array.isArray(entry['files']) ? entry['files'] : []) {
    const file = isObject(noted) ? files.find(({ cursor }) => isAt(cursor.path, noted['path'])) : undefined;
    if (file === undefined || !isObject(noted) || typeof noted['bytes'] !== 'number') continue;
    const { archived, is } = file;
    if (is.kind !== 'log' || archived.generation > 0 || archivedBytes(archived) < noted['bytes']) return placedUnknown;
    bytes.set(file.key, noted['bytes']);
  }
  return bytes.size === 0 ? placedUnknown : { base, bytes };
}

/** Of a session in a database the path goes on behind the file. */
function isAt(path: string, file: unknown): boolean {
  return path === file || (typeof file === 'string' && path.startsWith(`${file}/`));
}

/**
 * Begins the empty session as the resume began it: the messages it copied, and the placed records known as theirs. What was said
 * after them is then captured. Says why when today's reader knows a placed record under another id.
 */
export async function seed(
  machine: Machine,
  store: Store,
  adapter: Adapter,
  nativeId: string,
  writer: SessionWriter,
  files: readonly SourceFile[],
  placed: Placed,
): Promise<string | undefined> {
  const manifest = writer.manifest();
  if (manifest === undefined) return placedUnknown;
  const fresh = openForWriting(store, machine, writer.id);
  try {
    for (const message of SessionReader.at(writer.folder).lines()) {
      fresh.append(message);
      if (message.msg_id === placed.base) break;
    }
    if (!fresh.has(placed.base)) return placedUnknown;
    fresh.live({ op: 'leaf', id: placed.base });
    for (const [key, id] of writer.keys()) if (key.startsWith(placedKey(''))) fresh.setKey(key, id);
    const cursors: { [key: string]: Cursor } = {};
    for (const { key, path } of files) {
      const sizeBytes = placed.bytes.get(key);
      const info = machine.stat(path);
      if (sizeBytes === undefined || info === undefined) continue;
      const time = new Date(info.modifiedMs).toISOString();
      const file = { key, path, lines: linesOfText(path, sizeBytes) };
      const reading = new PlacedReading(adapter, nativeId, file, fresh, emptyCarried(), time);
      const archive = fresh.archive(key, { freshUnless: true });
      for (const { bytes, release } of reading.chunks()) archive.append(bytes, release);
      if (reading.strangers > 0) return placedUnknown;
      cursors[key] = reading.cursor({ path, info: { ...info, sizeBytes } });
    }
    const { facts, promptTitle } = writer.before;
    const git = facts.git === undefined ? {} : { git: facts.git };
    const staged = fresh.stage(
      { ...fresh.before, cursors, facts: { ...outsideFactsOf(facts), ...git }, promptTitle, placed: true },
      { manifest, workspace: undefined, tools: undefined },
    );
    const { failed } = await commitAll([staged]);
    for (const { why } of failed) throw why;
    return undefined;
  } finally {
    fresh.close();
  }
}

function* linesOfText(path: string, bytes: number): Generator<WrittenLine> {
  for (const line of linesOf(readChunks(path, 0, bytes))) yield { text: line.bytes.toString('utf8') };
}
