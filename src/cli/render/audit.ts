/** The audit log as a person reads it. */

import type { AuditLine } from '../../actions/audit.ts';
import { table } from './table.ts';
import { oneLine } from './text.ts';

/** A row for each line. */
export function auditTable(lines: readonly AuditLine[], width: number): string[] {
  const rows = lines.map(({ at, account, by, event, session_id: id, tool, outcome, details }) => [
    oneLine(at.slice(0, 19).replace('T', ' ')),
    oneLine(by === 'daemon' ? `${account} (daemon)` : account),
    oneLine(event),
    oneLine(outcome),
    oneLine(id ?? ''),
    oneLine(tool ?? ''),
    Object.entries(details ?? {})
      .map(([name, value]) => oneLine(`${name} ${Array.isArray(value) ? value.join(' ') : String(value)}`))
      .join(', '),
  ]);
  return table(
    [
      { heading: 'AT (UTC)' },
      { heading: 'BY', gives: 2 },
      { heading: 'WHAT' },
      { heading: 'OUTCOME' },
      { heading: 'SESSION' },
      { heading: 'TOOL', gives: 3 },
      { heading: 'DETAILS', flexible: true, gives: 1 },
    ],
    rows,
    width,
  );
}
