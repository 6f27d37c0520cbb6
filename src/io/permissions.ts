/** Who may do what with a file. */

import { accessSync, chmodSync, constants, lstatSync } from 'node:fs';
import { unwritable } from './file-errors.ts';

/** The permission bits of a file or folder, and whether it is this account's; `undefined` when nothing is there, or it is a link. */
export function permissionsOf(path: string): { readonly mode: number; readonly isOwn: boolean } | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isSymbolicLink()) return undefined;
  return { mode: stats.mode & 0o777, isOwn: process.getuid === undefined || stats.uid === process.getuid() };
}

/** Sets the permission bits. Throws `store-unwritable`. */
export function setMode(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** May this account write it (of a folder: make files in it)? */
export function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
