/** What a resume asks of the machine it runs on: a workspace, a tool that can load the result, nobody else's files. */

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { homeOf } from '../../src/actions/tools.ts';
import type { Adapter } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installProgram, installRecording, recordingsOf, scratch } from '../support/scratch.ts';
import { diary } from './diary/index.ts';

const quiet = (): void => undefined;
const writable = adapters.filter(({ writer }) => writer !== undefined);

/** A captured Diary session in a workspace, and the machine it is on. */
async function diarySession(t: TestContext, options: { readonly where?: string } = {}): Promise<Scratch> {
  const place = scratch(t, { adapters: [...adapters, diary] });
  mkdirSync(join(place.home, '.diary'));
  const lines = [
    { title: 'Paint the door', where: options.where ?? place.project },
    { who: 'me', said: 'Paint it green.', at: '2026-11-01T10:00:00.000Z' },
    { who: 'it', said: 'It is green.', at: '2026-11-01T10:00:01.000Z' },
  ];
  writeFileSync(join(place.home, '.diary', 'door.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await importSessions(place.context, { from: 'diary' }, quiet);
  return place;
}

async function refused(work: Promise<unknown>): Promise<SessionFsError> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof SessionFsError, `refused: ${String(error)}`);
  assert.ok(error.hint !== undefined, 'with a hint');
  return error;
}

function filesIn(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
    : [];
}

describe('the tool', () => {
  for (const adapter of writable) {
    test(`${adapter.name}: too old is refused before anything is written, newer goes on with a notice`, async (t) => {
      const place = await diarySession(t);
      installProgram(place, adapter, '0.0.1');
      const error = await refused(resume(place.context, { session: '@last', in: adapter.id }));
      assert.deepEqual([error.code, error.exit], ['version-too-old', 5]);
      assert.match(error.hint ?? '', adapter.install.npm === undefined ? /^update it$/ : /^update it: npm install -g /);
      assert.deepEqual(filesIn(homeOf(place.context, adapter)), []);
      installProgram(place, adapter, '9999.1.0');
      const resumed = await resume(place.context, { session: '@last', in: adapter.id });
      assert.ok(
        resumed.notices.some((notice) =>
          notice.startsWith(`${adapter.name} 9999.1.0 is newer than ${adapter.writer?.provenVersion}`),
        ),
      );
      assert.equal(resumed.installed, true);
    });

    test(`${adapter.name}: a session of its own that is there goes on in whatever version`, async (t) => {
      const place = await diarySession(t);
      const { session_id: session } = await resume(place.context, { session: '@last', in: adapter.id });
      installProgram(place, adapter, '0.0.1');
      const resumed = await resume(place.context, { session });
      assert.deepEqual([resumed.how, resumed.losses], ['opened', {}]);
    });

    test(`${adapter.name}: nothing is written through a link`, async (t) => {
      const place = await diarySession(t);
      const home = homeOf(place.context, adapter);
      const elsewhere = join(place.folder, 'elsewhere');
      mkdirSync(home, { recursive: true });
      mkdirSync(elsewhere);
      for (const name of adapter.home.watch) symlinkSync(elsewhere, join(home, name.split('/')[0] ?? name));
      for (const folder of adapter.home.beside?.(place.context.machine, home) ?? []) {
        mkdirSync(dirname(folder), { recursive: true });
        symlinkSync(elsewhere, folder);
      }
      const error = await refused(resume(place.context, { session: '@last', in: adapter.id }));
      assert.deepEqual([error.code, error.exit], ['outside-home', 5]);
      assert.deepEqual(filesIn(elsewhere), []);
      assert.equal((await listSessions(place.context, {})).sessions.length, 1, 'and no child is left behind');
    });
  }

  test('a session the tool has open is not touched', async (t) => {
    const live: Adapter = { ...diary, writer: { ...must(diary.writer), live: () => true } };
    const place = await diarySession(t);
    const error = await refused(resume({ ...place.context, adapters: [...adapters, live] }, { session: '@last' }));
    assert.deepEqual([error.code, error.exit], ['session-live', 4]);
    assert.match(error.hint ?? '', /--in claude-code/);
  });

  test('a tool that can only be captured says so', async (t) => {
    const { writer: _, ...captureOnly } = diary;
    const place = await diarySession(t);
    const error = await refused(
      resume({ ...place.context, adapters: [...adapters, captureOnly] }, { session: '@last' }),
    );
    assert.deepEqual([error.code, error.exit], ['unsupported-tool', 2]);
  });

  test('the model asked for is the one the tool is started with', async (t) => {
    const place = await diarySession(t);
    for (const adapter of writable) {
      const { command } = await resume(place.context, { session: '@last', in: adapter.id, model: 'some-model' });
      assert.ok(command.includes('some-model'), command.join(' '));
    }
  });
});

describe('the workspace', () => {
  test('is asked for when it is not on this machine: exit 3, naming --project', async (t) => {
    const place = scratch(t);
    const [adapter] = writable;
    assert.ok(adapter !== undefined);
    installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
    assert.equal(sfs(place, ['import']).status, 0);
    const { status, err, out } = sfs(place, ['resume', '@last', '--in', writable[1]?.id ?? '']);
    assert.equal(status, 3);
    assert.equal(out, '');
    assert.match(
      err,
      /^sfs: cannot tell where ses_\w+ goes on: its workspace \S+ is not on this machine\nhint: name the folder: sfs resume ses_\w+ --project DIR\n$/,
    );
  });

  test('is found by its git remote among those the store knows', async (t) => {
    const place = scratch(t);
    const remote = 'https://example.com/orchard.git';
    const { store, machine } = place.context;
    // Two sessions of one repository: one here, one from a folder that is not on this machine.
    const here = await captured(place, 'here', place.project, remote);
    const there = await captured(place, 'there', '/no/such/checkout', remote);
    assert.notEqual(here, there);
    const resumed = await resume(
      { store, machine, config: place.context.config, adapters: [...adapters, gitDiary] },
      { session: there, in: writable[0]?.id ?? '' },
    );
    assert.equal(resumed.cwd, place.project);
  });
});

describe('lineage', () => {
  test('a child keeps the title, names its parent, and begins where the parent ended', async (t) => {
    const place = await diarySession(t);
    const {
      sessions: [parent],
    } = await listSessions(place.context, {});
    const resumed = await resume(place.context, { session: '@last', in: writable[0]?.id ?? '' });
    const { reader } = await openSession(place.context, resumed.session_id);
    const { reader: source } = await openSession(place.context, parent?.session_id ?? '');
    assert.deepEqual(
      [reader.manifest.title, reader.manifest.parent_session_id, reader.manifest.metadata?.base],
      ['Paint the door', source.id, { session: source.id, msg: source.liveIds().at(-1) }],
    );
    assert.deepEqual(reader.liveIds(), source.liveIds());
    assert.equal(reader.manifest.stats?.message_count, 0, 'its own part is still empty');
  });

  test('what was placed is noted, and a second resume makes a second child', async (t) => {
    const place = await diarySession(t);
    const parent = (await listSessions(place.context, {})).sessions[0]?.session_id ?? '';
    const first = await resume(place.context, { session: parent, in: writable[0]?.id ?? '' });
    const second = await resume(place.context, { session: parent, in: writable[0]?.id ?? '' });
    assert.notEqual(first.native_id, second.native_id);
    const noted = readFileSync(join(place.context.store.ledger, 'placed.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { native_id: string }).native_id);
    assert.deepEqual(noted, [first.native_id, second.native_id]);
  });

  test('a source that was moved goes on from where it was', async (t) => {
    const place = await diarySession(t);
    const path = join(place.home, '.diary', 'door.jsonl');
    renameSync(path, `${path}.kept`);
    renameSync(`${path}.kept`, path);
    rmSync(join(place.context.store.root, 'index.db'));
    const again = await importSessions(place.context, { from: 'diary' }, quiet);
    assert.deepEqual(again.sessions, []);
  });
});

function must<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

/** Diary, with the git remote that its title line may state. */
const gitDiary: Adapter = {
  ...diary,
  reader: {
    ...diary.reader,
    decode: (record, state, given) => {
      const remote = typeof record === 'object' && record !== null && 'remote' in record ? record.remote : undefined;
      if (typeof remote === 'string') given.sink.fact({ git: { remote_url: remote } });
      return diary.reader.decode(record, state, given);
    },
  },
};

async function captured(place: Scratch, name: string, where: string, remote: string): Promise<string> {
  const folder = join(place.home, '.diary');
  mkdirSync(folder, { recursive: true });
  const lines = [
    { title: name, where, remote },
    { who: 'me', said: `Work ${name}.`, at: '2026-11-01T10:00:00.000Z' },
  ];
  writeFileSync(join(folder, `${name}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const context = { ...place.context, adapters: [...adapters, gitDiary] };
  await importSessions(context, { from: 'diary' }, quiet);
  const { sessions } = await listSessions(context, {});
  return must(sessions.find(({ title }) => title === name)).session_id;
}
