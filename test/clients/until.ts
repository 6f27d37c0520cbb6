/** Waiting for conditions instead of for time. */

import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds between two looks. */
const lookEveryMs = 60;

/**
 * Looks until `look` gives something other than `undefined`, and returns it. Throws after `timeoutMs`, naming `what` was
 * waited for and what `detail` adds (e.g. the screen).
 */
export async function until<Found>(
  what: string,
  look: () => Found | undefined | Promise<Found | undefined>,
  timeoutMs: number,
  detail: () => string = () => '',
): Promise<Found> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1000} s for ${what}${detail()}`);
    await pause(lookEveryMs);
  }
}
