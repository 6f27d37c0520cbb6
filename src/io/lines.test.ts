import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { linesOf } from './lines.ts';

test('lines and offsets do not depend on where the chunks are cut', () => {
  const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '→', '\n', '\0') }), { maxLength: 8 });
  fc.assert(
    fc.property(texts, fc.nat(50), (chunks, from) => {
      const whole = Buffer.from(chunks.join(''), 'utf8');
      const pieces = chunks.map((chunk) => Buffer.from(chunk, 'utf8'));
      const lines = [...linesOf(pieces, from)];
      assert.deepEqual(
        lines.map(({ bytes }) => bytes.toString('utf8')),
        splitAt(whole.toString('utf8')),
      );
      for (const line of lines) {
        assert.deepEqual(whole.subarray(line.offset - from, line.offset - from + line.bytes.length), line.bytes);
        assert.equal(line.end, line.offset + line.bytes.length + (line.complete ? 1 : 0));
      }
    }),
  );
});

/** What a line is: ended by a newline, or the rest when there is one. */
function splitAt(text: string): string[] {
  const parts = text.split('\n');
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}
