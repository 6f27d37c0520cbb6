import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OutlineItem } from './outline.ts';
import { outline } from './outline.ts';

const item = (id: string, agent?: string, calls: readonly string[] = []): OutlineItem => ({
  msg_id: id,
  parent_msg_id: null,
  timestamp: '',
  agent,
  calls,
});

const shown = (items: readonly OutlineItem[], agentCalls: { readonly [agent: string]: string }): string =>
  [...outline(items, agentCalls)]
    .map((step) => (step.step === 'message' ? step.item.msg_id : step.step === 'begin' ? `${step.agent}(` : ')'))
    .join(' ');

test('a sub-agent stands below the call that started it, one nobody called where it began', () => {
  const items = [
    item('a', undefined, ['c']),
    item('b'),
    item('x', 'X', ['d']),
    item('y', 'Y'),
    item('e'),
    item('z', 'Z'),
    item('f'),
  ];
  assert.equal(shown(items, { X: 'c', Y: 'd', Z: 'nothing' }), 'a X( x Y( y ) ) b e Z( z ) f');
});

test('every message comes once and every part is closed, whoever claims to have called whom', () => {
  const agent = fc.constantFrom(undefined, 'A', 'B', 'C', 'D', '__proto__');
  const call = fc.constantFrom('1', '2', '3', '4');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(agent, fc.array(call, { maxLength: 2 })), { maxLength: 20 }),
      fc.dictionary(fc.constantFrom('A', 'B', 'C', 'D'), call),
      (made, agentCalls) => {
        const items = made.map(([who, calls], index) => item(String(index), who, calls));
        const steps = [...outline(items, agentCalls)];
        const ids = steps.flatMap((step) => (step.step === 'message' ? [step.item.msg_id] : []));
        assert.deepEqual(
          ids.toSorted((a, b) => Number(a) - Number(b)),
          items.map(({ msg_id: id }) => id),
        );
        let depth = 0;
        for (const { step } of steps) {
          depth += step === 'begin' ? 1 : step === 'end' ? -1 : 0;
          assert.ok(depth >= 0);
        }
        assert.equal(depth, 0);
      },
    ),
  );
});
