/** Rows under headings, one line each, within the width of the terminal. */

import { columnsOf, fit } from './text.ts';

/** One column; the one that is `flexible` gives way when the terminal is narrow. */
export interface Column {
  readonly heading: string;
  readonly align?: 'right';
  readonly flexible?: true;
}

/** The lines of the table, headings first. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const widths = columns.map((column, index) =>
    Math.max(columnsOf(column.heading), ...rows.map((row) => columnsOf(row[index] ?? ''))),
  );
  const over = widths.reduce((sum, one) => sum + one + 2, -2) - width;
  const flexible = columns.flatMap((column, index) => (column.flexible === true ? [index] : []));
  let left = over;
  for (const index of flexible) {
    if (left <= 0) break;
    const current = widths[index] ?? 0;
    const smaller = Math.max(8, current - left);
    left -= current - smaller;
    widths[index] = smaller;
  }
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = fit(cells[index] ?? '', widths[index] ?? 0);
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - columnsOf(cell)));
        return column.align === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ heading }) => heading)), ...rows.map(line)].map((text) => fit(text, Math.max(width, 20)));
}
