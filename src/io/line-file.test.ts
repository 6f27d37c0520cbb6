import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineFile, linesInFile } from './line-file.ts';
import { linesOf } from './lines.ts';

/** Longer than the buffer at first, and than the one it grows to. */
const lengths = fc.constantFrom(0, 1, 70, 4096, 262_143, 262_144, 300_000, 1_100_000);

test('lines of a file are those of its bytes, one after the other and in any order', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'line-file-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'lines');
  const order = fc.array(fc.nat(20), { maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(lengths, { maxLength: 8 }),
      fc.boolean(),
      fc.nat(2_000_000),
      order,
      (all, ends, to, visits) => {
        const text = all.map((length, index) => String.fromCharCode(97 + index).repeat(length)).join('\n');
        const bytes = Buffer.from(ends ? `${text}\n` : text, 'utf8');
        writeFileSync(path, bytes);
        const expected = [...linesOf([bytes.subarray(0, to)])];
        const plain = (line: (typeof expected)[number]): unknown => ({ ...line, bytes: line.bytes.toString('utf8') });
        assert.deepEqual(Array.from(linesInFile(path, to), plain), expected.map(plain));
        const file = new LineFile(path, to);
        for (const visit of visits) {
          const line = expected[visit % Math.max(1, expected.length)];
          if (line === undefined) continue;
          const found = file.at(line.offset);
          assert.deepEqual(found && plain(found), plain(line));
        }
        assert.equal(file.at(Math.min(to, bytes.length)), undefined);
        file.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('a file that is not there is unreadable', () => {
  assert.throws(() => new LineFile('/nowhere/at/all'), { code: 'unreadable' });
});
