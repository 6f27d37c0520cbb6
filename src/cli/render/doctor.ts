/** What the checks say, as a person reads it. */

import type { Check } from '../../actions/doctor.ts';
import { counted, printable, oneLine, styled } from './text.ts';

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const satisfies Record<Check['status'], string>;

/** A line for each check, below it what to type, then the sum. */
export function doctorLines(checks: readonly Check[], homeDir: string, useColour: boolean): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const short = (text: string): string => printable(oneLine(text).replaceAll(`${homeDir}/`, '~/'));
  const lines = checks.flatMap(({ name, status, detail, hint, fixed }) => [
    `${styled(useColour, colours[status], status.padEnd(4))}  ${name.padEnd(width)}  ${short(detail)}`,
    ...(fixed === null ? [] : [`${' '.repeat(width + 8)}mended: ${short(fixed)}`]),
    ...(hint === null ? [] : [`${' '.repeat(width + 8)}hint: ${short(hint)}`]),
  ]);
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const mended = checks.filter(({ fixed }) => fixed !== null).length;
  const sum = [
    ...(mended === 0 ? [] : [`${mended} mended`]),
    ...(count('fail') === 0 ? [] : [counted(count('fail'), 'failure')]),
    ...(count('warn') === 0 ? [] : [counted(count('warn'), 'warning')]),
  ];
  return [...lines, '', sum.length === 0 ? 'Nothing is wrong.' : `${sum.join(', ')}.`];
}
