import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeLine, encodeLine } from './line.ts';

test('a line stays one line for readers that split at every Unicode line end', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '\u2028', '\u2029', '\u0085', '\n', '"', '→', '\\') }),
      (text) => {
        const line = encodeLine({ text });
        assert.ok(!/[\n\u0085\u2028\u2029]/.test(line));
        assert.deepEqual(decodeLine(line), { text });
      },
    ),
  );
});

test('what is not JSON is undefined', () => {
  for (const text of ['', '{', 'nul', '\0']) assert.equal(decodeLine(text), undefined);
});
