/** Collects the outcome of every check, and prints the matrix. */

import { known } from './known.ts';

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
  'huge',
  'unicode',
  'budget',
  'fork',
  'snapshot',
  'refused',
  'account',
  'live',
  'copies',
] as const;

/** One of the columns. */
export type Column = (typeof columns)[number];

/** The collected checks of a run. */
export type Checks = {
  /** Records one check of a pair, or of a recording; `why` is printed at once when it failed. Returns `ok`. */
  readonly check: (pair: string, column: Column, ok: boolean, why: () => string) => boolean;
  /** How many passed, failed, and failed as it is known they do. Prints a failure for what is known and no longer so. */
  readonly totals: () => { readonly passed: number; readonly failed: number; readonly known: number };
  /** The matrix as lines of text, the pairs with an older version, the daemon and the recordings apart: ✓ all passed, ✗ one failed, ~ as known, – not checked. */
  readonly table: () => readonly string[];
};

type Cell = 'passed' | 'known' | 'failed';

/** The worse of two counts. */
const severity: Readonly<Record<Cell, number>> = { passed: 0, known: 1, failed: 2 };

/** Starts a collection. `print` gets the reports of failed checks. */
export function collectChecks(print: (line: string) => void): Checks {
  const rows = new Map<string, Map<Column, Cell>>();
  const totals: Record<Cell, number> = { passed: 0, known: 0, failed: 0 };
  const seen = new Set<unknown>();
  return {
    check: (pair, column, ok, why) => {
      const row = rows.get(pair) ?? new Map<Column, Cell>();
      const said = ok ? '' : why();
      const entry = ok
        ? undefined
        : known.find((each) => each.pair === pair && each.column === column && each.says.test(said));
      seen.add(entry);
      const cell: Cell = ok ? 'passed' : entry === undefined ? 'failed' : 'known';
      const before = row.get(column) ?? 'passed';
      rows.set(pair, row.set(column, severity[cell] > severity[before] ? cell : before));
      totals[cell] += 1;
      if (!ok) print(`${mark(cell)} ${pair} · ${column}: ${said}`);
      if (entry !== undefined) print(`  known: ${entry.why}`);
      return ok;
    },
    totals: () => {
      const gone = known.filter((entry) => !seen.has(entry) && rows.get(entry.pair)?.has(entry.column) === true);
      for (const { pair, column, why } of gone) print(`✗ ${pair} · ${column}: no longer so: ${why}`);
      return { ...totals, failed: totals.failed + gone.length };
    },
    table: () => {
      const sorted = [...rows].toSorted(([a], [b]) => a.localeCompare(b));
      const kindOf = ([name]: Row) =>
        name.includes('→')
          ? name.includes('@')
            ? 'older'
            : 'current'
          : name.startsWith('sfsd')
            ? 'daemon'
            : 'account';
      const { current = [], older = [], account = [], daemon = [] } = Object.groupBy(sorted, kindOf);
      return [current, older, daemon, account].flatMap(tableOf);
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
  return { passed: '✓', known: '~', failed: '✗' }[cell];
}
