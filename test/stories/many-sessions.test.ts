/** An import large enough for two threads says and stores the same as one session at a time. */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ImportResult } from '../../src/actions/import.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { openSession, timelineOf } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import { textOf } from '../../src/model/message.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { scratch } from '../support/scratch.ts';
import { resume } from '../../src/actions/resume.ts';
import { diary } from './diary/index.ts';

const quiet = (): void => undefined;
const sessions = 120;

/** As many native sessions as asked, made by the tool's own writer from one conversation. */
async function manySessions(place: Scratch): Promise<void> {
  const [target] = adapters;
  assert.ok(target !== undefined);
  const context = { ...place.context, adapters: [...adapters, diary] };
  mkdirSync(join(place.home, '.diary'));
  const lines = [
    { title: 'One of many', where: place.project },
    { who: 'me', said: 'Count the pears.', at: '2026-11-01T10:00:00.000Z' },
    { who: 'it', said: 'x'.repeat(3000), at: '2026-11-01T10:00:01.000Z' },
  ];
  writeFileSync(join(place.home, '.diary', 'pears.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await importSessions(context, { from: 'diary' }, quiet);
  const {
    sessions: [source],
  } = await listSessions(context, {});
  for (let made = 0; made < sessions; made += 1)
    await resume(context, { session: source?.session_id ?? '', in: target.id });
}

test('every session is there, and a second import finds nothing new', async (t) => {
  const place = scratch(t);
  await manySessions(place);
  const env = { SFS_HOME: join(place.folder, 'other-store') };
  const first = JSON.parse(sfs(place, ['import', '--json'], { env }).out) as ImportResult;
  assert.deepEqual(
    [first.tools[0]?.found, first.tools[0]?.new, first.tools[0]?.messages, first.problems],
    [sessions, sessions, 2 * sessions, []],
  );
  const listed = JSON.parse(sfs(place, ['list', '--json'], { env }).out) as {
    session_id: string;
    title: string;
    message_count: number;
  }[];
  assert.equal(new Set(listed.map(({ session_id: id }) => id)).size, sessions);
  assert.ok(listed.every(({ title, message_count: count }) => title === 'One of many' && count === 2));
  const second = JSON.parse(sfs(place, ['import', '--json'], { env }).out) as ImportResult;
  assert.deepEqual([second.tools[0]?.unchanged, second.sessions], [sessions, []]);
});

test('in this process too, beside tools that only it knows', async (t) => {
  const place = scratch(t, { adapters: [...adapters, diary] });
  await manySessions(place);
  const other = { ...place.context, store: { ...place.context.store } };
  const store = join(place.folder, 'other-store');
  const context = {
    ...other,
    machine: { ...other.machine, env: { ...other.machine.env, SFS_HOME: store } },
    store: {
      root: store,
      sessions: join(store, 'sessions'),
      trash: join(store, 'trash'),
      index: join(store, 'index.db'),
      ledger: join(store, 'ledger'),
      config: join(store, 'config.toml'),
    },
  };
  const result = await importSessions(context, {}, quiet);
  assert.deepEqual(
    result.tools.map(({ tool, new: fresh }) => [tool, fresh]).filter(([, fresh]) => fresh !== 0),
    [
      [adapters[0]?.id, sessions],
      ['diary', 1],
    ],
  );
  const { reader } = await openSession(context, result.sessions[0]?.session_id ?? '');
  assert.equal(timelineOf(reader).toArray().map(textOf)[0], 'Count the pears.');
});

if (process.platform === 'linux') {
  test('a full disk is said once, whichever thread met it, and with room again the import goes on', async (t) => {
    const place = scratch(t);
    await manySessions(place);
    const store = join(place.folder, 'small');
    const keep = join(place.folder, 'kept');
    mkdirSync(store);
    const script =
      'mount -t tmpfs -o size=600k none "$SFS_HOME" && "$@"; status=$?; mkdir -p "$KEEP" && cp -a "$SFS_HOME/." "$KEEP/"; exit $status';
    const { status, err } = sfs(place, ['import'], {
      under: ['unshare', '-rm', 'sh', '-c', script, 'sh'],
      env: { SFS_HOME: store, KEEP: keep },
    });
    assert.equal(status, 1, err);
    assert.equal(err.match(/^sfs: cannot write /gm)?.length, 1, err);
    const again = sfs(place, ['import'], { env: { SFS_HOME: keep } });
    assert.equal(again.status, 0, again.err);
    const listed = sfs(place, ['list', '--quiet', '--all'], { env: { SFS_HOME: keep } });
    assert.equal(listed.out.trim().split('\n').length, sessions);
  });
}
