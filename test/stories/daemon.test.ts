/** The daemon as people run it: what is said in a tool is in the list a moment later, whatever happens in between. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { homeOf } from '../../src/actions/tools.ts';
import { adapters } from '../../src/adapters/index.ts';
import { counted, daemonPlace, instead, isIdle, kill, lockedBy, start, until } from '../support/daemon.ts';
import { anotherOne, atOnce, byNativeId, half, kept, sourcesOf } from '../support/growing.ts';
import { installRecording, recordingsOf } from '../support/scratch.ts';

const quiet = (): void => undefined;
const [first] = adapters;
assert.ok(first !== undefined);

for (const adapter of adapters.filter(({ reader }) => reader.load === undefined)) {
  test(`${adapter.name}: a session that grows while it is watched is the same as one captured at the end`, async (t) => {
    const place = daemonPlace(t);
    const { path, nativeId, rest } = half(place, adapter);
    start(place);
    await isIdle(place);
    let before = await counted(place, nativeId);
    const third = Math.ceil(rest.length / 3);
    for (const part of [rest.slice(0, third), rest.slice(third, 2 * third), rest.slice(2 * third)]) {
      const text = part.join('');
      // A line may be there in two pieces for a while.
      appendFileSync(path, text.slice(0, -20));
      appendFileSync(path, text.slice(-20));
      await until('the list has more', async () => (await counted(place, nativeId)) > before);
      before = await counted(place, nativeId);
    }
    const whole = await atOnce(t, adapter, place);
    const messages = whole.find((session) => session.nativeId === nativeId)?.messages.length ?? 0;
    await until('the last line is in', async () => {
      const own = (await kept(place)).find((session) => session.nativeId === nativeId);
      return own?.messages.length === messages;
    });
    const { status } = place.run(['daemon', 'stop']);
    assert.equal(status, 0);
    assert.deepEqual(await kept(place), whole);
  });
}

for (const adapter of adapters.filter(({ reader }) => reader.load !== undefined)) {
  test(`${adapter.name}: sessions that its database gains while it is watched are in the list`, async (t) => {
    const place = daemonPlace(t);
    const [before = '', after = ''] = [recordingsOf(adapter)[0], recordingsOf(adapter).at(-1)];
    installRecording(place, adapter, before);
    start(place);
    await isIdle(place);
    const listed = async (): Promise<(string | null)[]> =>
      (await listSessions(place.context, {})).sessions.map(({ native_id: id }) => id);
    const earlier = await listed();
    installRecording(place, adapter, after);
    const wanted = (await atOnce(t, adapter, place)).map(({ nativeId }) => nativeId);
    assert.ok(wanted.some((id) => !earlier.includes(id)));
    await until('all are listed', async () => {
      const now = await listed();
      return wanted.every((id) => now.includes(id));
    });
  });
}

test('homes that appear later are picked up, and so are those that are replaced', async (t) => {
  const place = daemonPlace(t);
  start(place);
  assert.deepEqual(
    place.status()?.tools.map(({ state }) => state),
    adapters.map(() => 'absent'),
  );
  for (const adapter of adapters) installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
  const expected = (await Promise.all(adapters.map((adapter) => atOnce(t, adapter, place)))).flat().sort(byNativeId);
  await until('all are listed', async () => (await listSessions(place.context, {})).sessions.length >= expected.length);
  await until('all are watched', () => place.status()?.tools.every(({ state }) => state === 'watched') === true);
  await isIdle(place);
  assert.deepEqual(await kept(place), expected);

  const home = homeOf(place.context, first);
  renameSync(home, `${home}.old`);
  await until('the first is gone', () => place.status()?.tools[0]?.state === 'absent');
  const growing = half(place, first);
  const { path, nativeId } = anotherOne(growing);
  await until('the first is back', () => place.status()?.tools[0]?.state === 'watched');
  await until('half is in', async () => (await counted(place, nativeId)) > 0);
  const before = await counted(place, nativeId);
  appendFileSync(path, growing.rest.join('').replaceAll(growing.nativeId, nativeId));
  await until('it is heard again', async () => (await counted(place, nativeId)) > before);
});

describe('one daemon for a store', () => {
  test('a second one is refused; a stop ends it and leaves nothing held', async (t) => {
    const place = daemonPlace(t);
    for (const command of ['status', 'stop']) {
      const { status, err } = place.run(['daemon', command]);
      assert.equal(status, 3);
      assert.equal(err, 'sfs: no daemon is running\nhint: start it: sfs daemon start\n');
    }
    assert.deepEqual(JSON.parse(place.run(['daemon', 'status', '--json']).out), { running: false });
    start(place);
    const pid = lockedBy(place);
    for (const args of [['daemon', 'start'], ['up']]) {
      const { status, err } = place.run(args);
      assert.equal(status, 4);
      assert.match(err, new RegExp(`^sfs: a daemon is running already \\(process ${pid}\\)\nhint: `));
    }
    const direct = place.spawn([], { program: 'sfsd' });
    assert.equal(await direct.ended, 4, direct.said());
    const told = JSON.parse(place.run(['daemon', 'status', '--json']).out) as { running: boolean; pid: number };
    assert.deepEqual([told.running, told.pid], [true, pid]);
    assert.match(place.run(['daemon', 'status']).out, new RegExp(`^Running:   since .*process ${pid}, version `));
    for (const name of ['daemon.lock', 'daemon.json', 'daemon.log'])
      assert.equal(statSync(join(place.store, name)).mode & 0o777, 0o600, name);
    assert.equal(place.run(['daemon', 'restart']).status, 0);
    assert.notEqual(lockedBy(place), pid);
    assert.equal(place.run(['daemon', 'stop']).status, 0);
    assert.equal(lockedBy(place), undefined);
    assert.equal(place.status()?.state, 'stopped');
    assert.match(place.run(['daemon', 'logs']).out, /^\S+Z watching for homes to appear\n[^]*ended\n$/);
  });

  test('killed, it is started again and takes in what came meanwhile', async (t) => {
    const place = daemonPlace(t);
    const { path, nativeId, rest } = half(place, first);
    start(place);
    await isIdle(place);
    const pid = lockedBy(place) ?? 0;
    await until('it is dead', () => kill(place, pid));
    assert.equal(lockedBy(place), pid);
    assert.equal(place.run(['daemon', 'status']).status, 3);
    const before = await counted(place, nativeId);
    appendFileSync(path, rest.join(''));
    start(place);
    await until('the list has more', async () => (await counted(place, nativeId)) > before);
  });

  test('a lock whose process number is another program’s by now is taken over', async (t) => {
    const place = daemonPlace(t);
    start(place);
    const status = place.status();
    assert.equal(place.run(['daemon', 'stop']).status, 0);
    assert.ok(status?.process_mark !== null, 'this system tells when a process began');
    writeFileSync(join(place.store, 'daemon.lock'), `${process.pid}/0`);
    writeFileSync(join(place.store, 'daemon.json'), JSON.stringify({ ...status, pid: process.pid }));
    assert.equal(place.run(['daemon', 'status']).status, 3);
    start(place);
    assert.notEqual(lockedBy(place), process.pid);
  });
});

test('ended in the middle of much work, it finishes the write in hand; the rest comes later, nothing twice', async (t) => {
  const place = daemonPlace(t);
  installRecording(place, first, recordingsOf(first).at(-1) ?? '');
  const copied = sourcesOf(place, first).filter(({ files }) => files[0]?.kind === 'log');
  for (const { nativeId, files } of copied)
    for (let copy = 1; copy <= 3; copy += 1) {
      const id = nativeId.slice(0, -3) + String(copy).padStart(3, '0');
      const path = (files[0]?.path ?? '').replace(nativeId, id);
      writeFileSync(path, readFileSync(files[0]?.path ?? '', 'utf8').replaceAll(nativeId, id));
    }
  const total = sourcesOf(place, first).length;
  const env = instead(
    place,
    `const { linkSync } = fs;
     const pause = new Int32Array(new SharedArrayBuffer(4));
     let sessions = 0;
     fs.linkSync = (from, to) => {
       if (to.includes('.sfs/') && (sessions += 1) === 3) process.kill(process.pid, 'SIGTERM');
       Atomics.wait(pause, 0, 0, 10);
       return linkSync(from, to);
     };`,
  );
  const daemon = place.spawn([], { program: 'sfsd', env });
  assert.equal(await daemon.ended, 0, daemon.said());
  assert.equal(lockedBy(place), undefined);
  const inTime = (await listSessions(place.context, {})).sessions.length;
  assert.ok(inTime > 0 && inTime < total, `${inTime} of ${total}`);
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await kept(place), await atOnce(t, first, place));
});

test('a configuration edited into nonsense: the old one stays in force, and the status says so', async (t) => {
  const place = daemonPlace(t);
  const { path, nativeId, rest } = half(place, first);
  start(place);
  await isIdle(place);
  const config = join(place.store, 'config.toml');
  writeFileSync(config, 'this is = = no TOML');
  await until('it is said', () => place.status()?.config_problem?.startsWith(`${config}: `) === true);
  assert.match(place.run(['daemon', 'status']).out, /^Config: +an older one is in force: /m);
  const before = await counted(place, nativeId);
  appendFileSync(path, rest.join(''));
  await until('it is captured all the same', async () => (await counted(place, nativeId)) > before);

  const state = (): string | undefined => place.status()?.tools.find(({ tool }) => tool === first.id)?.state;
  writeFileSync(config, `[${first.id}]\nenabled = true \n`);
  await until('the new one is in force', () => place.status()?.config_problem === null && state() === 'watched');
  // Another text of the same length and time: only the signal tells of it.
  const { atime, mtime } = statSync(config);
  writeFileSync(config, `[${first.id}]\nenabled = false\n`);
  utimesSync(config, atime, mtime);
  process.kill(lockedBy(place) ?? 0, 'SIGHUP');
  await until('it is read at the signal', () => state() === 'off');
  assert.equal(place.run(['daemon', 'stop']).status, 0);
  writeFileSync(config, 'nonsense');
  const { status, err } = place.run(['daemon', 'start']);
  assert.equal(status, 1);
  assert.match(err, /the daemon did not start: .*config\.toml/);
});

test('without watches it looks for itself, and says so', async (t) => {
  const place = daemonPlace(t);
  const { path, nativeId, rest } = half(place, first);
  start(place, instead(place, `fs.watch = () => { throw Object.assign(new Error('no more'), { code: 'ENOSPC' }); };`));
  await isIdle(place);
  const { state, watched, problem } = place.status()?.tools.find(({ tool }) => tool === first.id) ?? {};
  assert.deepEqual([state, watched], ['partly', 0]);
  assert.match(problem ?? '', /fs\.inotify\.max_user_watches/);
  assert.match(place.run(['daemon', 'status']).out, /max_user_watches/);
  const before = await counted(place, nativeId);
  appendFileSync(path, rest.join(''));
  await until('a grown session is found', async () => (await counted(place, nativeId)) > before);
  const { nativeId: id } = anotherOne({ path, nativeId, rest });
  await until('a new one is found', async () => (await counted(place, id)) > 0);
});

test('a disk that is full for a while: said in the status, and everything is there afterwards', async (t) => {
  const place = daemonPlace(t);
  const { path, nativeId, rest } = half(place, first);
  const full = join(place.folder, 'full');
  start(
    place,
    instead(
      place,
      `const { openSync } = fs;
       fs.openSync = (path, ...rest) => {
         if (String(path).includes('.sfs/') && rest[0] !== 'r' && fs.existsSync(${JSON.stringify(full)}))
           throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
         return openSync(path, ...rest);
       };`,
    ),
  );
  await isIdle(place);
  const before = await counted(place, nativeId);
  writeFileSync(full, '');
  appendFileSync(path, rest.join(''));
  await until('it is said', () => place.status()?.trouble?.includes('no space left') === true);
  assert.equal(await counted(place, nativeId), before);
  rmSync(full);
  await until('it is captured', async () => (await counted(place, nativeId)) > before);
  await until('the trouble is over', () => place.status()?.trouble === null);
  assert.equal(place.run(['daemon', 'stop']).status, 0);
  assert.deepEqual(await kept(place), await atOnce(t, first, place));
});

test('an index that was removed is made again, and goes on', async (t) => {
  const place = daemonPlace(t);
  const { path, nativeId, rest } = half(place, first);
  start(place);
  await isIdle(place);
  const before = await counted(place, nativeId);
  for (const end of ['', '-wal', '-shm']) rmSync(join(place.store, `index.db${end}`), { force: true });
  assert.equal(await counted(place, nativeId), before);
  appendFileSync(path, rest.join(''));
  await until('the list has more', async () => (await counted(place, nativeId)) > before);
});

test('sfs up shows what comes in, and Ctrl-C ends it', async (t) => {
  const place = daemonPlace(t);
  const { path, rest } = half(place, first);
  const up = place.spawn(['up']);
  await until('it has captured', () => up.said().includes(' is new, '));
  await isIdle(place);
  appendFileSync(path, rest.join(''));
  await until('it shows more', () => /^\d\d:\d\d:\d\d ses_\S+ of \S+: \d+ messages? more$/m.test(up.said()));
  up.child.kill('SIGINT');
  assert.equal(await up.ended, 0, up.said());
  assert.equal(lockedBy(place), undefined);
});

test('a log can be followed', async (t) => {
  const place = daemonPlace(t);
  start(place);
  const follower = place.spawn(['daemon', 'logs', '-f', '-n', '1']);
  await until('it shows the last line', () => /watching for homes/.test(follower.said()));
  installRecording(place, first, recordingsOf(first).at(-1) ?? '');
  await until('it shows the next ones', () => / is new, /.test(follower.said()));
});

test('tools are switched off and on while it runs', async (t) => {
  const place = daemonPlace(t);
  const { path, nativeId, rest } = half(place, first);
  start(place);
  await isIdle(place);
  const state = (): string | undefined => place.status()?.tools.find(({ tool }) => tool === first.id)?.state;
  assert.equal(place.run(['watcher', 'disable', first.aliases[0] ?? first.id]).out.split(' ')[0], first.id);
  await until('it is off', () => state() === 'off');
  const before = await counted(place, nativeId);
  appendFileSync(path, rest.join(''));
  const listed = JSON.parse(place.run(['watcher', 'list', '--json']).out) as readonly Record<string, unknown>[];
  assert.deepEqual(listed[0], {
    tool: first.id,
    name: first.name,
    enabled: false,
    home: homeOf(place.context, first),
    home_exists: true,
    watched: 'off',
  });
  assert.equal(await counted(place, nativeId), before);
  assert.equal(place.run(['watcher', 'enable', first.id]).status, 0);
  await until('what came meanwhile is in', async () => (await counted(place, nativeId)) > before);
  assert.equal(state(), 'watched');
  const { status, err } = place.run(['watcher', 'enable', 'nothing']);
  assert.equal(status, 2);
  assert.match(err, /^sfs: there is no tool "nothing"\nhint: name one of: /);
});

test('a service is written below the home directory, and removed with what the manager made of it', (t) => {
  const place = daemonPlace(t);
  const variables = first.home.env.map(({ name }) => [name, join(place.home, 'elsewhere')] as const);
  const installed = place.run(['daemon', 'install'], Object.fromEntries(variables));
  const [, path = ''] = /^Wrote (.*)\nType next: systemctl --user /.exec(installed.out) ?? [];
  assert.equal(path, join(place.home, '.config/systemd/user/sfsd.service'));
  const unit = readFileSync(path, 'utf8');
  for (const [name, value] of [['SFS_HOME', place.store] as const, ...variables])
    assert.ok(unit.includes(`Environment="${name}=${value}"\n`), unit);
  const [, program = ''] = /^ExecStart="[^"]+" "--max-semi-space-size=4" "(.*)"$/m.exec(unit) ?? [];
  assert.equal(statSync(program).mode & 0o100, 0o100);
  assert.match(place.run(['daemon', 'install']).out, /^Replaced /);
  const link = join(dirname(path), 'default.target.wants', 'sfsd.service');
  mkdirSync(dirname(link));
  symlinkSync(path, link);
  assert.match(place.run(['daemon', 'uninstall']).out, /^Removed .*\nType next: systemctl --user stop sfsd/);
  assert.deepEqual([existsSync(path), existsSync(link)], [false, false]);
  assert.match(place.run(['daemon', 'uninstall']).out, /^It is not installed: /);
});
