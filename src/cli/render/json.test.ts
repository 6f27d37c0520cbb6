import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonWithList } from './json.ts';

test('the pieces are what JSON.stringify gives', () => {
  const lists = fc.array(fc.jsonValue(), { maxLength: 4 });
  fc.assert(
    fc.property(fc.string(), lists, (title, list) => {
      const expected = `${JSON.stringify({ title, list }, null, 2)}\n`;
      assert.equal([...jsonWithList({ title }, 'list', list)].join(''), expected);
    }),
  );
});

test('a long list comes in more than one piece', () => {
  const list = Array.from({ length: 9 }, (_, at) => String(at).repeat(20_000));
  const pieces = [...jsonWithList({ title: '' }, 'list', list)];
  assert.ok(pieces.length > 1);
  assert.deepEqual(JSON.parse(pieces.join('')), { title: '', list });
});
