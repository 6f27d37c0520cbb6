/** Threads of sessions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from './thread.ts';
import { threads } from './thread.ts';

const session = (id: string, parent: string | null, day = 1): Member => ({
  session_id: id,
  parent_session_id: parent,
  created_at: `2026-11-0${day}T00:00:00.000Z`,
});

function drawn(sessions: readonly Member[], limit?: number): string {
  return threads(sessions, limit)
    .members.map(({ session_id: id, depth }) => `${'-'.repeat(depth)}${id}`)
    .join(' ');
}

test('children stand below their parents by age, threads where their first member stood', () => {
  const sessions = [
    session('c2', 'a', 3),
    session('b', null),
    session('g', 'c1', 4),
    session('a', null),
    session('c1', 'a', 2),
  ];
  assert.equal(drawn(sessions), 'a -c1 --g -c2 b');
  assert.equal(drawn(sessions, 1), 'a -c1 --g -c2');
  assert.deepEqual([threads(sessions, 1).more, threads(sessions, 2).more], [true, false]);
});

test('a parent that is not there begins no thread, and a cycle ends', () => {
  assert.equal(drawn([session('a', 'gone'), session('b', 'b')]), 'a b');
  assert.equal(drawn([session('a', 'b'), session('b', 'a')]), 'b -a');
});

test('a thread of thousands is no deeper than memory', () => {
  const chain = Array.from({ length: 20_000 }, (_, at) => session(`s${at}`, at === 0 ? null : `s${at - 1}`));
  assert.equal(threads(chain).members.at(-1)?.depth, 19_999);
});
