/** Collects the outcome of every check, and prints the matrix. */

/** Columns of the matrix, in the order they are printed. */
export const columns = [
  'text',
  'thinking',
  'parallel',
  'error',
  'edit',
  'image',
  'agent',
  'multi-turn',
  'order',
  'valid',
  'listed',
  'resumed again',
  'lineage',
  'settled',
  'compaction',
  'interrupt',
] as const;

/** One of the columns. */
export type Column = (typeof columns)[number];

/** The collected checks of a run. */
export type Checks = {
  /** Records one check of a pair; `why` is printed at once when it failed. Returns `ok`. */
  readonly check: (pair: string, column: Column, ok: boolean, why: () => string) => boolean;
  /** How many passed and failed so far. */
  readonly totals: () => { readonly passed: number; readonly failed: number };
  /** The matrix as lines of text: ✓ all passed, ✗ one failed, – not checked. */
  readonly table: () => readonly string[];
};

type Cell = 'passed' | 'failed';

/** Starts a collection. `print` gets the reports of failed checks. */
export function collectChecks(print: (line: string) => void): Checks {
  const rows = new Map<string, Map<Column, Cell>>();
  const totals = { passed: 0, failed: 0 };
  return {
    check: (pair, column, ok, why) => {
      const row = rows.get(pair) ?? new Map<Column, Cell>();
      rows.set(pair, row.set(column, ok && row.get(column) !== 'failed' ? 'passed' : 'failed'));
      totals[ok ? 'passed' : 'failed'] += 1;
      if (!ok) print(`✗ ${pair} · ${column}: ${why()}`);
      return ok;
    },
    totals: () => totals,
    table: () => {
      const width = Math.max(0, ...[...rows.keys()].map((pair) => pair.length));
      const heading = [' '.repeat(width), ...columns].join('  ');
      const body = [...rows]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([pair, row]) =>
          [pair.padEnd(width), ...columns.map((column) => mark(row.get(column)).padEnd(column.length))]
            .join('  ')
            .trimEnd(),
        );
      return [heading, ...body];
    },
  };
}

function mark(cell: Cell | undefined): string {
  if (cell === undefined) return '–';
  return cell === 'failed' ? '✗' : '✓';
}
