/** What happens to a daemon that runs for weeks: its homes go, its limits are small, its disk is full, its store is removed. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { contextOf } from '../../src/actions/context.ts';
import { homeOf } from '../../src/actions/tools.ts';
import type { Adapter } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import type { DaemonStatus, ToolWatch } from '../../src/daemon/status.ts';
import { systemMachine } from '../../src/io/system.ts';
import type { DaemonPlace } from '../support/daemon.ts';
import { counted, daemonPlace, instead, isIdle, lockedBy, start, until } from '../support/daemon.ts';
import type { Growing } from '../support/growing.ts';
import { anotherOne, atOnce, half, kept } from '../support/growing.ts';
import { hasNamespaces, namespace } from '../support/namespace.ts';
import { fixturesOf, recordingsOf } from '../support/scratch.ts';

const [tool] = adapters;
assert.ok(tool !== undefined);
const first: Adapter = tool;

function watchOf(place: DaemonPlace): ToolWatch | undefined {
  return place.status()?.tools.find(({ tool: id }) => id === first.id);
}

/** Appends what is left, and waits until the list has more of the session than before. */
async function hears(place: DaemonPlace, { path, nativeId, rest }: Growing): Promise<void> {
  const before = await counted(place, nativeId);
  appendFileSync(path, rest.join(''));
  await until('the list has more', async () => (await counted(place, nativeId)) > before);
}

describe('a home that goes away while it is watched and comes back', () => {
  test('renamed', async (t) => {
    const place = daemonPlace(t);
    const growing = half(place, first);
    start(place);
    await isIdle(place);
    const home = homeOf(place.context, first);
    renameSync(home, `${home}.away`);
    await until('it is gone', () => watchOf(place)?.state === 'absent');
    renameSync(`${home}.away`, home);
    await until('it is back', () => watchOf(place)?.state === 'watched');
    await hears(place, growing);
    assert.match(place.run(['daemon', 'logs']).out, / is gone\n[^]* is there now\n/);
  });

  if (hasNamespaces)
    test('unmounted', async (t) => {
      const place = daemonPlace(t);
      const { run, sfsd } = namespace(t, place);
      const home = homeOf(place.context, first);
      const recording = join(fixturesOf(first), recordingsOf(first).at(-1) ?? '');
      mkdirSync(home);
      const mount = `mount -t tmpfs tmpfs ${home} && cp -r ${recording}/. ${home}/`;
      await run(mount);
      await sfsd();
      await until('it is watched', () => watchOf(place)?.state === 'watched');
      await isIdle(place);
      const captured = await kept(place);
      assert.ok(captured.length > 0);
      await run(`umount ${home}`);
      await until('it is gone', () => watchOf(place)?.state === 'absent');
      await run(mount);
      await until('it is back', () => watchOf(place)?.state === 'watched');
      // Other files by their inodes, with the same content.
      await isIdle(place);
      assert.deepEqual(await kept(place), captured);
      const { path, nativeId, rest } = half(daemonPlace(t), first);
      const there = join(dirname(join(home, path.slice(path.indexOf('/.claude/') + '/.claude/'.length))), 'later');
      const [id] = ['0badcafe-0000-4000-8000-000000000000'];
      writeFileSync(
        join(place.folder, 'later'),
        `${readFileSync(path, 'utf8')}${rest.join('')}`.replaceAll(nativeId, id),
      );
      await run(`mkdir ${there} && cp ${join(place.folder, 'later')} ${there}/${id}.jsonl`);
      await until('it is heard again', async () => (await counted(place, id)) > 0);
    });
});

describe('a system that does not tell', () => {
  test('of a network file system it is said, and what other machines write there is found', async (t) => {
    const place = daemonPlace(t);
    const growing = half(place, first);
    // As the kernel has it: watches are given, and what others write is never told.
    start(
      place,
      instead(
        place,
        `const { watch, statfsSync } = fs;
         fs.statfsSync = (...args) => ({ ...statfsSync(...args), type: 0x6969 });
         fs.watch = (path, options) => watch(path, options, () => undefined);`,
      ),
    );
    await isIdle(place);
    const { state, folders, watched, problem } = watchOf(place) ?? {};
    assert.equal(state, 'partly');
    assert.equal(folders, watched);
    assert.match(problem ?? '', /^on a network file system \(NFS\): what other machines write there is not told$/);
    assert.match(place.run(['daemon', 'status']).out, /\(NFS\)/);
    await hears(place, growing);
    const { nativeId } = anotherOne(growing);
    await until('a new one is found', async () => (await counted(place, nativeId)) > 0);
  });

  if (hasNamespaces)
    test('the limit of watches is reached: it is said, folders without one are looked at, and get theirs when there are more', async (t) => {
      const place = daemonPlace(t);
      const growing = half(place, first);
      const { run, sfsd } = namespace(t, place);
      const limit = '/proc/sys/user/max_inotify_watches';
      await run(`echo 1 > ${limit}`);
      await sfsd();
      await until('it watches', () => place.status()?.state === 'watching');
      await isIdle(place);
      const watch = watchOf(place);
      assert.equal(watch?.state, 'partly');
      assert.ok(watch.watched < watch.folders, JSON.stringify(watch));
      assert.match(watch.problem ?? '', /fs\.inotify\.max_user_watches/);
      await hears(place, growing);
      const { nativeId } = anotherOne(growing);
      await until('a new one is found', async () => (await counted(place, nativeId)) > 0);
      await run(`echo 1000 > ${limit}`);
      await until('all of it is watched', () => watchOf(place)?.state === 'watched');
    });
});

describe('clocks', () => {
  test('files from the future grow as others do', async (t) => {
    const place = daemonPlace(t);
    const growing = half(place, first);
    const future = new Date(Date.now() + 400 * 86_400_000);
    utimesSync(growing.path, future, future);
    start(place);
    await isIdle(place);
    const before = await counted(place, growing.nativeId);
    for (const [at, line] of growing.rest.entries()) {
      appendFileSync(growing.path, line);
      // Not a moment later, by its own clock.
      if (at % 2 === 0) utimesSync(growing.path, future, future);
    }
    await until('the list has more', async () => (await counted(place, growing.nativeId)) > before);
    await until('the last line is in', async () => {
      const whole = await atOnce(t, first, place);
      return JSON.stringify(await kept(place)) === JSON.stringify(whole);
    });
  });

  for (const hours of [-5, 5])
    test(`a clock that is set ${hours} hours: what is found by looking is found all the same`, async (t) => {
      const place = daemonPlace(t);
      const growing = half(place, first);
      const jumped = join(place.folder, 'jumped');
      start(
        place,
        instead(
          place,
          `const { now } = Date;
           Date.now = () => now() + (fs.existsSync(${JSON.stringify(jumped)}) ? ${hours * 3_600_000} : 0);
           fs.watch = () => { throw Object.assign(new Error('no more'), { code: 'ENOSPC' }); };`,
        ),
      );
      await isIdle(place);
      writeFileSync(jumped, '');
      // In a folder that is known: of a new one all files are told.
      const nativeId = growing.nativeId.replace(/^.{8}/, '0badcafe');
      const path = join(dirname(growing.path), `${nativeId}.jsonl`);
      writeFileSync(path, readFileSync(growing.path, 'utf8').replaceAll(growing.nativeId, nativeId));
      const then = new Date(Date.now() + hours * 3_600_000);
      utimesSync(path, then, then);
      await until('a new one is found', async () => (await counted(place, nativeId)) > 0);
      await hears(place, growing);
    });
});

test('a hundred thousand files in a home: it watches soon, stays small, and hears what is said', async (t) => {
  const place = daemonPlace(t);
  const growing = half(place, first);
  const junk = join(dirname(growing.path), growing.nativeId, 'junk');
  const make = `const fs = require('fs');
    for (let folder = 0; folder < 100; folder += 1) {
      fs.mkdirSync('${junk}/' + folder, { recursive: true });
      for (let file = 0; file < 1000; file += 1) fs.writeFileSync('${junk}/' + folder + '/' + file + '.txt', '');
    }`;
  const script = join(place.folder, 'make.cjs');
  writeFileSync(script, make);
  mkdirSync(junk, { recursive: true });
  let pid: number;
  if (hasNamespaces) {
    const { run, sfsd } = namespace(t, place);
    await run(`mount -t tmpfs tmpfs ${junk} && node ${script}`);
    pid = await sfsd();
  } else {
    await import(script);
    start(place);
    pid = lockedBy(place) ?? 0;
  }
  await until('it watches', () => place.status()?.state === 'watching', 30_000);
  await isIdle(place);
  const watch = watchOf(place);
  assert.equal(watch?.state, 'watched', JSON.stringify(watch));
  assert.ok(watch.folders > 100);
  await hears(place, growing);
  if (existsSync('/proc/self/status')) {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    assert.ok(Number(resident) < 150_000, `${resident} kB`);
  }
});

if (hasNamespaces)
  test('a disk that is really full, for long: said in the status, tried again, and everything is there afterwards', async (t) => {
    const place = daemonPlace(t);
    const { path, nativeId, rest } = half(place, first);
    const { run, sfs, sfsd } = namespace(t, place);
    mkdirSync(place.store);
    await run(`mount -t tmpfs -o size=4m tmpfs ${place.store}`);
    await sfsd();
    const status = async (): Promise<DaemonStatus> =>
      JSON.parse(await sfs('daemon', 'status', '--json')) as DaemonStatus;
    const messages = async (): Promise<number> => {
      const rows = JSON.parse(await sfs('list', '--json')) as {
        readonly native_id: string;
        readonly message_count: number;
      }[];
      return rows.find((row) => row.native_id === nativeId)?.message_count ?? 0;
    };
    await until('it runs', () =>
      run(`test -e ${place.store}/daemon.json`).then(
        () => true,
        () => false,
      ),
    );
    await until('the first half is in', async () => (await status()).pending === 0 && (await messages()) > 0);
    const before = await messages();
    await run(
      `dd if=/dev/zero of=${place.store}/fill bs=64k || true; dd if=/dev/zero of=${place.store}/fill2 bs=1 count=70000 || true`,
    );
    appendFileSync(path, rest.join(''));
    await until('it is said', async () => (await status()).trouble?.includes('no space left') === true, 20_000);
    // More is said in the meantime, and tried in vain.
    await new Promise((resolve) => {
      setTimeout(resolve, 3000);
    });
    assert.match((await status()).trouble ?? '', /no space left/);
    assert.equal(await messages(), before);
    await run(`rm ${place.store}/fill ${place.store}/fill2`);
    await until('it is captured', async () => (await messages()) > before, 30_000);
    await until('the trouble is over', async () => (await status()).trouble === null);
    await sfs('daemon', 'stop');
    const copy = join(place.folder, 'copy');
    await run(`cp -r ${place.store} ${copy}`);
    const machine = systemMachine({ env: { HOME: place.home, SFS_HOME: copy }, homeDir: place.home });
    assert.deepEqual(await kept({ ...place, context: contextOf(machine, adapters) }), await atOnce(t, first, place));
  });

describe('a store that is removed while the daemon runs', () => {
  async function running(t: TestContext): Promise<{ place: DaemonPlace; growing: Growing; pid: number | undefined }> {
    const place = daemonPlace(t);
    const growing = half(place, first);
    start(place);
    await isIdle(place);
    return { place, growing, pid: lockedBy(place) };
  }

  test('all of it: it is made again, with what the tools still have, and held as before', async (t) => {
    const { place, growing, pid } = await running(t);
    const captured = await kept(place);
    rmSync(place.store, { recursive: true });
    await until('it is held again', () => lockedBy(place) === pid);
    await until('the status is there again', () => place.status()?.pid === pid && place.status()?.pending === 0);
    await until('all is captured again', async () => (await kept(place)).length === captured.length);
    assert.deepEqual(await kept(place), captured);
    assert.equal(statSync(place.store).mode & 0o777, 0o700);
    assert.match(place.run(['daemon', 'start']).err, /^sfs: a daemon is running already/);
    await hears(place, growing);
    assert.match(place.run(['daemon', 'logs']).out, /the store is another one than before/);
    assert.equal(place.run(['daemon', 'stop']).status, 0);
    assert.equal(lockedBy(place), undefined);
    assert.deepEqual(await kept(place), await atOnce(t, first, place));
  });

  test('its lock alone: taken again', async (t) => {
    const { place, pid } = await running(t);
    rmSync(join(place.store, 'daemon.lock'));
    await until('it is held again', () => lockedBy(place) === pid);
    assert.equal(place.run(['daemon', 'stop']).status, 0);
  });

  test('and another process has it by now: it ends, says why, and leaves the other its lock', async (t) => {
    const place = daemonPlace(t);
    half(place, first);
    const daemon = place.spawn([], { program: 'sfsd' });
    await until('it runs', () => place.status()?.state === 'watching');
    writeFileSync(join(place.store, 'daemon.lock'), `${process.pid}/0`);
    assert.equal(await daemon.ended, 4, daemon.said());
    assert.match(daemon.said(), new RegExp(`^sfsd: a daemon is running already \\(process ${process.pid}\\)\nhint: `));
    assert.equal(lockedBy(place), process.pid);
  });
});
