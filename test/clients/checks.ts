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
  'relay',
  'foreign',
  'large',
  'unicode',
  'budget',
  'fork',
  'snapshot',
  'refused',
  'account',
] as const;

/** One of the columns. */
export type Column = (typeof columns)[number];

/** The collected checks of a run. */
export type Checks = {
  /** Records one check of a pair, or of a recording; `why` is printed at once when it failed. Returns `ok`. */
  readonly check: (pair: string, column: Column, ok: boolean, why: () => string) => boolean;
  /** How many passed and failed so far. */
  readonly totals: () => { readonly passed: number; readonly failed: number };
  /** The matrix as lines of text, the pairs with an older version and the recordings apart: ✓ all passed, ✗ one failed, – not checked. */
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
      const sorted = [...rows].toSorted(([a], [b]) => a.localeCompare(b));
      const kindOf = ([name]: Row) => (name.includes('→') ? (name.includes('@') ? 'older' : 'current') : 'account');
      const { current = [], older = [], account = [] } = Object.groupBy(sorted, kindOf);
      return [current, older, account].flatMap(tableOf);
    },
  };
}

type Row = readonly [pair: string, cells: ReadonlyMap<Column, Cell>];

/** One table, with the columns that any of its rows has checks in. */
function tableOf(rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return [];
  const shown = columns.filter((column) => rows.some(([, cells]) => cells.has(column)));
  const width = Math.max(...rows.map(([pair]) => pair.length));
  const heading = [' '.repeat(width), ...shown].join('  ');
  const body = rows.map(([pair, cells]) =>
    [pair.padEnd(width), ...shown.map((column) => mark(cells.get(column)).padEnd(column.length))].join('  ').trimEnd(),
  );
  return ['', heading, ...body];
}

function mark(cell: Cell | undefined): string {
  if (cell === undefined) return '–';
  return cell === 'failed' ? '✗' : '✓';
}
