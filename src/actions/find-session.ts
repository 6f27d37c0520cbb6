/** From what a person types to a session: an id, the beginning of one, a native id, or `@last`. */

import { SessionFsError } from '../errors.ts';
import type { SessionIndex, SessionRow } from '../store/session-index.ts';
import { deletedSessions } from '../store/trash.ts';
import type { Site } from './site.ts';

const shown = 10;

/** The session meant. Throws `session-not-found`, or `ambiguous-session` naming the candidates. */
export function findSession(index: SessionIndex, argument: string, site: Site): SessionRow {
  if (argument === '@last') {
    const newest = index.list({ limit: 1 }).rows[0];
    if (newest === undefined)
      throw new SessionFsError(
        'session-not-found',
        'nothing has been captured yet',
        'capture what is on this machine: sfs import',
      );
    return newest;
  }
  const exact = index.get(argument);
  if (exact !== undefined) return exact;
  const candidates = argument === '' || argument === 'ses_' ? [] : index.byPrefix(argument, shown + 1);
  const [first, ...others] = candidates;
  if (first === undefined) throw notFound(argument, site);
  if (others.length === 0) return first;
  const lines = candidates
    .slice(0, shown)
    .map((row) => `  ${row.session_id}  ${row.tool}  ${row.title ?? '(untitled)'}`);
  if (candidates.length > shown) lines.push('  …');
  throw new SessionFsError(
    'ambiguous-session',
    `${JSON.stringify(argument)} means more than one session:\n${lines.join('\n')}`,
    'type more of the id',
  );
}

function notFound(argument: string, site: Site): SessionFsError {
  const deleted =
    argument === ''
      ? undefined
      : [...deletedSessions(site.store).keys()].find(
          (id) => id.startsWith(argument) || id.startsWith(`ses_${argument}`),
        );
  return deleted === undefined
    ? new SessionFsError(
        'session-not-found',
        `no session is called ${JSON.stringify(argument)}`,
        'list them: sfs list --all',
      )
    : new SessionFsError('session-not-found', `${deleted} was deleted`, `take it back: sfs restore ${deleted}`);
}
