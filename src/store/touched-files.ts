/**
 * The list of files that a session touched. A long one has a file of its own, named by its content, that the commit names: one more
 * line of a long session then costs nothing of it.
 */

import { join } from 'node:path';
import { decodeLine } from '../format/line.ts';
import { exists, namesIn, readBytes, remove, replaceFile } from '../io/files.ts';
import { hashOf } from '../io/hash.ts';
import type { TouchedFile } from '../model/facts.ts';

type TouchedFiles = readonly TouchedFile[];

/** Characters of a list that is kept in the commit. */
const shortLength = 16_384;
/** Hex digits of its hash that name a list. */
const nameLength = 16;

/** Lists that are in a file of their own, by its name; as long as they are in use. */
const names = new WeakMap<TouchedFiles, string>();

/** Puts a long list into a session's folder, on the disk, where it is not there yet; its name for the commit, `undefined` for a short one. */
export function putFiles(sessionFolder: string, files: TouchedFiles | undefined): string | undefined {
  const known = files && names.get(files);
  if (known !== undefined && exists(pathOf(sessionFolder, known))) return known;
  if (files === undefined) return undefined;
  const text = JSON.stringify(files);
  if (text.length <= shortLength) return undefined;
  const name = hashOf(Buffer.from(text)).slice(0, nameLength);
  if (!exists(pathOf(sessionFolder, name))) replaceFile(pathOf(sessionFolder, name), text);
  names.set(files, name);
  return name;
}

/** The list with this name; `undefined` when it is not there any more. */
export function readFiles(sessionFolder: string, name: string): TouchedFiles | undefined {
  const path = pathOf(sessionFolder, name);
  const files = exists(path) ? decodeLine(readBytes(path).toString('utf8')) : undefined;
  if (!Array.isArray(files)) return undefined;
  // Written by putFiles alone.
  const list = files as unknown as TouchedFiles;
  names.set(list, name);
  return list;
}

/** Removes the lists that the commit does not name. */
export function sweepFiles(sessionFolder: string, name: string | undefined): void {
  const meta = join(sessionFolder, 'meta');
  for (const other of namesIn(meta))
    if (/^files\.[0-9a-f]+\.json$/.test(other) && other !== `files.${name}.json`) remove(join(meta, other));
}

function pathOf(sessionFolder: string, name: string): string {
  return join(sessionFolder, 'meta', `files.${name}.json`);
}
