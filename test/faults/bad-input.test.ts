/** Whatever comes in: a clear error or a counted loss, nothing lost, the other sessions unaffected. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { SessionFsError } from '../../src/errors.ts';
import { textOf } from '../../src/model/message.ts';
import { diary } from '../stories/diary/index.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';
import { adapters } from '../../src/adapters/index.ts';

const quiet = (): void => undefined;
const page = (...said: readonly string[]): string =>
  said
    .map(
      (text, index) =>
        `${JSON.stringify({ who: index % 2 === 0 ? 'me' : 'it', said: text, at: `2026-11-01T10:00:0${index % 10}.000Z` })}\n`,
    )
    .join('');

interface DiaryPlace extends Scratch {
  readonly diary: string;
  write(name: string, content: string | Buffer): string;
  texts(): Promise<string[]>;
}

function diaryPlace(t: TestContext): DiaryPlace {
  const place = scratch(t, { adapters: [diary] });
  const home = join(place.home, '.diary');
  mkdirSync(home);
  return {
    ...place,
    diary: home,
    write: (name, content) => {
      writeFileSync(join(home, name), content);
      return join(home, name);
    },
    texts: async () => (await openSession(place.context, '@last')).reader.timeline().toArray().map(textOf),
  };
}

const rejects = async (work: Promise<unknown>, code: string, words: RegExp): Promise<void> => {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof SessionFsError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    assert.ok(error.hint !== undefined && error.hint.length > 0, 'says what to type');
    return true;
  });
};

describe('damaged records', () => {
  const damage: readonly {
    readonly name: string;
    readonly line: string | Buffer;
    readonly loss: string | undefined;
  }[] = [
    { name: 'a line that is no JSON', line: '{"who":"me","said":\n', loss: 'malformed-line' },
    {
      name: 'a record cut off by another',
      line: '{"who":"me","said":"x{"who":"it","said":"y"}\n',
      loss: 'malformed-line',
    },
    { name: 'NULs a crash left', line: Buffer.alloc(5000), loss: undefined },
    { name: 'a line of nothing but white space', line: '   \t \r\n', loss: undefined },
    {
      name: 'invalid UTF-8',
      line: Buffer.concat([
        Buffer.from('{"who":"me","said":"a'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('b","at":"2026-11-01T10:00:05.000Z"}\n'),
      ]),
      loss: 'invalid-utf8',
    },
    {
      name: 'deep JSON',
      line: `{"who":"it","did":"x","call":"c","with":{"deep":${'['.repeat(200_000)}${']'.repeat(200_000)}}}\n`,
      loss: 'undecodable:RangeError',
    },
    { name: 'wrong types', line: '{"who":17,"said":{"a":1}}\n', loss: undefined },
  ];
  for (const { name, line, loss } of damage) {
    test(`${name}: counted, and what stands around it is there`, async (t) => {
      const place = diaryPlace(t);
      const path = place.write(
        'a.jsonl',
        Buffer.concat([Buffer.from(page('before')), Buffer.from(line), Buffer.from(page('after'))]),
      );
      await importSessions(place.context, {}, quiet);
      const texts = await place.texts();
      assert.equal(texts[0], 'before');
      assert.equal(texts.at(-1), 'after');
      const { reader } = await openSession(place.context, '@last');
      if (loss !== undefined) assert.equal(reader.manifest.metadata?.losses?.[loss], 1);
      const archived = reader.commit?.native['main'];
      assert.equal(
        (archived?.frames ?? []).reduce((sum, { raw }) => sum + raw, archived?.tailBytes ?? 0),
        readFileSync(path).length,
        'kept byte for byte all the same',
      );
    });
  }

  test('two records in one line are both there', async (t) => {
    const place = diaryPlace(t);
    place.write('a.jsonl', `${page('one').trim()}${page('two')}${page('three')}`);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await place.texts(), ['one', 'two', 'three']);
    const { reader } = await openSession(place.context, '@last');
    assert.equal(reader.manifest.metadata?.losses, undefined);
    assert.deepEqual(reader.commit?.records, { message: 3 });
  });

  test('a half-written last line waits for its rest', async (t) => {
    const place = diaryPlace(t);
    const path = place.write('a.jsonl', `${page('one')}{"who":"it","said":"tw`);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await place.texts(), ['one']);
    appendFileSync(path, 'o","at":"2026-11-01T10:00:01.000Z"}\n');
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await place.texts(), ['one', 'two']);
  });
});

describe('documents met half written', () => {
  const gemini = adapters.find(({ id }) => id === 'gemini-cli');
  assert.ok(gemini !== undefined);
  const document =
    'tmp/f5be742f68f5a1305e44b7a4e2477778b4951fd91525ffb110a3eb48e119b7a3/chats/session-2026-11-23T05-48-d8d20ebf.json';

  test('a new one is named and waited for, and read when it is whole', async (t) => {
    const place = scratch(t);
    const path = join(installRecording(place, gemini, '0.20.0'), document);
    const whole = readFileSync(path);
    for (const bytes of [whole.length >> 1, whole.length - 3]) {
      writeFileSync(path, whole.subarray(0, bytes));
      const { problems } = await importSessions(place.context, {}, quiet);
      assert.deepEqual(
        problems.map(({ path: where }) => where),
        [path],
      );
      assert.match(
        problems[0]?.problem ?? '',
        /d8d20ebf\.json is no whole JSON document: it is being written, or was cut/,
      );
      assert.equal((await listSessions(place.context, {})).sessions.length, 1, 'the other session is there');
    }
    writeFileSync(path, whole);
    const { problems, sessions } = await importSessions(place.context, {}, quiet);
    assert.deepEqual([problems, sessions.map(({ outcome, messages }) => [outcome, messages])], [[], [['new', 9]]]);
    const { reader } = await openSession(place.context, 'd8d20ebf');
    assert.deepEqual([reader.commit?.records, reader.commit?.losses], [{ message: 1 }, {}]);
  });

  test('one that was captured before stays as it was, however often it is met so', async (t) => {
    const place = scratch(t);
    const path = join(installRecording(place, gemini, '0.20.0'), document);
    await importSessions(place.context, {}, quiet);
    const before = (await openSession(place.context, 'd8d20ebf')).reader;
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, whole.slice(0, 2000));
    for (let count = 0; count < 3; count += 1) {
      const { problems, sessions } = await importSessions(place.context, {}, quiet);
      assert.deepEqual([problems.length, sessions], [1, []]);
    }
    const during = (await openSession(place.context, 'd8d20ebf')).reader;
    assert.deepEqual(during.commit, before.commit);
    assert.deepEqual([...during.lines()], [...before.lines()]);
    const grown = JSON.parse(whole) as { messages: unknown[] };
    grown.messages.push({ id: 'u9', timestamp: '2026-11-23T05:49:00.000Z', type: 'user', content: 'Thanks.' });
    writeFileSync(path, JSON.stringify(grown, null, 2));
    await importSessions(place.context, {}, quiet);
    const after = (await openSession(place.context, 'd8d20ebf')).reader;
    assert.deepEqual([after.commit?.records, after.commit?.losses], [{ message: 2 }, {}]);
    assert.deepEqual(after.timeline().toArray().map(textOf).slice(-2), ['All done.', 'Thanks.']);
    assert.equal([...after.lines()].length, [...before.lines()].length + 1);
  });
});

describe('damaged places', () => {
  test('a link among the sessions is not followed, and the others are captured', async (t) => {
    const place = diaryPlace(t);
    writeFileSync(join(place.folder, 'secret.jsonl'), page('elsewhere'));
    symlinkSync(join(place.folder, 'secret.jsonl'), join(place.diary, 'link.jsonl'));
    place.write('a.jsonl', page('mine'));
    const result = await importSessions(place.context, {}, quiet);
    assert.deepEqual(
      result.sessions.map(({ outcome }) => outcome),
      ['new'],
    );
  });

  for (const adapter of adapters) {
    test(`${adapter.name}: an unreadable file is named, and the others are captured`, (t) => {
      const place = scratch(t);
      const home = installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
      const before = sfs(place, ['import', '--from', adapter.id, '--json']);
      const all = (JSON.parse(before.out) as { sessions: unknown[] }).sessions.length;
      rmSync(join(place.home, '.sessionfs'), { recursive: true });
      const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter(
        (entry) =>
          entry.isFile() &&
          /^(?!agent).*[0-9a-f-]{8,}(\.jsonl?|\/state\.vscdb)$/.test(join(basename(entry.parentPath), entry.name)),
      );
      const victim = files.map((entry) => join(entry.parentPath, entry.name)).sort()[0] ?? '';
      chmodSync(victim, 0);
      chmodTree(place.folder);
      const { status, out, err } = sfs(place, ['import', '--from', adapter.id, '--json'], { asNobody: true });
      chmodSync(victim, 0o600);
      assert.ok(status === 0 || status === 1, err);
      const result = JSON.parse(out) as { sessions: { outcome: string }[]; problems: { path: string }[] };
      assert.ok(result.sessions.filter(({ outcome }) => outcome === 'new').length >= all - 1, 'the others');
      assert.ok(
        result.problems.some(({ path }) => path === victim),
        `${victim} is named: ${JSON.stringify(result.problems)}`,
      );
    });
  }

  test('a store that cannot be written is said to be so, once, and exits with 1', (t) => {
    const place = scratch(t);
    for (const adapter of adapters) installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
    mkdirSync(join(place.home, '.sessionfs'), { mode: 0o555 });
    const { status, err } = sfs(place, ['import'], { asNobody: true });
    assert.equal(status, 1);
    assert.match(err, /^sfs: cannot (write|use) .*\.sessionfs.*\nhint: make it writable/);
    assert.equal(err.match(/sfs:/g)?.length, 1);
  });

  if (process.platform === 'linux') {
    test('a full disk ends an import with a clear error; with room again it goes on, and nothing is lost', (t) => {
      const place = scratch(t, { adapters: [diary] });
      const [adapter] = adapters;
      assert.ok(adapter !== undefined);
      for (const one of adapters) installRecording(place, one, recordingsOf(one).at(-1) ?? '');
      const store = join(place.folder, 'small');
      mkdirSync(store);
      const script = `mount -t tmpfs -o size=300k none "$STORE" && "$@"; status=$?; mkdir -p "$KEEP" && cp -a "$STORE/." "$KEEP/"; exit $status`;
      const keep = join(place.folder, 'kept');
      const { status, err } = sfs(place, ['import'], {
        under: ['unshare', '-rm', 'sh', '-c', script, 'sh'],
        env: { SFS_HOME: store, STORE: store, KEEP: keep },
      });
      assert.equal(status, 1, err);
      assert.match(err, /^sfs: cannot write .*(ENOSPC|no space left|disk is full)/m);
      assert.match(err, /hint: free some space/);
      const again = sfs(place, ['import', '--json'], { env: { SFS_HOME: keep } });
      assert.equal(again.status, 0, again.err);
      const whole = sfs(place, ['import', '--json'], { env: { SFS_HOME: join(place.folder, 'fresh') } });
      assert.equal(whole.status, 0);
      const listed = (home: string): unknown =>
        (
          JSON.parse(sfs(place, ['list', '--all', '--json'], { env: { SFS_HOME: home } }).out) as {
            session_id: string;
            message_count: number;
          }[]
        )
          .map(({ session_id: id, message_count: count }) => `${id} ${count}`)
          .sort();
      assert.deepEqual(listed(keep), listed(join(place.folder, 'fresh')));
    });
  }
});

describe('damaged stores', () => {
  test('a deleted, damaged or foreign index is made again', async (t) => {
    const place = diaryPlace(t);
    place.write('a.jsonl', page('one', 'two'));
    await importSessions(place.context, {}, quiet);
    const before = await listSessions(place.context, {});
    for (const content of [undefined, 'not a database', '']) {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${place.context.store.index}${suffix}`, { force: true });
      if (content !== undefined) writeFileSync(place.context.store.index, content);
      assert.deepEqual(await listSessions(place.context, {}), before);
    }
    const again = await importSessions(place.context, {}, quiet);
    assert.deepEqual(again.sessions, []);
  });

  test('a messages file that was cut off is read again from its source', async (t) => {
    const place = diaryPlace(t);
    const path = place.write('a.jsonl', page('one', 'two', 'three'));
    await importSessions(place.context, {}, quiet);
    const { reader } = await openSession(place.context, '@last');
    truncateSync(join(reader.folder, 'messages.jsonl'), 40);
    appendFileSync(path, page('four'));
    await importSessions(place.context, {}, quiet);
    assert.deepEqual((await place.texts()).toSorted(), ['four', 'one', 'three', 'two']);
  });

  test('what a killed import left behind its last commit is cut off', async (t) => {
    const place = diaryPlace(t);
    const path = place.write('a.jsonl', page('one', 'two'));
    await importSessions(place.context, {}, quiet);
    const { reader } = await openSession(place.context, '@last');
    appendFileSync(join(reader.folder, 'messages.jsonl'), '{"msg_id":"half');
    writeFileSync(join(reader.folder, 'meta', 'lock'), '999999999');
    assert.deepEqual(await place.texts(), ['one', 'two']);
    appendFileSync(path, page('three'));
    await importSessions(place.context, {}, quiet);
    assert.deepEqual((await place.texts()).toSorted(), ['one', 'three', 'two']);
  });

  test('a session directory that disappears is forgotten by the list', async (t) => {
    const place = diaryPlace(t);
    place.write('a.jsonl', page('one', 'two'));
    await importSessions(place.context, {}, quiet);
    const { reader } = await openSession(place.context, '@last');
    rmSync(reader.folder, { recursive: true });
    assert.deepEqual((await listSessions(place.context, {})).sessions, []);
  });
});

describe('what a person types', () => {
  test('unknown tools, sessions, paths and times are named', async (t) => {
    const place = diaryPlace(t);
    place.write('a.jsonl', page('one', 'two'));
    await importSessions(place.context, {}, quiet);
    await rejects(importSessions(place.context, { from: 'emacs' }, quiet), 'unknown-tool', /"emacs"/);
    await rejects(
      importSessions(place.context, { path: join(place.folder, 'nowhere') }, quiet),
      'path-not-found',
      /nowhere/,
    );
    await rejects(openSession(place.context, 'ses_ffff'), 'session-not-found', /ses_ffff/);
    await rejects(resume(place.context, { session: '@last' }), 'workspace-not-found', /names no workspace/);
    await rejects(
      resume(place.context, { session: '@last', project: '/no/such/folder' }),
      'path-not-found',
      /\/no\/such\/folder/,
    );
  });

  test('an ambiguous prefix lists the candidates', async (t) => {
    const place = diaryPlace(t);
    for (let index = 0; index < 40; index += 1) place.write(`page-${index}.jsonl`, page(`prompt ${index}`, 'answer'));
    await importSessions(place.context, {}, quiet);
    const { sessions } = await listSessions(place.context, {});
    const digits = sessions.map(({ session_id: id }) => id.slice(4, 5));
    const twice = digits.find((digit) => digits.filter((other) => other === digit).length > 1) ?? '';
    await rejects(
      openSession(place.context, `ses_${twice}`),
      'ambiguous-session',
      new RegExp(`more than one session:\\n {2}ses_${twice}\\w{15} {2}diary {2}prompt \\d+\\n`),
    );
  });

  test('a .sfs directory from a newer version, or a broken one, is refused by name', async (t) => {
    const place = diaryPlace(t);
    place.write('a.jsonl', page('one', 'two'));
    await importSessions(place.context, {}, quiet);
    const { reader } = await openSession(place.context, '@last');
    const copy = join(place.folder, 'copy.sfs');
    cpSync(reader.folder, copy, { recursive: true });
    const manifest = readFileSync(join(copy, 'manifest.json'), 'utf8');
    const withManifest = (text: string): Promise<unknown> => {
      writeFileSync(join(copy, 'manifest.json'), text);
      return importSessions(place.context, { path: copy }, quiet);
    };
    await rejects(
      withManifest(manifest.replace('"0.1.0"', '"0.2.0"')),
      'newer-format',
      /copy\.sfs\/manifest\.json is of format 0\.2\.0/,
    );
    await rejects(withManifest('{'), 'invalid-session', /manifest\.json is not a JSON object/);
    await rejects(
      withManifest(manifest.replace('"created_at"', '"made_at"')),
      'invalid-session',
      /has no time in "created_at"/,
    );
    writeFileSync(join(copy, 'manifest.json'), manifest);
    renameSync(join(copy, 'messages.jsonl'), join(copy, 'messages.gone'));
    await rejects(
      importSessions(place.context, { path: copy }, quiet),
      'invalid-session',
      /messages\.jsonl is missing/,
    );
    assert.equal((await listSessions(place.context, {})).sessions.length, 1);
  });
});

function chmodTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o777);
    else if (!entry.isSymbolicLink() && process.getuid?.() === 0) chmodUnlessClosed(path);
  }
  chmodSync(folder, 0o777);
}

/** Everybody may read what is not closed on purpose. */
function chmodUnlessClosed(path: string): void {
  const { mode } = statSync(path);
  if ((mode & 0o777) !== 0) chmodSync(path, 0o666);
}
