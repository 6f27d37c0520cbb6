import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from './time.ts';

test('a time in UTC stays as it is, another is brought into that form', () => {
  assert.equal(timeOf('2026-11-23T05:18:37.260Z'), '2026-11-23T05:18:37.260Z');
  assert.equal(timeOf('2026-11-23T05:18:37.260123Z'), '2026-11-23T05:18:37.260123Z');
  assert.equal(timeOf('2026-11-23T05:18:37+02:00'), '2026-11-23T03:18:37.000Z');
  assert.equal(timeOf('2026-11-23'), '2026-11-23T00:00:00.000Z');
});

test('what is no time is undefined', () => {
  for (const value of [
    undefined,
    null,
    7,
    '',
    'now',
    '2026-13-01T00:00:00Z',
    '+012026-01-01T00:00:00Z',
    'x'.repeat(100),
  ]) {
    assert.equal(timeOf(value), undefined, String(value));
  }
});
