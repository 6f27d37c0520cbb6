import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from './table.ts';
import { columnsOf } from './text.ts';

const columns = [
  { heading: 'ID' },
  { heading: 'TITLE', flexible: true, least: 10 },
  { heading: 'TOOL', gives: 2 },
  { heading: 'PROJECT', flexible: true, gives: 1 },
  { heading: 'N', align: 'right' },
] as const;
const rows = [
  ['a1', 'A title that is rather long', 'claude-code', 'project-one', '12'],
  ['b2', '短い題名と絵文字🙂です', 'codex', 'p', '3'],
];

test('as wide as it is where there is room', () => {
  assert.deepEqual(table(columns, rows, 100), [
    'ID  TITLE                        TOOL         PROJECT       N',
    'a1  A title that is rather long  claude-code  project-one  12',
    'b2  短い題名と絵文字🙂です       codex        p             3',
  ]);
});

test('flexible columns give way, then whole columns, the one that gives first', () => {
  assert.deepEqual(table(columns, rows, 45), [
    'ID  TITLE        TOOL         PROJECT       N',
    'a1  A title th…  claude-code  project-one  12',
    'b2  短い題名と…  codex        p             3',
  ]);
  assert.deepEqual(table(columns, rows, 35), [
    'ID  TITLE           TOOL          N',
    'a1  A title that …  claude-code  12',
    'b2  短い題名と絵…   codex         3',
  ]);
  assert.deepEqual(table(columns, rows, 25), [
    'ID  TITLE               N',
    'a1  A title that is …  12',
    'b2  短い題名と絵文字…   3',
  ]);
});

test('no line is wider than the terminal, down to 20 columns', () => {
  for (let width = 20; width <= 80; width += 1)
    for (const line of table(columns, rows, width)) assert.ok(columnsOf(line) <= width, `${width}: ${line}`);
});
