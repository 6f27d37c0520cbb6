import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agoText, columnsOf, fit, oneLine, printable, shellText, sizeText } from './text.ts';
import { table } from './table.ts';

test('foreign text cannot steer the terminal', () => {
  assert.equal(oneLine('a\u001B[2Jb\r\nc\u202Ed'), 'a [2Jb c d');
  assert.equal(printable('x\u001B]0;t\u0007\ty\nz'), 'x\uFFFD]0;t\uFFFD\ty\nz');
});

test('wide characters take two columns', () => {
  assert.deepEqual(['abc', '漢字', '👍🏽', 'é'].map(columnsOf), [3, 4, 2, 1]);
  assert.equal(fit('漢字漢字', 5), '漢字…');
  assert.equal(fit('abcdef', 6), 'abcdef');
  assert.equal(fit('abcdefg', 6), 'abcde…');
});

test('sizes, ages and commands read as people write them', () => {
  assert.deepEqual([12, 1234, 123_456, 5_000_000].map(sizeText), ['12 B', '1.2 KB', '123 KB', '5.0 MB']);
  const now = new Date('2026-01-08T00:00:00Z');
  assert.deepEqual(
    ['2026-01-07T23:59:30Z', '2026-01-07T20:00:00Z', '2026-01-03T00:00:00Z', '2025-12-01T00:00:00Z', 'when'].map(
      (time) => agoText(time, now),
    ),
    ['now', '4h ago', '5d ago', '2025-12-01', 'when'],
  );
  assert.equal(shellText(['codex', 'resume', "it's", 'a b']), "codex resume 'it'\\''s' 'a b'");
});

test('a table gives way where it may, and never exceeds the width', () => {
  const lines = table(
    [{ heading: 'ID' }, { heading: 'TITLE', flexible: true }, { heading: 'N', align: 'right' }],
    [['1', 'a long title that does not fit', '12']],
    24,
  );
  assert.deepEqual(lines, ['ID  TITLE              N', '1   a long title th…  12']);
  for (const line of table(
    [{ heading: 'TITLE', flexible: true }, { heading: 'PROJECT' }],
    [['x'.repeat(50), 'y'.repeat(50)]],
    20,
  ))
    assert.ok(columnsOf(line) <= 20);
});
