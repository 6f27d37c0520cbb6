import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextSweepMs } from './sweeps.ts';

test('cheap sweeps keep their least distance', () => {
  const last = { endedMs: 1000, costMs: 2 };
  assert.equal(nextSweepMs('glance', last, true), 61_000);
  assert.equal(nextSweepMs('search', last, true), 601_000);
  assert.equal(nextSweepMs('glance', last, false), 2000);
});

test('dear ones come seldom: both take at most a thousandth of the time', () => {
  for (const costMs of [1, 50, 400, 3000, 100_000]) {
    const share = (['glance', 'search'] as const).reduce(
      (sum, sweep) => sum + costMs / nextSweepMs(sweep, { endedMs: 0, costMs }, true),
      0,
    );
    assert.ok(share <= 0.001, `${costMs} ms: ${share}`);
  }
});
