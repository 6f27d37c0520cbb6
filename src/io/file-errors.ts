/** What the system says of a file, as errors that name the file and what helps. */

import { SessionFsError, messageOf, systemCodeOf } from '../errors.ts';

/** What keeps a file or a folder from being read. */
export function unreadable(path: string, cause: unknown): SessionFsError {
  return new SessionFsError(
    'unreadable',
    `cannot read ${path}: ${messageOf(cause)}`,
    `check that it is there and that you may read it: ls -ld '${path}'`,
    cause,
  );
}

/** What keeps a file from being written, and what helps. */
export function unwritable(path: string, cause: unknown): SessionFsError {
  if (cause instanceof SessionFsError) return cause;
  const code = systemCodeOf(cause);
  if (code === 'EEXIST')
    return new SessionFsError(
      'already-exists',
      `${path} is there already`,
      'choose another name, or move it away',
      cause,
    );
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'free some space and run the same command again; nothing that was captured is lost'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'make it writable, or set SFS_HOME to a folder that is'
        : undefined;
  return new SessionFsError('store-unwritable', `cannot write ${path}: ${messageOf(cause)}`, hint, cause);
}
