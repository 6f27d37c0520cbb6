import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readingOrder } from './order.ts';

interface Item {
  readonly msg_id: string;
  readonly parent_msg_id: string | null;
  readonly timestamp: string;
}

const item = (msg_id: string, parent_msg_id: string | null, second: number): Item => ({
  msg_id,
  parent_msg_id,
  timestamp: new Date(second * 1000).toISOString(),
});

const idsOf = (items: readonly Item[]): string[] => items.map(({ msg_id: id }) => id);

test('parents come first, whatever the clocks say', () => {
  assert.deepEqual(idsOf(readingOrder([item('c', 'b', 1), item('b', 'a', 2), item('a', null, 3)])), ['a', 'b', 'c']);
});

test('branches interleave by time, then by id', () => {
  const items = [item('a', null, 0), item('z', 'a', 5), item('m', 'a', 5), item('q', 'z', 6), item('b', 'm', 7)];
  assert.deepEqual(idsOf(readingOrder(items)), ['a', 'm', 'z', 'q', 'b']);
});

test('a missing parent makes a root; a cycle is broken at its earliest member', () => {
  assert.deepEqual(idsOf(readingOrder([item('x', 'gone', 2), item('b', 'a', 9), item('a', 'b', 8)])), ['x', 'a', 'b']);
});

test('the order is a function of the set, and every item comes once', () => {
  const sets = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 5 })),
    {
      selector: ([id]) => id,
      maxLength: 25,
    },
  );
  fc.assert(
    fc.property(sets, fc.integer(), (set, seed) => {
      const items = set.map(([id, parent, time]) => item(`m${id}`, parent === id ? null : `m${parent}`, time));
      const shuffled = items.toSorted((a, b) => hash(a.msg_id, seed) - hash(b.msg_id, seed));
      const ordered = idsOf(readingOrder(items));
      assert.deepEqual(idsOf(readingOrder(shuffled)), ordered);
      assert.deepEqual(ordered.toSorted(), idsOf(items).toSorted());
    }),
  );
});

function hash(text: string, seed: number): number {
  let value = seed;
  for (const character of text) value = (value * 31 + (character.codePointAt(0) ?? 0)) | 0;
  return value;
}
