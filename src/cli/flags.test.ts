import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteSize } from './flags.ts';

test('sizes as people write them', () => {
  for (const [text, bytes] of [
    ['1000', 1000],
    ['12B', 12],
    ['5GB', 5e9],
    ['5g', 5e9],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['300M', 300e6],
    ['2KiB', 2048],
    ['1TB', 1e12],
  ] as const)
    assert.equal(byteSize(text), bytes, text);
  for (const text of ['', 'GB', '-5GB', '5 gigabytes', '1e9', '5GBB', '0x10'])
    assert.throws(() => byteSize(text), /is not a size: write 500MB, 5GB/, text);
});
