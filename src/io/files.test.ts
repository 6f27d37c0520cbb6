import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareFile, prepareReplacement, replaceFile } from './files.ts';

test('temporary names that a process of the same number left behind are passed over', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sessionfs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'file');
  const [, first = ''] = /-(\d+)\.tmp$/.exec(prepareReplacement(path, '').temporary) ?? [];
  const left = Array.from({ length: 20 }, (_, at) => `.${process.pid}-${Number(first) + 1 + at}.tmp`);
  for (const name of left) writeFileSync(join(folder, name), 'left');
  replaceFile(path, 'replaced');
  assert.equal(readFileSync(path, 'utf8'), 'replaced');
  prepareFile(join(folder, 'other'), [Buffer.from('new')]).publish();
  assert.equal(readFileSync(join(folder, 'other'), 'utf8'), 'new');
  for (const name of left) assert.equal(readFileSync(join(folder, name), 'utf8'), 'left');
});

test('a replacement that is discarded leaves nothing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sessionfs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'file');
  writeFileSync(path, 'before');
  prepareReplacement(path, 'after').discard();
  assert.equal(readFileSync(path, 'utf8'), 'before');
  assert.deepEqual(readdirSync(folder), ['file']);
});
