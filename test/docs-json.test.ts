/** `docs/json.md`: every object it shows has the fields of the real one. */

import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { adapters } from '../src/adapters/index.ts';
import { sfs } from './support/command-line.ts';
import { installProgram, installRecording, recordingsOf, scratch } from './support/scratch.ts';

const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'json.md'), 'utf8');
const [first] = adapters;
assert.ok(first !== undefined);

function shown(name: string): unknown {
  const [, text] = new RegExp(`^\`\`\`json ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? [];
  assert.ok(text !== undefined, name);
  return JSON.parse(text);
}

/** Fields and kinds of values all the way down; of a list those of its first entry. What is `null` may be anything. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, shapeOf(inside)]));
}

/** Is it the same, where neither says `null` or nothing? */
function assertAlike(documented: unknown, real: unknown, where: string): void {
  if (documented === 'null' || real === 'null') return;
  if (Array.isArray(documented) && Array.isArray(real)) {
    if (documented.length > 0 && real.length > 0) assertAlike(documented[0], real[0], `${where}[]`);
    return;
  }
  if (typeof documented !== 'object' || typeof real !== 'object' || documented === null || real === null)
    return assert.equal(real, documented, where);
  assert.deepEqual(Object.keys(real), Object.keys(documented), where);
  for (const [key, inside] of Object.entries(documented))
    // Each check, and each event, has its own.
    if (key !== 'details')
      assertAlike(inside, Object.entries(real).find(([name]) => name === key)?.[1], `${where}.${key}`);
}

test('docs/json.md: JSON has the fields it shows', (t) => {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  installProgram(place, first, '1.2.3');
  const json = (...args: readonly string[]): unknown =>
    JSON.parse(sfs(place, [...args, '--json'], { env: { PATH: `${join(place.folder, 'bin')}:/usr/bin:/bin` } }).out);
  json('import');
  const [{ session_id: id }] = json('list') as [{ session_id: string }];
  const real: Record<string, unknown> = {
    'storage --json': json('storage'),
    'prune --json': json('prune', '--keep-under', '1KB'),
    'audit --json': json('audit', '--event', 'capture'),
    'tools --json': json('tools'),
    'doctor --json': json('doctor'),
  };
  truncateSync(join(place.context.store.sessions, `${id}.sfs`, 'messages.jsonl'), 10);
  real['verify --json'] = json('verify');
  const documented = [...page.matchAll(/^```json (.*)$/gm)].map(([, name]) => name ?? '');
  assert.deepEqual(documented.toSorted(), Object.keys(real).toSorted());
  for (const name of documented) assertAlike(shapeOf(shown(name)), shapeOf(real[name]), name);
});
