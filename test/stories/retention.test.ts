/** `sfs tools` says which tools delete their own sessions, and what to set so that they do not. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ToolStatus } from '../../src/actions/tools.ts';
import { homeOf } from '../../src/actions/tools.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sfs } from '../support/command-line.ts';
import { scratch } from '../support/scratch.ts';

for (const adapter of adapters) {
  const { retention } = adapter;
  if (retention === undefined) continue;
  test(`${adapter.name}: warned of its default; no more when what is said was set; nothing is written`, (t) => {
    const place = scratch(t);
    const home = homeOf(place.context, adapter);
    const shown = (): string => sfs(place, ['tools']).out;
    const told = (): ToolStatus['retention'] | undefined =>
      (JSON.parse(sfs(place, ['tools', '--json']).out) as ToolStatus[]).find(({ tool }) => tool === adapter.id)
        ?.retention;
    assert.doesNotMatch(shown(), /deletes its sessions/, 'a tool that was never used has none');
    mkdirSync(home, { recursive: true });
    const settings = join(home, retention.settings);
    assert.deepEqual(told(), { days: 30, sessions: null, is_default: true, settings, keep_all: retention.keepAll });
    const [, said] =
      /^(.*) deletes its sessions that have not changed for 30 days \(its default\)\. To keep them, set in ~\/\S+: (.*)$/m
        .exec(shown())
        ?.slice(1) ?? [];
    assert.equal(said, retention.keepAll);
    writeFileSync(settings, `{ ${said} }`);
    assert.doesNotMatch(shown(), /deletes its sessions/);
    assert.equal(told()?.is_default, false);
    assert.equal(readFileSync(settings, 'utf8'), `{ ${said} }`);
  });
}

test('the other tools are not known to delete any', (t) => {
  const place = scratch(t);
  const listed = JSON.parse(sfs(place, ['tools', '--json']).out) as ToolStatus[];
  for (const { tool, retention } of listed)
    assert.equal(retention === null, adapters.find(({ id }) => id === tool)?.retention === undefined);
});
