/** Deleted sessions as a person reads them. */

import type { Deleted } from '../../actions/trash.ts';
import { table } from './table.ts';
import { agoText, oneLine } from './text.ts';

/** Lines of a table, headings first. */
export function trashTable(
  deleted: readonly Deleted[],
  options: { readonly now: Date; readonly width: number },
): string[] {
  return table(
    [
      { heading: 'ID' },
      { heading: 'TOOL' },
      { heading: 'TITLE', flexible: true },
      { heading: 'MSGS', align: 'right' },
      { heading: 'DELETED' },
    ],
    deleted.map((session) => [
      session.session_id,
      session.tool,
      oneLine(session.title ?? '(untitled)'),
      String(session.message_count),
      session.deleted_at === null ? 'unknown' : agoText(session.deleted_at, options.now),
    ]),
    options.width,
  );
}
