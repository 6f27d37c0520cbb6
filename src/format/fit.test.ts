import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { schemas } from '../../test/support/schemas.ts';
import { isObject } from '../model/json.ts';
import type { WholeSchema } from './fit.ts';
import { fitTo } from './fit.ts';

const folder = join(import.meta.dirname, 'schema');
const names = ['manifest', 'message', 'tools', 'workspace'] as const;
const schemaOf = (name: string): WholeSchema =>
  JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8')) as WholeSchema;

/** Values built of the words of a schema, so that most of them nearly fit. */
function nearly(schema: WholeSchema): fc.Arbitrary<unknown> {
  const words = new Set<string>();
  const constants: unknown[] = ['2026-11-01T10:00:00Z', '2026-02-30T10:00:00Z', '', 'x', 0, -1, 1.5, true, null];
  JSON.stringify(schema, (key, value: unknown) => {
    if (key !== '') words.add(key);
    if (key === 'const') constants.push(value);
    if (key === 'enum' && Array.isArray(value)) constants.push(...(value as unknown[]));
    return value;
  });
  const leaf = fc.constantFrom(...constants);
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...words, '__proto__', 'constructor'), tie('value'), {
        maxKeys: 8,
        noNullPrototype: true,
      }),
    ),
  })).value;
}

for (const name of names) {
  describe(name, () => {
    const schema = schemaOf(name);
    test('what is left fits by an independent validator; what fits is left as it is', () => {
      fc.assert(
        fc.property(nearly(schema), (value) => {
          const lost: string[] = [];
          const fitted = fitTo(schema, value, (path) => lost.push(path));
          if (fitted !== undefined) assert.deepEqual(schemas[name](fitted), []);
          if (schemas[name](value).length === 0) assert.deepEqual([fitted, lost], [value, []]);
        }),
        { numRuns: 2000 },
      );
    });

    test('its schema uses no keyword that is not known here', () => {
      const known = new Set(
        'type enum const not minLength minimum format required properties additionalProperties items minItems oneOf $ref'.split(
          ' ',
        ),
      );
      const named = new Set(['$schema', '$id', 'title', '$defs']);
      const check = (part: unknown): void => {
        if (!isObject(part)) return;
        for (const [key, value] of Object.entries(part)) {
          assert.ok(known.has(key) || named.has(key), key);
          if (key === 'properties' || key === '$defs') for (const inner of Object.values(value as object)) check(inner);
          else if (key === 'oneOf') for (const inner of value as unknown[]) check(inner);
          else if (key === 'format') assert.equal(value, 'date-time');
          else if (key !== 'const') check(value);
        }
      };
      check(schema);
    });
  });
}

test('every schema is looked at', () => {
  assert.deepEqual(
    readdirSync(folder).toSorted(),
    names.map((name) => `${name}.schema.json`),
  );
});

test('what is left out is told by its path, and what must be there takes the whole with it', () => {
  const lost: string[] = [];
  const tell = (path: string): number => lost.push(path);
  const files = [{ path: 'a', role: 'eaten' }, { role: 'read' }, 5];
  assert.deepEqual(fitTo(schemaOf('workspace'), { root_path: '/w', files, colour: 1 }, tell), {
    root_path: '/w',
    files: [{ path: 'a' }],
  });
  assert.deepEqual(lost, ['/files/0/role', '/files/1', '/files/2', '/colour']);
  assert.equal(fitTo(schemaOf('workspace'), { files: [] }, tell), undefined);
});
