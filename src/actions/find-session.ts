/** From what a person types to a session: an id, an alias, the beginning of an id, a native id, or `@last`. */

import { SessionFsError } from '../errors.ts';
import type { SessionIndex, SessionRow } from '../store/session-index.ts';
import { nearest } from '../model/near.ts';
import { aliasesIn } from '../store/aliases.ts';
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
  const aliases = aliasesIn(site.store);
  const aliased = index.get(aliases.get(argument) ?? '');
  if (aliased !== undefined) return aliased;
  const candidates = argument === '' || argument === 'ses_' ? [] : index.byPrefix(argument, shown + 1);
  const [first, ...others] = candidates;
  if (first === undefined) throw notFound(index, argument, aliases, site);
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

function notFound(
  index: SessionIndex,
  argument: string,
  aliases: ReadonlyMap<string, string>,
  site: Site,
): SessionFsError {
  const wanted = aliases.get(argument) ?? argument;
  const deleted =
    wanted === ''
      ? undefined
      : [...deletedSessions(site.store).keys()].find((id) => id.startsWith(wanted) || id.startsWith(`ses_${wanted}`));
  if (deleted !== undefined)
    return new SessionFsError('session-not-found', `${deleted} was deleted`, `take it back: sfs restore ${deleted}`);
  const near = nearest(argument, namesLike(index, argument, aliases));
  return new SessionFsError(
    'session-not-found',
    `no session is called ${JSON.stringify(argument)}`,
    near === undefined ? 'list them: sfs list --all' : `did you mean ${near}? All of them: sfs list --all`,
  );
}

/** Aliases, and ids cut to as much as was typed. */
function* namesLike(index: SessionIndex, argument: string, aliases: ReadonlyMap<string, string>): Generator<string> {
  yield* aliases.keys();
  const skipped = argument.startsWith('ses_') ? 0 : 'ses_'.length;
  for (const { session_id: id } of index.list({}).rows) yield id.slice(skipped, skipped + argument.length);
}
