import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Link, LiveOp } from './live.ts';
import { liveIds } from './live.ts';

const main = (parent: string | null): Link => ({ parent, sidechain: false });

/** a ← b ← c ← d, and b ← x (another branch). */
const links = new Map<string, Link>([
  ['a', main(null)],
  ['b', main('a')],
  ['c', main('b')],
  ['d', main('c')],
  ['x', main('b')],
]);

const cases: readonly { readonly name: string; readonly ops: readonly LiveOp[]; readonly view: readonly string[] }[] = [
  { name: 'without operations the last main message is the leaf', ops: [], view: ['a', 'b', 'x'] },
  {
    name: 'the last leaf counts',
    ops: [
      { op: 'leaf', id: 'x' },
      { op: 'leaf', id: 'd' },
    ],
    view: ['a', 'b', 'c', 'd'],
  },
  {
    name: 'a rewind steps back',
    ops: [
      { op: 'leaf', id: 'd' },
      { op: 'rewind', id: 'b' },
    ],
    view: ['a', 'b'],
  },
  { name: 'a rewind to nothing leaves nothing', ops: [{ op: 'rewind', id: null }], view: [] },
  {
    name: 'a replacement stands for what came before it',
    ops: [
      { op: 'leaf', id: 'd' },
      { op: 'replace', at: 'b', with: ['x'] },
    ],
    view: ['x', 'c', 'd'],
  },
  {
    name: 'a replacement on another branch does not count',
    ops: [
      { op: 'replace', at: 'x', with: [] },
      { op: 'leaf', id: 'd' },
    ],
    view: ['a', 'b', 'c', 'd'],
  },
  {
    name: 'what a replacement names twice, or what comes again behind it, stands in its last place',
    ops: [
      { op: 'leaf', id: 'd' },
      { op: 'replace', at: 'b', with: ['x', 'a', 'x', 'd'] },
    ],
    view: ['a', 'x', 'c', 'd'],
  },
  {
    name: 'of two replacements the deeper one counts',
    ops: [
      { op: 'leaf', id: 'd' },
      { op: 'replace', at: 'c', with: ['a'] },
      { op: 'replace', at: 'b', with: ['x'] },
    ],
    view: ['a', 'd'],
  },
  {
    name: 'a leaf that is not there is passed over',
    ops: [
      { op: 'leaf', id: 'd' },
      { op: 'leaf', id: 'gone' },
    ],
    view: ['a', 'b', 'c', 'd'],
  },
];

for (const { name, ops, view } of cases) test(name, () => assert.deepEqual(liveIds(links, ops), view));

test('a sub-agent’s message is never the leaf', () => {
  assert.deepEqual(liveIds(new Map([...links, ['s', { parent: null, sidechain: true }]]), []), ['a', 'b', 'x']);
});

test('a cycle ends the walk', () => {
  assert.deepEqual(
    liveIds(
      new Map([
        ['a', main('b')],
        ['b', main('a')],
      ]),
      [],
    ),
    ['a', 'b'],
  );
});
