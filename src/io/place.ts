/** Puts files below a tool's home: nowhere else, through no link, over nothing that is there. */

import { dirname, join, sep } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { FileDraft, exists, isLink, makeFolder, prepareFile } from './files.ts';
import type { PreparedFile } from './files.ts';
import { prepareDatabase } from './sqlite.ts';
import type { Insert } from './sqlite.ts';

/** The absolute path of a file below `home`. Throws `outside-home` for `..`, absolute parts, or a link on the way. */
export function pathBelow(home: string, relativePath: string): string {
  const parts = relativePath.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes(sep) || part.includes('\0'))) {
    throw new SessionFsError(
      'outside-home',
      `${JSON.stringify(relativePath)} does not lie below ${home}`,
      'this is a fault in the session or the adapter; nothing was written',
    );
  }
  let path = home;
  for (const part of parts) {
    path = join(path, part);
    if (isLink(path)) {
      throw new SessionFsError(
        'outside-home',
        `${path} is a symbolic link, and nothing is written through links`,
        `replace it by a real folder or file: ls -l '${path}'`,
      );
    }
  }
  return path;
}

/** Writes a file below `home` that appears when it is published. */
export function prepareBelow(home: string, relativePath: string, chunks: Iterable<Uint8Array>): PreparedFile {
  return prepareFile(freePath(home, relativePath), chunks);
}

/** Begins such a file, to be written piece by piece. */
export function draftBelow(home: string, relativePath: string): FileDraft {
  return new FileDraft(freePath(home, relativePath));
}

/** The same of a database ({@link prepareDatabase}). */
export function prepareDatabaseBelow(
  home: string,
  relativePath: string,
  schema: string,
  fill: (insert: Insert) => void,
): PreparedFile {
  return prepareDatabase(freePath(home, relativePath), schema, fill);
}

/** A path where nothing is yet, in a folder that is there. */
function freePath(home: string, relativePath: string): string {
  const path = pathBelow(home, relativePath);
  if (exists(path))
    throw new SessionFsError(
      'already-exists',
      `${path} is there already`,
      'it is somebody else’s session; resume again to get a new id',
    );
  makeFolder(dirname(path));
  return path;
}
