/**
 * What a writer makes, read by the same tool's reader, differs from what it was given by exactly the losses it counts: asked of
 * each adapter that writes, over sessions made from a seed.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Adapter } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import { schemas } from '../support/schemas.ts';
import { differenceBetween } from './difference.ts';
import { writtenAndRead } from './round-trip.ts';
import { madeSession } from './sessions.ts';
import type { MadeSession } from './sessions.ts';
import { toldBy } from './told.ts';

/** The same sessions at every run; others or more: `SFS_SEED=7 SFS_RUNS=100000`. */
const made = { seed: Number(process.env['SFS_SEED'] ?? 1), numRuns: Number(process.env['SFS_RUNS'] ?? 10_000) };

for (const adapter of adapters.filter(({ writer }) => writer !== undefined)) {
  test(`${adapter.name} reads again what it was given, but for the losses that were counted`, () => {
    fc.assert(
      fc.property(madeSession(), (session) => checkWritten(adapter, session)),
      made,
    );
  });
}

function checkWritten(adapter: Adapter, session: MadeSession): void {
  const { meant, found, losses } = writtenAndRead(adapter, session);
  const { unexplained, losses: differing } = differenceBetween(toldBy(meant, 'live'), toldBy(found, 'read'));
  assert.deepEqual(unexplained, []);
  assert.deepEqual(sorted(losses), sorted(differing));
  for (const message of found) assert.deepEqual(schemas.message(message), []);
}

/** By the name in front of the colon where what follows says which kind it is. */
function sorted(losses: ReadonlyMap<string, number>): (readonly [string, number])[] {
  const byName = new Map<string, number>();
  for (const [name, count] of losses) {
    const plain = name.startsWith('image:') ? 'image' : name;
    byName.set(plain, (byName.get(plain) ?? 0) + count);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
}
