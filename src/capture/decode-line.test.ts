import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Adapter, Given, Reader } from '../adapters/adapter.ts';
import { decodeLine, isWholeRecord, opaqueOf } from './decode-line.ts';

/** What a reader is handed of a line, and how the line was counted. */
function decoded(line: string | Buffer): { readonly records: unknown[]; readonly counts: string[] } {
  const records: unknown[] = [];
  const counts: string[] = [];
  const reader: Pick<Reader, 'decode' | 'opaque'> = {
    opaque: ['{"bulk"'],
    decode: (record) => {
      records.push(record);
      return 'message';
    },
  };
  // Decoding asks nothing else of an adapter, and this reader asks nothing of what is given.
  const adapter = { reader } as Adapter;
  const decoding = {
    adapter,
    state: {},
    given: {} as Given,
    counts: { record: (what: string) => void counts.push(what), loss: (name: string) => void counts.push(name) },
  };
  decodeLine(typeof line === 'string' ? Buffer.from(line, 'utf8') : line, decoding, opaqueOf(adapter));
  return { records, counts };
}

test('a record is handed on and counted once; a blank line is nothing', () => {
  assert.deepEqual(decoded('{"a":1}'), { records: [{ a: 1 }], counts: ['message'] });
  assert.deepEqual(decoded('\ufeff\0\0 {"a":1}\r'), { records: [{ a: 1 }], counts: ['message'] });
  assert.deepEqual(decoded('\0 \t\r'), { records: [], counts: [] });
});

test('records glued to one line are each handed on', () => {
  for (const line of ['{"a":1}{"b":2}{"c":3}', '{"a":1} {"b":2}\t{"c":3}', '\0\0{"a":1}\0\0\0{"b":2}{"c":3}\r']) {
    assert.deepEqual(
      decoded(line),
      { records: [{ a: 1 }, { b: 2 }, { c: 3 }], counts: ['message', 'message', 'message'] },
      line,
    );
  }
  const tricky = { text: '}{"a":1}\\', list: [{ '{': '"}' }, []], '\\"': '\\' };
  assert.deepEqual(decoded(JSON.stringify(tricky) + JSON.stringify(tricky)).records, [tricky, tricky]);
});

test('what is not made up of whole objects is malformed, all of it', () => {
  for (const line of [
    '{"a":1}{"b":',
    '{"a":{"b":2}',
    '{"a":"torn{"b":2}',
    '{"a":1}x{"b":2}',
    '{"a":1},{"b":2}',
    '{"a":1}}{"b":2}',
    '{"a":1]{"b":2}',
    '{"a":1}2',
    '[1][2]',
    '{"a":1}[2]',
    '{a:1}{b:2}',
    'no',
    '{"a":"\\',
  ]) {
    assert.deepEqual(decoded(line), { records: [], counts: ['malformed', 'malformed-line'] }, line);
  }
});

test('a line that is not to be parsed is, where a record is glued to it', () => {
  assert.deepEqual(decoded('{"bulk":[1]}'), { records: [], counts: ['state'] });
  assert.deepEqual(decoded('{"bulk":[1]}{"a":1}').records, [{ bulk: [1] }, { a: 1 }]);
});

test('bytes that are not UTF-8 are counted', () => {
  const line = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  assert.deepEqual(decoded(line), { records: [{ a: '\ufffd' }], counts: ['invalid-utf8', 'message'] });
});

test('a last line counts when it is a whole object, or several', () => {
  const isWhole = (line: string): boolean => isWholeRecord(Buffer.from(line, 'utf8'));
  assert.deepEqual(['{"a":1}', '{"a":1}{"b":2}', '{"a":1}\r'].map(isWhole), [true, true, true]);
  assert.deepEqual(['{"a":1', '{"a":1}{"b"', '[1]', '1', '', '{}}'].map(isWhole), [
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});
