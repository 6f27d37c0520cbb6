/** `sfs doctor` finds what is wrong, says what to type, and mends what is safe to mend; a machine in order has nothing wrong. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { Check } from '../../src/actions/doctor.ts';
import { examine } from '../../src/actions/doctor.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { homeOf } from '../../src/actions/tools.ts';
import { adapters } from '../../src/adapters/index.ts';
import { daemonFacts } from '../../src/daemon/control.ts';
import { version } from '../../src/version.ts';
import { sfs, sfsPath } from '../support/command-line.ts';
import { daemonPlace, kill, lockedBy, until } from '../support/daemon.ts';
import type { Scratch } from '../support/scratch.ts';
import { installProgram, installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const [only] = adapters;
assert.ok(only !== undefined);
const first = only;
/** No process has this number. */
const nobody = 2 ** 22 + 1;

interface Examined {
  readonly checks: readonly Check[];
  /** The checks of a name that are not in order, as their status, and what was mended. */
  wrong(name?: string): readonly (readonly [status: string, fixed: boolean])[];
  check(name: string): Check;
}

async function doctor(place: Scratch, how: { readonly fix: boolean } = { fix: false }): Promise<Examined> {
  const checks = await examine(place.context, adapters, { ...how, daemon: daemonFacts(place.context) });
  return {
    checks,
    wrong: (name) =>
      checks
        .filter(
          (check) => (check.status !== 'ok' || check.fixed !== null) && (name === undefined || check.name === name),
        )
        .map((check) => [check.status, check.fixed !== null]),
    check: (name) => {
      const found = checks.find((check) => check.name === name);
      assert.ok(found !== undefined, name);
      return found;
    },
  };
}

const fix = { fix: true };

async function filled(t: Parameters<typeof scratch>[0]): Promise<Scratch> {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  await importSessions(place.context, {}, () => undefined);
  // Made by this process, whose umask is the test's.
  for (const name of readdirSync(place.context.store.root).filter((file) => file.startsWith('index.db')))
    chmodSync(join(place.context.store.root, name), 0o600);
  return place;
}

async function ids(place: Scratch): Promise<string[]> {
  return (await listSessions(place.context, {})).sessions.map(({ session_id: id }) => id);
}

/** The first tool deletes its own sessions, and says so; that is all there is to say. */
const retention = `${first.id} retention`;

test('in order: nothing but what a tool deletes by itself', async (t) => {
  const empty = scratch(t);
  assert.deepEqual((await doctor(empty)).wrong(), []);
  assert.match((await doctor(empty)).check('store').detail, /^nothing has been captured in /);

  const place = await filled(t);
  const { checks, wrong } = await doctor(place);
  assert.deepEqual(
    checks.filter((check) => check.status !== 'ok').map(({ name }) => name),
    [retention],
  );
  assert.deepEqual(wrong(retention), [['warn', false]]);
  assert.deepEqual((await doctor(place, fix)).wrong(), [['warn', false]]);
  assert.match(sfs(place, ['doctor']).out, /^ok {4}store[^]*\n\n1 warning\.\n$/);
  for (const name of [
    'store',
    'disk',
    'permissions',
    'locks',
    'leftovers',
    'index',
    'config',
    'daemon',
    `${first.id} home`,
  ])
    assert.equal((await doctor(place)).check(name).hint, null, name);
});

describe('the store', () => {
  test('what others may read is closed to them', async (t) => {
    const place = await filled(t);
    const { root, sessions, index } = place.context.store;
    const session = join(sessions, `${(await ids(place))[0] ?? ''}.sfs`);
    chmodSync(session, 0o755);
    chmodSync(index, 0o644);
    assert.deepEqual((await doctor(place)).wrong('permissions'), [['warn', false]]);
    chmodSync(root, 0o755);
    const open = await doctor(place);
    const { detail, ...found } = open.check('permissions');
    assert.deepEqual(found, { name: 'permissions', status: 'fail', hint: 'mend it: sfs doctor --fix', fixed: null });
    assert.match(detail, new RegExp(`^others may read ${root} and \\d+ more$`));
    const fixed = await doctor(place, fix);
    assert.match(fixed.check('permissions').fixed ?? '', /^closed \d+ files and folders to others$/);
    assert.deepEqual(
      [root, session, index].map((path) => statSync(path).mode & 0o777),
      [0o700, 0o700, 0o600],
    );
    assert.deepEqual((await doctor(place)).wrong('permissions'), []);
  });

  test('under an older Node, which starts another, what is written is private too', async (t) => {
    const place = scratch(t);
    installRecording(place, first, recordingsOf(first)[0] ?? '');
    const old = join(place.folder, 'old.cjs');
    writeFileSync(
      old,
      "if (process.argv[1].endsWith('sfs.cjs') && process.argv[1].includes('bin')) Object.defineProperty(process.versions, 'node', { value: '20.0.0' });",
    );
    // The Node that a checkout brings stands where the launcher looks for it.
    const checkout = join(place.folder, 'checkout');
    mkdirSync(join(checkout, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin'), { recursive: true });
    cpSync(join(sfsPath, '..'), join(checkout, 'bin'), { recursive: true });
    cpSync(join(sfsPath, '..', '..', 'dist'), join(checkout, 'dist'), { recursive: true });
    writeFileSync(
      join(checkout, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node'),
      `#!/bin/sh\nexec '${process.execPath}' "$@"\n`,
      { mode: 0o755 },
    );
    const ran = sfs(place, ['import'], {
      under: ['/bin/sh', '-c', `umask 022; exec "$1" -r '${old}' '${join(checkout, 'bin', 'sfs.cjs')}' import`, 'sh'],
    });
    assert.equal(ran.status, 0, ran.err);
    assert.equal(statSync(place.context.store.index).mode & 0o777, 0o600);
    assert.deepEqual((await doctor(place)).wrong('permissions'), []);
  });

  test('one that cannot be written', async (t) => {
    const place = await filled(t);
    const { root, index } = place.context.store;
    if (process.getuid?.() === 0) {
      for (const path of [place.folder, place.home]) chmodSync(path, 0o755);
      chmodSync(root, 0o755);
      chmodSync(index, 0o644);
    } else chmodSync(index, 0o400);
    const { status, out } = sfs(place, ['doctor', '--json'], { asNobody: true });
    assert.equal(status, 1);
    const [store] = JSON.parse(out) as Check[];
    assert.deepEqual([store?.name, store?.status], ['store', 'fail']);
    assert.match(store?.detail ?? '', /cannot be written: nothing more is captured$/);
    // What it cannot mend it says, and goes on.
    const fixed = sfs(place, ['doctor', '--json', '--fix'], { asNobody: true });
    assert.equal(fixed.status, 1);
    assert.ok((JSON.parse(fixed.out) as Check[]).length > 5);
  });

  test('locks of processes that are gone, and those of others', async (t) => {
    const place = await filled(t);
    const [one = '', two = ''] = (await ids(place)).map((id) =>
      join(place.context.store.sessions, `${id}.sfs`, 'meta', 'lock'),
    );
    writeFileSync(one, `${nobody}/0`);
    if (two !== '') writeFileSync(two, `${process.pid}/0`);
    assert.deepEqual((await doctor(place)).wrong('locks'), [['warn', false]]);
    assert.equal((await doctor(place, fix)).check('locks').fixed, 'removed 1');
    assert.equal(existsSync(one), false);
    if (two !== '') assert.equal(readFileSync(two, 'utf8'), `${process.pid}/0`);
    assert.deepEqual((await doctor(place)).wrong('locks'), []);
  });

  test('what killed work left, and nothing that is in use', async (t) => {
    const place = await filled(t);
    const { root, sessions } = place.context.store;
    const session = join(sessions, `${(await ids(place))[0] ?? ''}.sfs`);
    const long = new Date(Date.now() - 3_600_000);
    const left = [
      join(root, `.${nobody}-1.tmp`),
      join(session, `.${nobody}-7.tmp`),
      join(session, 'meta', `.${nobody}-8.tmp`),
      join(session, '.reparse.tmp', 'native', '0.main'),
      join(sessions, 'ses_0123456789abcdef.sfs', 'messages.jsonl'),
      join(root, 'incoming', `${nobody}-x`, 'manifest.json'),
    ];
    const used = [
      join(root, `.${process.pid}-1.tmp`),
      join(session, `.${process.pid}-2.tmp`),
      join(sessions, 'ses_00000000000000aa.sfs', 'messages.jsonl'),
      join(root, 'incoming', `${process.pid}-x`, 'manifest.json'),
    ];
    for (const path of [...left, ...used]) {
      mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
      writeFileSync(path, '', { mode: 0o600 });
    }
    for (const path of [join(session, '.reparse.tmp'), join(sessions, 'ses_0123456789abcdef.sfs')])
      utimesSync(path, long, long);
    const before = await ids(place);
    assert.equal(
      (await doctor(place)).check('leftovers').detail,
      '6 left by work that was killed: of no use to anybody',
    );
    assert.ok(left.every((path) => existsSync(path)));
    assert.equal((await doctor(place, fix)).check('leftovers').fixed, 'removed 6');
    assert.deepEqual(
      left.filter((path) => existsSync(path)),
      [],
    );
    assert.deepEqual(
      used.filter((path) => !existsSync(path)),
      [],
    );
    assert.deepEqual(await ids(place), before);
    assert.deepEqual((await doctor(place)).wrong('leftovers'), []);
  });

  test('an index that is missing, damaged, of another version, or says something else', async (t) => {
    const place = await filled(t);
    const { index } = place.context.store;
    const before = await listSessions(place.context, {});
    const change = (sql: string): void => {
      const database = new DatabaseSync(index);
      database.exec(sql);
      database.close();
    };
    const [id = ''] = await ids(place);
    const cases: readonly (readonly [change: () => void, fixed: RegExp])[] = [
      [
        () => writeFileSync(index, 'no database at all, and long enough not to be one'.repeat(100)),
        /^made it again: \d+ sessions$/,
      ],
      [() => change("update meta set value = '0' where key = 'schema'"), /^made it again: \d+ sessions$/],
      [
        () => change(`update sessions set title = 'Another' where session_id = '${id}'`),
        /^took in 1 sessions, forgot 0$/,
      ],
      [() => change(`delete from sessions where session_id = '${id}'`), /^took in 1 sessions, forgot 0$/],
      [
        () => change(`update sessions set session_id = 'ses_00000000' where session_id = '${id}'`),
        /^took in 1 sessions, forgot 1$/,
      ],
    ];
    for (const [damage, fixed] of cases) {
      damage();
      assert.deepEqual((await doctor(place)).wrong('index'), [['warn', false]]);
      assert.match((await doctor(place, fix)).check('index').fixed ?? '', fixed);
      assert.deepEqual((await doctor(place)).wrong('index'), []);
      assert.deepEqual(await listSessions(place.context, {}), before);
    }
    rmSync(index);
    assert.equal((await doctor(place)).check('index').detail, 'there is none: the next command makes it');
    writeFileSync(join(place.context.store.sessions, `${id}.sfs`, 'manifest.json'), '');
    await ids(place);
    assert.equal((await doctor(place)).check('index').hint, 'see what is damaged: sfs verify');
  });
});

describe('the configuration', () => {
  test('one that cannot be read is told, and keeps nothing else from being looked at', async (t) => {
    const place = await filled(t);
    const { config } = place.context.store;
    writeFileSync(config, 'this is = = no TOML', { mode: 0o600 });
    const { check, checks } = await doctor(place);
    assert.equal(sfs(place, ['doctor']).status, 1);
    assert.equal(check('config').status, 'fail');
    assert.ok(check('config').detail.startsWith(`${config}: `));
    assert.equal(check('config').hint, `correct it with an editor: ${config}`);
    assert.ok(checks.length > 8);
  });

  test('a section that names no tool', async (t) => {
    const place = await filled(t);
    writeFileSync(place.context.store.config, '[claud]\nenabled = false\n\n[sync]\napi_url = "x"\n', { mode: 0o600 });
    assert.match((await doctor(place)).check('config').detail, /^\[claud\] names no tool/);
    writeFileSync(place.context.store.config, `[${first.id}]\nenabled = false\n`, { mode: 0o600 });
    assert.deepEqual((await doctor(place)).wrong('config'), []);
    assert.match((await doctor(place)).check(`${first.id} home`).detail, /^it is switched off/);
  });
});

describe('the tools', () => {
  for (const adapter of adapters.filter(({ writer }) => writer !== undefined))
    test(`${adapter.name}: too old, proven, newer than proven`, async (t) => {
      const place = scratch(t);
      const { minimumVersion = '', provenVersion = '' } = adapter.writer ?? {};
      const name = `${adapter.id} version`;
      assert.equal(
        (await doctor(place)).checks.some((check) => check.name === name),
        false,
      );
      for (const [installed, status, detail] of [
        ['0.0.1', 'warn', `0.0.1 does not load what is written for it; ${minimumVersion} or newer does`],
        [provenVersion, 'ok', provenVersion],
        [
          '9999.0.0',
          'warn',
          `9999.0.0 is newer than ${provenVersion}, the newest this was proven with: most likely it works`,
        ],
      ] as const) {
        installProgram(place, adapter, installed);
        const found = (await doctor(place)).check(name);
        assert.deepEqual([found.status, found.detail], [status, detail]);
      }
    });

  test('a home that may not be read', async (t) => {
    const place = await filled(t);
    for (const path of [place.folder, place.home]) chmodSync(path, 0o755);
    chmodSync(homeOf(place.context, first), 0o700);
    if (process.getuid?.() !== 0) chmodSync(homeOf(place.context, first), 0);
    const { out } = sfs(place, ['doctor', '--json'], { asNobody: true, env: { SFS_HOME: join(place.home, 'none') } });
    const found = (JSON.parse(out) as Check[]).find(({ name }) => name === `${first.id} home`);
    chmodSync(homeOf(place.context, first), 0o700);
    assert.equal(found?.status, 'fail');
    assert.match(found.detail, /^nothing of it is captured: .*EACCES/);
    assert.equal(found.hint, `see who may read it: ls -ld '${homeOf(place.context, first)}'`);
  });
});

describe('the daemon', () => {
  test('running, of another version, killed, stopped', async (t) => {
    const place = daemonPlace(t);
    installRecording(place, first, recordingsOf(first)[0] ?? '');
    assert.equal((await doctor(place)).check('daemon').status, 'ok');
    assert.equal(place.run(['daemon', 'start']).status, 0);
    const pid = lockedBy(place) ?? 0;
    assert.equal((await doctor(place)).check('daemon').detail, `running, process ${pid}`);
    assert.match(
      (await doctor(place)).check('watches').detail,
      /^\d+ folders to watch, and the system gives \d+ to this account$/,
    );

    await until('it is quiet', () => place.status()?.last_search_at !== null && place.status()?.pending === 0);
    const status = place.status();
    const path = join(place.store, 'daemon.json');
    const says = async (changes: object): Promise<Check> => {
      writeFileSync(path, JSON.stringify({ ...status, ...changes }), { mode: 0o600 });
      return (await doctor(place)).check('daemon');
    };
    assert.deepEqual(await says({ version: '0.0.1' }), {
      name: 'daemon',
      status: 'warn',
      detail: `it is of version 0.0.1, and this is ${version}`,
      hint: 'sfs daemon restart',
      fixed: null,
    });
    assert.equal((await says({ trouble: 'the disk is full' })).status, 'fail');
    assert.equal((await says({ config_problem: 'no TOML' })).status, 'warn');
    assert.equal((await says({})).status, 'ok');

    await until('it is dead', () => kill(place, pid));
    const killed = (await doctor(place)).checks.filter(({ name }) => name === 'daemon');
    assert.deepEqual(
      killed.map(({ detail, hint }) => [detail, hint]),
      [
        ['its lock is left by one that was killed', 'mend it: sfs doctor --fix'],
        ['it was killed, and runs no more', 'start it: sfs daemon start'],
      ],
    );
    assert.equal((await doctor(place, fix)).check('daemon').fixed, 'removed its lock');
    assert.equal(existsSync(join(place.store, 'daemon.lock')), false);
    assert.equal(place.run(['daemon', 'start']).status, 0);
    assert.equal(place.run(['daemon', 'stop']).status, 0);
    assert.match((await doctor(place)).check('daemon').detail, /^it is not running/);
  });

  test('while it runs, an index that is made again goes on', async (t) => {
    const place = daemonPlace(t);
    const home = installRecording(place, first, recordingsOf(first)[0] ?? '');
    assert.equal(place.run(['daemon', 'start']).status, 0);
    await until('it has captured', () => (place.status()?.captured.messages ?? 0) > 0 && place.status()?.pending === 0);
    const database = new DatabaseSync(place.context.store.index);
    database.exec("update meta set value = '0' where key = 'schema'");
    database.close();
    assert.match((await doctor(place, fix)).check('index').fixed ?? '', /^made it again/);
    const before = (await ids(place)).length;
    renameSync(home, `${home}.old`);
    installRecording(place, first, recordingsOf(first).at(-1) ?? '');
    await until('what comes is listed', async () => (await ids(place)).length > before);
  });
});
