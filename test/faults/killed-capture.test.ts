/** Captures of the built `sfs` that are killed, or meet a full disk, at one of their writes: real processes, signals and disks. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { Random } from '../../bench/corpus/random.ts';
import { homeOf } from '../../src/actions/tools.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sfs } from '../support/command-line.ts';
import { Books } from '../support/faults/books.ts';
import type { World } from '../support/faults/world.ts';
import { worlds } from '../support/faults/worlds.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';

/** The same runs each time; others or more: `SFS_SEED=7 SFS_RUNS=500`. A failure names the seed that plays it again with `SFS_RUNS=1`. */
const firstSeed = Number(process.env['SFS_SEED'] ?? 1);
const runs = Number(process.env['SFS_RUNS'] ?? 8);

/** Loaded into `sfs` before it runs: does something in the place of one call, or before it. */
function instead(place: Scratch, code: string): { readonly env: { readonly [name: string]: string } } {
  const path = join(place.folder, 'instead.mjs');
  writeFileSync(
    path,
    `import fs from 'node:fs';\nimport { syncBuiltinESMExports } from 'node:module';\n${code}\nsyncBuiltinESMExports();\n`,
  );
  return { env: { NODE_OPTIONS: `--import ${path}` } };
}

/** `what` is code that runs at the call of that number that writes. */
function atWrite(place: Scratch, call: number, what: string): ReturnType<typeof instead> {
  return instead(
    place,
    `let left = ${call};
     const calls = ['writeSync', 'ftruncateSync', 'fsync', 'fsyncSync', 'renameSync', 'linkSync', 'mkdirSync', 'rmSync', 'unlinkSync', 'writeFileSync'];
     for (const name of calls) {
       const real = fs[name];
       fs[name] = (...given) => {
         left -= 1;
         if (left === 0) { ${what} }
         return real(...given);
       };
     }`,
  );
}

const dies = `process.kill(process.pid, 'SIGKILL')`;

function unfinishedBelow(place: Scratch): string[] {
  return readdirSync(place.context.store.sessions, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.tmp'),
  );
}

function imported(place: Scratch): void {
  const { status, err } = sfs(place, ['import']);
  assert.equal(status, 0, err);
}

function madeUp(
  t: TestContext,
  seed: number,
): { readonly place: Scratch; readonly world: World; readonly random: Random } {
  const place = scratch(t);
  const random = new Random(`killed ${seed}`);
  const chosen = random.pick(worlds);
  const adapter = adapters.find(({ id }) => id === chosen.adapter);
  assert.ok(adapter !== undefined);
  const home = homeOf(place.context, adapter);
  mkdirSync(home, { recursive: true });
  const world = chosen.make(home, random);
  t.after(() => world.close());
  return { place, world, random };
}

test('killed at any write, again and again: nothing is lost, doubled or invented', async (t) => {
  let kills = 0;
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1)
    await t.test(`seed ${seed}`, (one) => {
      const { place, world, random } = madeUp(one, seed);
      const books = new Books();
      for (let times = 2; times > 0; times -= 1) {
        world.act(random);
        books.look(world.sessions());
        const { status } = sfs(place, ['import'], atWrite(place, random.between(1, times === 2 ? 80 : 40), dies));
        kills += Number(status === null);
      }
      world.act(random);
      const sessions = world.sessions();
      books.look(sessions);
      const { status, err } = sfs(place, ['import']);
      // A document that is cut off is told.
      assert.ok(status === 0 || err.includes('is being written, or was cut off'), err);
      for (const session of sessions) books.told(session, session, 0);
      assert.deepEqual(books.differences(place.context.store.root, sessions, new Set()), []);
    });
  t.diagnostic(`${kills} of ${2 * runs} captures were killed`);
});

test('a disk that is full at any place, and then larger: nothing is lost, doubled or invented', async (t) => {
  // A file system of its own in memory; what it held is copied out in the end.
  const script = `mkdir -p "$SFS_HOME" "$KEEP" && mount -t tmpfs -o size=$SIZE none "$SFS_HOME" || exit 99
    "$@"; first=$?
    mount -o remount,size=64m "$SFS_HOME" && "$@"; second=$?
    cp -a "$SFS_HOME/." "$KEEP/"; [ $first = 0 ] || touch "$KEEP/was-full"; exit $second`;
  let full = 0;
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1)
    await t.test(`seed ${seed}`, (one) => {
      const { place, world, random } = madeUp(one, seed);
      for (let times = random.between(0, 6); times > 0; times -= 1) world.act(random);
      const books = new Books();
      const sessions = world.sessions();
      books.look(sessions);
      const keep = join(place.folder, 'keep');
      const { status, err } = sfs(place, ['import'], {
        env: { KEEP: keep, SIZE: `${4 * random.between(1, 60)}k` },
        under: ['unshare', '-rm', 'sh', '-c', script, 'sh'],
      });
      assert.ok(status === 0 || err.includes('is being written, or was cut off'), `${status} ${err}`);
      full += Number(existsSync(join(keep, 'was-full')));
      for (const session of sessions) books.told(session, session, 0);
      assert.deepEqual(books.differences(keep, sessions, new Set()), []);
    });
  t.diagnostic(`${full} of ${runs} disks were full`);
});

test('what a killed capture had not finished goes with the next one', (t) => {
  const place = scratch(t);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
  const kill = `const { renameSync } = fs;
    fs.renameSync = (from, to) => (to.endsWith('commit.json') ? ${dies} : renameSync(from, to));`;
  assert.equal(sfs(place, ['import'], instead(place, kill)).status, null);
  assert.notDeepEqual(unfinishedBelow(place), []);
  imported(place);
  assert.deepEqual(unfinishedBelow(place), []);
});

/** A session of one line, and what makes it grow. */
function oneLine(place: Scratch): { readonly path: string; readonly grow: () => void } {
  const id = '5b0e6a52-94d0-4c1b-9d5e-0d6b1f0f7a11';
  const folder = join(place.home, '.claude', 'projects', '-w');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${id}.jsonl`);
  const row = {
    parentUuid: null,
    type: 'user',
    message: { role: 'user', content: 'Hello' },
    timestamp: '2026-11-20T09:00:00.000Z',
    sessionId: id,
  };
  const grow = (): void => appendFileSync(path, `${JSON.stringify({ ...row, uuid: randomUUID() })}\n`);
  grow();
  return { path, grow };
}

test('a full disk leaves nothing unfinished behind', (t) => {
  const place = scratch(t);
  const { grow } = oneLine(place);
  imported(place);
  grow();
  const full = `const { writeSync } = fs;
    fs.writeSync = (file, data, ...rest) => {
      if (String(data).includes('"messagesBytes"')) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return writeSync(file, data, ...rest);
    };`;
  assert.match(sfs(place, ['import'], instead(place, full)).err, /no space left on device/);
  assert.deepEqual(unfinishedBelow(place), []);
});

test('killed between manifest and commit, and then the source is emptied: nothing is listed', (t) => {
  const place = scratch(t);
  const { path } = oneLine(place);
  const kill = `const { renameSync } = fs;
    fs.renameSync = (from, to) => (to.endsWith('commit.json') ? ${dies} : renameSync(from, to));`;
  assert.equal(sfs(place, ['import'], instead(place, kill)).status, null);
  writeFileSync(path, '');
  imported(place);
  assert.deepEqual(readdirSync(place.context.store.sessions), []);
  assert.equal(sfs(place, ['list', '--all', '--json']).out, '[]\n');
});

test('killed between manifest and commit: nothing is listed until it is captured', (t) => {
  const place = scratch(t);
  oneLine(place);
  const kill = `const { renameSync } = fs;
    fs.renameSync = (from, to) => (to.endsWith('commit.json') ? ${dies} : renameSync(from, to));`;
  assert.equal(sfs(place, ['import'], instead(place, kill)).status, null);
  assert.equal(readdirSync(place.context.store.sessions).length, 1);
  assert.equal(sfs(place, ['list', '--all', '--json']).out, '[]\n');
  imported(place);
  const listed = JSON.parse(sfs(place, ['list', '--all', '--json']).out) as { readonly message_count: number }[];
  assert.deepEqual(
    listed.map(({ message_count: count }) => count),
    [1],
  );
});
