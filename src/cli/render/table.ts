/** Rows under headings, one line each, within the width of the terminal. */

import { columnsOf, fit } from './text.ts';

/** One column; the one that is `flexible` gives way when the terminal is narrow. */
export interface Column {
  readonly heading: string;
  readonly align?: 'right';
  readonly flexible?: true;
  /** A flexible one does not get narrower. */
  readonly least?: number;
  /** Left out where there is no room for all; the smallest first. */
  readonly gives?: number;
}

/** The lines of the table, headings first. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const dropped = columnToDrop(columns, rows, width);
  if (dropped !== undefined) {
    const without = <Item>(items: readonly Item[]): Item[] => items.filter((_, index) => index !== dropped);
    return table(without(columns), rows.map(without), width);
  }
  const widths = columns.map((column, index) =>
    Math.max(columnsOf(column.heading), ...rows.map((row) => columnsOf(row[index] ?? ''))),
  );
  const over = widths.reduce((sum, one) => sum + one + 2, -2) - width;
  const flexible = columns.flatMap((column, index) => (column.flexible === true ? [index] : []));
  let left = over;
  for (const index of flexible) {
    if (left <= 0) break;
    const current = widths[index] ?? 0;
    const smaller = Math.max(leastOf(columns[index]), current - left);
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

/** The column that goes next, where all of them at their narrowest do not fit. */
function columnToDrop(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): number | undefined {
  const narrowest = columns.map((column, index) => {
    const natural = Math.max(columnsOf(column.heading), ...rows.map((row) => columnsOf(row[index] ?? '')));
    return column.flexible === true ? Math.min(natural, leastOf(column)) : natural;
  });
  if (narrowest.reduce((sum, one) => sum + one + 2, -2) <= width) return undefined;
  const [first] = columns
    .flatMap(({ gives }, index) => (gives === undefined ? [] : [{ gives, index }]))
    .toSorted((a, b) => a.gives - b.gives);
  return first?.index;
}

function leastOf(column: Column | undefined): number {
  return column?.least ?? 8;
}
