import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SessionFsError } from '../errors.ts';
import { appendBounded } from './bounded-file.ts';

const bounds = { limitBytes: 100, isRunning: () => true };

function folder(t: { readonly after: (work: () => void) => void }): string {
  const path = mkdtempSync(join(tmpdir(), 'sessionfs-bounded-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('it is private, and at its limit goes on in a new file with the one before beside it', (t) => {
  const path = join(folder(t), 'log');
  const line = `${'x'.repeat(39)}\n`;
  for (let count = 0; count < 2; count += 1) appendBounded(path, line, bounds);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(existsSync(`${path}.1`), false);
  appendBounded(path, 'third\n', { ...bounds, limitBytes: 80 });
  assert.deepEqual([readFileSync(path, 'utf8'), readFileSync(`${path}.1`, 'utf8')], ['third\n', line + line]);
  for (let count = 0; count < 3; count += 1) appendBounded(path, line, bounds);
  assert.deepEqual([readFileSync(path, 'utf8'), readFileSync(`${path}.1`, 'utf8')], [line, `third\n${line}${line}`]);
});

test('what is longer than the limit is written all the same', (t) => {
  const path = join(folder(t), 'log');
  appendBounded(path, `${'x'.repeat(300)}\n`, bounds);
  assert.equal(statSync(path).size, 301);
});

test('several processes at once lose no line but those that are too old', async (t) => {
  const path = join(folder(t), 'log');
  const script = `
    const { appendBounded } = await import(${JSON.stringify(new URL('bounded-file.ts', import.meta.url).href)});
    for (let line = 0; line < 300; line += 1)
      appendBounded(${JSON.stringify(path)}, process.argv[1] + ' ' + line + '\\n', { limitBytes: 12000, isRunning: () => true });
  `;
  const writers = ['a', 'b', 'c', 'd'].map((name) =>
    spawn(process.execPath, ['--input-type=module', '-e', script, name], { stdio: 'inherit' }),
  );
  const ended = await Promise.all(
    writers.map((writer) => new Promise<number | null>((resolve) => writer.on('close', resolve))),
  );
  assert.deepEqual(ended, [0, 0, 0, 0]);
  // 1,200 lines are less than 8,000 bytes: none is too old.
  const lines = [`${path}.1`, path].flatMap((file) =>
    existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [],
  );
  assert.equal(new Set(lines).size, 1200);
  assert.equal(existsSync(`${path}.lock`), false);
});

test('a folder that is not there is told', (t) => {
  assert.throws(
    () => appendBounded(join(folder(t), 'none', 'log'), 'x\n', bounds),
    (error) => error instanceof SessionFsError && error.code === 'store-unwritable',
  );
});
