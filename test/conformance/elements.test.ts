/** What writers say of themselves is so, thing by thing: what they leave out uncounted, and which kinds of blocks they carry. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapters } from '../../src/adapters/index.ts';
import { elements } from './elements.ts';
import { outcomeOf } from './outcome.ts';

for (const target of adapters.filter(({ writer }) => writer !== undefined)) {
  test(`${target.name}: whatever is not there has a loss counted for it, but for what the writer omits`, () => {
    const uncounted = elements.filter((element) =>
      adapters.some((source) => outcomeOf(element, source, target).what === 'omitted'),
    );
    assert.deepEqual(
      uncounted.map(({ name, aside }) => aside ?? name).sort(),
      [...(target.writer?.omits ?? [])].sort(),
    );
  });

  test(`${target.name}: what its own sessions hold is carried, changed with a count, or left out as declared`, () => {
    const others = elements.flatMap((element) => {
      const { what, losses } = outcomeOf(element, target, target);
      return what === 'changed' && losses.length === 0 ? [element.name] : [];
    });
    // A summary may get the target's marks around it, and clocks are set right.
    assert.deepEqual(
      others.filter((name) => name !== 'compaction: the summary' && name !== 'times that run backwards'),
      [],
    );
  });
}
