import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { logFile } from './log-file.ts';

test('lines keep their time, nothing breaks out of one, and the files stay small and private', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sessionfs-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'test.log');
  logFile(path, 300).add('first\n\u001B[2Jand more');
  assert.match(readFileSync(path, 'utf8'), /^\d{4}-\d\d-\d\dT[\d:.]+Z first \[2Jand more\n$/);
  const log = logFile(path, 300);
  for (let number = 1; number <= 40; number += 1) log.add(`line ${number}`);
  const texts = [`${path}.1`, path].map((file) => readFileSync(file, 'utf8'));
  const numbers = texts
    .join('')
    .split('\n')
    .flatMap((line) => /line (\d+)$/.exec(line)?.[1] ?? [])
    .map(Number);
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => 40 - numbers.length + 1 + at),
  );
  for (const file of [path, `${path}.1`]) {
    assert.ok(statSync(file).size <= 300);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  }
});
