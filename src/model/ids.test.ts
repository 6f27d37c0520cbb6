import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { contentId, sessionId, sha256Hex } from './ids.ts';
import { isSessionId } from './session-id.ts';
import { canonicalJson } from './json.ts';

test('hashes are those of everybody else, with and without a runtime that brings its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const expected = createHash('sha256').update(text, 'utf8').digest('hex');
      assert.equal(sha256Hex(text), expected);
      assert.equal(bytesToHex(sha256(utf8ToBytes(text))), expected);
    }),
  );
});

test('a session id is the same on every machine and apart for every tool', () => {
  assert.equal(
    sessionId('codex', 'abc'),
    `ses_${createHash('sha256').update('codex\nabc').digest('hex').slice(0, 16)}`,
  );
  assert.notEqual(sessionId('codex', 'abc'), sessionId('gemini-cli', 'abc'));
  assert.ok(isSessionId(sessionId('codex', 'abc')));
});

test('older session ids are accepted, others are not', () => {
  assert.ok(isSessionId('ses_minimal1'));
  for (const id of [
    'ses_',
    'ses_short',
    'ses_UPPERCASE',
    '../ses_12345678',
    'ses_12345678/..',
    `ses_${'a'.repeat(41)}`,
  ])
    assert.ok(!isSessionId(id), id);
});

test('a content id depends on what was said after what, not on the order of fields', () => {
  const one = contentId('p', 'assistant', [
    { type: 'tool_use', tool_use_id: 'c', name: 'Read', input: { a: 1, b: 2 } },
  ]);
  const other = contentId('p', 'assistant', [
    { type: 'tool_use', name: 'Read', input: { b: 2, a: 1 }, tool_use_id: 'c' },
  ]);
  assert.equal(one, other);
  assert.notEqual(
    one,
    contentId('q', 'assistant', [{ type: 'tool_use', tool_use_id: 'c', name: 'Read', input: { a: 1, b: 2 } }]),
  );
});

test('canonical JSON is JSON, and the same for equal values', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});
