/** `npm start` where nobody watches: it captures, shows, says what to type next, and ends. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { adapters } from '../../src/adapters/index.ts';
import { daemonPlace } from '../support/daemon.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const [first] = adapters;
assert.ok(first !== undefined);
const root = join(import.meta.dirname, '..', '..');

function start(place: Scratch): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'start.ts')], {
    encoding: 'utf8',
    env: { HOME: place.home, PATH: '/usr/bin:/bin', SFS_HOME: place.context.store.root, NO_COLOR: '1' },
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('what is on this machine', (t) => {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  const said = start(place);
  assert.match(
    said,
    new RegExp(
      `^${first.id}: \\d+ sessions? \\(\\d+ new\\) in .*\nCaptured .*\n\nID .*\n[^]*\n\nWhat to type next:\n {2}npx sfs show @last --messages\n`,
    ),
  );
  assert.match(start(place), /^Nothing new\.$/m);
});

test('beside a daemon, which goes on', (t) => {
  const place = daemonPlace(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  assert.equal(place.run(['daemon', 'start']).status, 0);
  assert.match(start(place), /\nThe daemon captures what comes: npx sfs daemon status\n$/);
  assert.equal(place.run(['daemon', 'status']).status, 0);
});

test('with nothing to capture, samples of every tool, in a store of their own', (t) => {
  const place = scratch(t);
  const said = start(place);
  assert.match(said, /^No session of a known tool is on this machine\. Here is the same on sample homes/m);
  for (const { id } of adapters) assert.match(said, new RegExp(`^${id}: \\d+ sessions? `, 'm'));
  assert.match(said, /^ {2}HOME=\.sample\/home SFS_HOME=\.sample\/store npx sfs show @last --messages$/m);
  assert.ok(existsSync(join(root, '.sample', 'store', 'sessions')));
});
