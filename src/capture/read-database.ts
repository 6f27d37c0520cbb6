/** Reads the rows of a session that lies in a database: those that changed are archived as JSON lines, and decoded as a log is. */

import type { DecoderState, SourceFile } from '../adapters/adapter.ts';
import { hashOf } from '../io/hash.ts';
import type { FileInfo, Machine } from '../io/machine.ts';
import { archivedBytes, emptyArchive, readArchiveEnd } from '../store/archive.ts';
import { guardBytes } from '../store/commit.ts';
import { decodeLine, opaqueOf, settle } from './decode-line.ts';
import type { Decoding } from './decode-line.ts';
import { contextOf, givenOf, isUnchanged, placeOf } from './read-source.ts';
import type { ReadResult, Reading } from './read-source.ts';

/** What is known of a source's file before it is read; `undefined` when it is not there. Of rows in a database, what stands in for it. */
export function infoOf(machine: Machine, { path, rows }: SourceFile): FileInfo | undefined {
  if (rows === undefined) return machine.stat(path);
  return { kind: 'file', sizeBytes: rows.size, modifiedMs: rows.modifiedMs, device: 0, inode: rows.version };
}

/**
 * Reads what changed of a session's rows; `undefined` when nothing did. The archive is a log of row versions: a row that was
 * rewritten is appended once more, one that is gone stays. Throws `unreadable`.
 */
export function readDatabase(reading: Reading, file: SourceFile): ReadResult | undefined {
  const { machine, adapter, writer, gathering } = reading;
  const info = infoOf(machine, file);
  const cursor = writer.before.cursors[file.key];
  if (info === undefined || adapter.reader.load === undefined) return undefined;
  if (cursor !== undefined && isUnchanged(cursor, file, info)) return undefined;
  const known = (key: string): readonly string[] => writer.key(rowKey(file, key))?.split(' ') ?? [];
  const rows = adapter.reader.load(machine, file, (key) => known(key)[0]);
  gathering.inherited = false;
  gathering.rereading = false;
  const context = contextOf(reading, file);
  const state: DecoderState = { ...adapter.reader.start(context), ...structuredClone(cursor?.state) };
  const decoding: Decoding = { adapter, state, given: givenOf(reading, context, info), counts: gathering };
  const opaque = opaqueOf(adapter);
  const archived = writer.before.native[file.key] ?? emptyArchive;
  const lines: Buffer[] = [];
  for (const { key, stamp, record } of rows) {
    const text = JSON.stringify(record);
    const mark = rowMark(stamp, text);
    const isSame = known(key)[1] === mark.slice(stamp.length + 1);
    writer.setKey(rowKey(file, key), mark);
    if (isSame) continue;
    const line = Buffer.from(`${text}\n`, 'utf8');
    lines.push(line);
    decodeLine(line.subarray(0, -1), decoding, opaque);
  }
  settle(decoding);
  const bytes = Buffer.concat(lines);
  if (bytes.length > 0) writer.archive(file.key, { freshUnless: true }).append(bytes);
  const before = readArchiveEnd(writer.folder, file.key, archived, Math.max(0, guardBytes - bytes.length));
  return {
    cursor: {
      ...placeOf(file, info),
      offset: archivedBytes(archived) + bytes.length,
      guard: hashOf(Buffer.concat([before, bytes]).subarray(-guardBytes)),
      state,
    },
    bytes: bytes.length,
    rewritten: false,
  };
}

/** Under this key stands when a row was read and what it said then ({@link rowMark}). */
export function rowKey(file: Pick<SourceFile, 'key'>, key: string): string {
  return `row:${file.key}:${key}`;
}

/** A row's stamp, and a hash of its line. */
export function rowMark(stamp: string, text: string): string {
  return `${stamp} ${hashOf(Buffer.from(`${text}\n`, 'utf8')).slice(0, 16)}`;
}
