/** What a benchmark comes to, and how it is shown. */

/** One measured figure beside its floor and its goal. */
export interface Figure {
  readonly name: string;
  /** The figure as people read it, with its unit. */
  readonly value: string;
  /** What it is held against, measured in the same run. */
  readonly floor?: string;
  /** Ratio to the floor, or difference from it. */
  readonly against?: string;
  /** What we want, as text. Absent: for information. */
  readonly goal?: string;
  readonly met?: boolean;
  /** The numbers behind it, for `--json`. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** The figures as a table in Markdown, which reads well on a terminal too. */
export function table(figures: readonly Figure[]): string {
  const head = ['figure', 'measured', 'floor', 'against it', 'goal', 'met'];
  const rows = figures.map((figure) => [
    figure.name,
    figure.value,
    figure.floor ?? '',
    figure.against ?? '',
    figure.goal ?? '',
    figure.met === undefined ? '' : figure.met ? 'yes' : 'no',
  ]);
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

/** The middle of the values; the 0.5 of {@link quantile}. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of the values lies, between neighbours in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}

/** Bytes as MB, a million each. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;
}

/** Milliseconds, as seconds when there are many. */
export function duration(ms: number): string {
  return ms >= 10_000
    ? `${(ms / 1000).toFixed(1)} s`
    : ms >= 1000
      ? `${(ms / 1000).toFixed(2)} s`
      : `${ms.toFixed(1)} ms`;
}
