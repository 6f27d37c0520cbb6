/** The list of sessions as a person reads it. */

import { basename } from 'node:path';
import type { ListedSession } from '../../actions/list.ts';
import { table } from './table.ts';
import { agoText, oneLine, styled } from './text.ts';

/** Lines of a table, newest information last in the row. Ids are cut to what tells them apart from the others shown. */
export function sessionTable(
  sessions: readonly (ListedSession & { readonly depth?: number })[],
  options: { readonly now: Date; readonly width: number; readonly useColour: boolean },
): string[] {
  const idLength = distinctLength(sessions.map(({ session_id: id }) => id.slice('ses_'.length)));
  const rows = sessions.map((session) => [
    session.session_id.slice('ses_'.length, 'ses_'.length + idLength),
    oneLine(session.tool),
    branch(session.depth ?? 0) +
      oneLine(session.title ?? '(untitled)') +
      (session.ghost ? ' †' : '') +
      (session.parent_session_id === null || (session.depth ?? 0) > 0 ? '' : ' ↳'),
    String(session.message_count),
    session.project === null ? '' : oneLine(basename(session.project)),
    agoText(session.updated_at, options.now),
  ]);
  const [head, ...lines] = table(
    [
      { heading: 'ID' },
      { heading: 'TOOL', gives: 3 },
      { heading: 'TITLE', flexible: true, least: 16 },
      { heading: 'MSGS', align: 'right', gives: 2 },
      { heading: 'PROJECT', flexible: true, gives: 1 },
      { heading: 'UPDATED' },
    ],
    rows,
    options.width,
  );
  return [styled(options.useColour, 'dim', head ?? ''), ...lines];
}

/** In a thread: below what it goes on from. Very deep ones stop moving to the right. */
function branch(depth: number): string {
  return depth === 0 ? '' : `${'  '.repeat(Math.min(depth, 12) - 1)}└ `;
}

function distinctLength(ids: readonly string[]): number {
  for (let length = 8; length < 16; length += 2)
    if (new Set(ids.map((id) => id.slice(0, length))).size === ids.length) return length;
  return 16;
}
