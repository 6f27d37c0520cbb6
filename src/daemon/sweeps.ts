/** How often the daemon looks for itself: what a watch missed is found again, at a bounded price. */

/**
 * - `glance`: the sessions last changed, and the folders whose content changed.
 * - `search`: every source of every tool.
 */
export type Sweep = 'glance' | 'search';

/** Least time between two, and how many times longer than the last one took. Milliseconds. */
interface Pace {
  readonly leastMs: number;
  readonly timesCost: number;
}

/** Both together take at most a thousandth of a processor while the system tells of changes, two hundredths while it does not. */
const paces: Readonly<Record<'watching' | 'blind', Readonly<Record<Sweep, Pace>>>> = {
  watching: { glance: { leastMs: 60_000, timesCost: 3000 }, search: { leastMs: 600_000, timesCost: 3000 } },
  blind: { glance: { leastMs: 1000, timesCost: 100 }, search: { leastMs: 600_000, timesCost: 100 } },
};

/** When the next one is due, by the one before: when it ended and what processor time it took. */
export function nextSweepMs(
  sweep: Sweep,
  last: { readonly endedMs: number; readonly costMs: number },
  isWatching: boolean,
): number {
  const { leastMs, timesCost } = paces[isWatching ? 'watching' : 'blind'][sweep];
  return last.endedMs + Math.max(leastMs, timesCost * last.costMs);
}
