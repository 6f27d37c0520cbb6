/** Sources and archives as nobody should write them, through the command a person types: it ends, says what is so, loses nothing. */

import assert from 'node:assert/strict';
import { utimesSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tar } from '../../src/io/tar.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, scratch, writable } from '../support/scratch.ts';

const sessionId = '5b0e6a52-94d0-4c1b-9d5e-0d6b1f0f7a11';
const uuid = (name: string): string => `aaaaaaaa-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`;

/** A row of Claude Code. */
function row(name: string, parent: string | null, words: unknown, more: object = {}): string {
  const isAnswer = name.startsWith('b');
  return `${JSON.stringify({
    parentUuid: parent === null ? null : uuid(parent),
    type: isAnswer ? 'assistant' : 'user',
    message: isAnswer
      ? { role: 'assistant', id: `m${name}`, model: 'claude-sonnet-4-5', content: [{ type: 'text', text: words }] }
      : { role: 'user', content: words },
    uuid: uuid(name),
    timestamp: '2026-11-20T09:00:00.000Z',
    sessionId,
    ...more,
  })}\n`;
}

function claudeFile(place: Scratch, content: string, folder = '-w'): string {
  const at = join(place.home, '.claude', 'projects', folder);
  mkdirSync(at, { recursive: true });
  const path = join(at, `${sessionId}.jsonl`);
  writeFileSync(path, content);
  return path;
}

interface Shown {
  readonly message_count: number;
  readonly manifest: { readonly metadata?: { readonly losses?: Record<string, number> } };
  readonly messages: readonly {
    readonly msg_id: string;
    readonly content: readonly { readonly text?: string; readonly content?: string }[];
  }[];
}

function shown(place: Scratch): Shown {
  const { status, out, err } = sfs(place, ['show', '@last', '--messages', '--json']);
  assert.equal(status, 0, err);
  return JSON.parse(out) as Shown;
}

const wordsOf = (session: Shown): (string | undefined)[] =>
  session.messages.map(({ content: [block] }) => block?.text ?? block?.content);

/** Everything a person can do with the session goes through. */
function usable(place: Scratch): void {
  for (const args of [
    ['list'],
    ['list', '--tree', '--all'],
    ['show', '@last', '--messages', '--cost'],
    ['export', '@last', '--format', 'html', '--output', join(place.folder, 'out')],
    ['export', '@last', '--format', 'markdown', '--output', join(place.folder, 'out')],
    ['export', '@last', '--format', 'sfs', '--output', join(place.folder, 'out', 'x.tar.gz')],
    ['checkpoint', 'create', '@last', 'here'],
    ['reparse', '@last'],
    ...writable.map(({ id }) => ['resume', '@last', '--in', id, '--project', place.project, '--no-launch']),
  ]) {
    const { status, err } = sfs(place, args);
    assert.equal(status, 0, `${args.join(' ')}: ${err}`);
  }
}

function imported(place: Scratch, env: { readonly [name: string]: string } = {}): void {
  const { status, err } = sfs(place, ['import'], { env });
  assert.equal(status, 0, err);
}

describe('sessions', () => {
  test('lines of 12 MB', (t) => {
    const place = scratch(t);
    const large = 'wörd '.repeat(2_100_000);
    claudeFile(place, row('a', null, 'Hello') + row('b', 'a', large) + row('c', 'b', large) + row('d', 'c', 'Thanks'));
    imported(place);
    assert.deepEqual(
      wordsOf(shown(place)).map((words) => words?.length),
      [5, large.length, large.length, 6],
    );
    const resumed = sfs(place, ['resume', '@last', '--in', 'codex', '--project', place.project, '--json']);
    assert.equal(resumed.status, 0, resumed.err);
    assert.deepEqual((JSON.parse(resumed.out) as { losses: unknown }).losses, {});
  });

  test('parents in a circle, of themselves, and that are not there', (t) => {
    const place = scratch(t);
    claudeFile(
      place,
      row('a', 'd', 'one') +
        row('b', 'a', 'two') +
        row('c', 'b', 'three') +
        row('d', 'c', 'four') +
        row('e', 'e', 'self') +
        row('f', 'nowhere', 'orphan') +
        row('g', 'f', 'after it'),
    );
    imported(place);
    assert.deepEqual(wordsOf(shown(place)).toSorted(), ['after it', 'four', 'one', 'orphan', 'self', 'three', 'two']);
    usable(place);
  });

  test('ids that occur twice: each message once, in its newest form', (t) => {
    const place = scratch(t);
    claudeFile(
      place,
      row('a', null, 'one') +
        row('b', 'a', 'two') +
        row('a', null, 'one') +
        row('b', 'a', 'two!') +
        row('c', 'b', 'three'),
    );
    imported(place);
    const session = shown(place);
    assert.deepEqual([wordsOf(session), session.message_count], [['one', 'two!', 'three'], 3]);
    usable(place);
  });

  test('clocks that run backwards, stand still, or are none', (t) => {
    const place = scratch(t);
    const times = ['2026-11-20T09:00:09.000Z', '2026-11-20T09:00:05Z', '1969-12-31T23:59:59Z', 'yesterday', null, 17];
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    claudeFile(
      place,
      times.map((timestamp, at) => row(names[at] ?? '', names[at - 1] ?? null, `word ${at}`, { timestamp })).join(''),
    );
    imported(place);
    assert.deepEqual(
      wordsOf(shown(place)),
      times.map((_, at) => `word ${at}`),
    );
    usable(place);
  });

  test('two files for one session: one session, and nothing said in either is lost', (t) => {
    const place = scratch(t);
    const begun = row('a', null, 'one') + row('b', 'a', 'two');
    const old = claudeFile(place, begun + row('x', 'b', 'elsewhere'), '-w');
    imported(place);
    const path = claudeFile(place, begun + row('c', 'b', 'three'), '-copy');
    utimesSync(old, 1_000_000_000, 1_000_000_000);
    const { status, err } = sfs(place, ['import']);
    assert.equal(status, 0);
    assert.ok(err.includes(`${old}: is an older file of a session that is read from ${path}`), err);
    const listed = JSON.parse(sfs(place, ['list', '--json', '--all']).out) as unknown[];
    assert.equal(listed.length, 1);
    assert.deepEqual(wordsOf(shown(place)).toSorted(), ['elsewhere', 'one', 'three', 'two']);
    usable(place);
  });

  for (const [id, recording, from, to] of [
    ['codex', '0.98.0', 'sessions', 'archived_sessions'],
    ['gemini-cli', '0.61.0-headless', 'tmp/my-project-1/chats', 'tmp/my-project-1/chats'],
  ] as const) {
    test(`${id}: the same file in two places is one session`, (t) => {
      const place = scratch(t);
      const adapter = adapters.find((one) => one.id === id);
      assert.ok(adapter !== undefined);
      const home = installRecording(place, adapter, recording);
      imported(place);
      const before = sfs(place, ['list', '--json', '--all']).out;
      for (const name of readdirSync(join(home, from), { recursive: true, encoding: 'utf8' })) {
        if (!statSync(join(home, from, name)).isFile()) continue;
        const file = name.split('/').at(-1) ?? '';
        const twin = id === 'codex' ? file : file.replace(/-[0-9a-f]{8}\.jsonl$/, '-00000000.jsonl');
        mkdirSync(join(home, to), { recursive: true });
        cpSync(join(home, from, name), join(home, to, twin));
        break;
      }
      imported(place);
      assert.deepEqual(counts(sfs(place, ['list', '--json', '--all']).out), counts(before));
    });
  }

  function counts(json: string): unknown {
    return (JSON.parse(json) as { session_id: string; message_count: number }[])
      .map(({ session_id: id, message_count: count }) => [id, count])
      .toSorted();
  }

  const bulk = 'x'.repeat(1000);
  const many = (name: string, count: number): string =>
    Array.from({ length: count }, (_, at) =>
      row(`a${name}${at}`, at === 0 ? null : `a${name}${at - 1}`, `${name}${at} ${bulk}`),
    ).join('');
  for (const [what, content, said] of [
    ['by a shorter one', many('n', 900), ['n0', 'n450', 'n899']],
    ['by a longer one', many('n', 4000), ['n0', 'n1000', 'n3999']],
    ['by a few lines', row('d', null, `short ${bulk}`), ['short']],
    ['by itself with more in it', many('o', 3000) + row('c', 'ao2999', `last ${bulk}`), ['o1500', 'o2999', 'last']],
  ] as const) {
    test(`a file that is rewritten ${what} while it is read: what it lost stays, what it holds then comes in`, (t) => {
      const place = scratch(t);
      const path = claudeFile(place, many('o', 3000));
      const other = join(place.folder, 'other.jsonl');
      writeFileSync(other, content);
      const hook = join(place.folder, 'hook.mjs');
      writeFileSync(
        hook,
        `import fs from 'node:fs';
         import { syncBuiltinESMExports } from 'node:module';
         const read = fs.readSync;
         let left = 2;
         fs.readSync = (file, buffer, offset, length, position) => {
           if (length >= 1 << 20 && (left -= 1) === 0)
             fs.writeFileSync(${JSON.stringify(path)}, fs.readFileSync(${JSON.stringify(other)}));
           return read(file, buffer, offset, length, position);
         };
         syncBuiltinESMExports();`,
      );
      const { status, err } = sfs(place, ['import'], { env: { NODE_OPTIONS: `--import ${hook}` } });
      assert.equal(status, 0, err);
      assert.equal(readFileSync(path, 'utf8'), content, 'it was rewritten');
      imported(place);
      const words = new Set(wordsOf(shown(place)));
      for (const name of ['o0', 'o400', ...said]) assert.ok(words.has(`${name} ${bulk}`), name);
      assert.equal(sfs(place, ['reparse', '@last']).status, 0);
    });
  }

  test('a file that is replaced between being recognised and being read: nothing of the other follows what it does not', (t) => {
    const place = scratch(t);
    const id = '01a206f5-3ff7-78c1-adc2-a9847c9119eb';
    const timestamp = '2026-11-20T09:00:00.000Z';
    const line = (type: string, payload: object): string => `${JSON.stringify({ timestamp, type, payload })}\n`;
    const said = (text: string): string =>
      line('response_item', { type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
    const folder = join(place.home, '.codex', 'sessions', '2026', '11', '20');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `rollout-2026-11-20T09-00-00-${id}.jsonl`);
    const begun = line('session_meta', { id, timestamp, cwd: '/w', cli_version: '0.140.0' }) + said('one');
    writeFileSync(path, begun + said('two'));
    imported(place);
    writeFileSync(path, begun + said('two') + said('three'));
    const other = join(place.folder, 'other.jsonl');
    // A line of it begins where the new one did.
    writeFileSync(other, begun + said('six') + said('seven') + said('eight'));
    const hook = join(place.folder, 'hook.mjs');
    writeFileSync(
      hook,
      `import fs from 'node:fs';
       import { syncBuiltinESMExports } from 'node:module';
       const read = fs.readSync;
       let left = 1;
       fs.readSync = (file, buffer, offset, length, position) => {
         const count = read(file, buffer, offset, length, position);
         if (length === ${Buffer.byteLength(begun + said('two'))} && (left -= 1) === 0)
           fs.renameSync(${JSON.stringify(other)}, ${JSON.stringify(path)});
         return count;
       };
       syncBuiltinESMExports();`,
    );
    imported(place, { NODE_OPTIONS: `--import ${hook}` });
    assert.ok(!existsSync(other), 'it was replaced');
    imported(place);
    assert.deepEqual(wordsOf(shown(place)).toSorted(), ['eight', 'one', 'seven', 'six', 'two']);
  });

  test('a rewritten file that is deleted before it is read: what was kept of it stays, to be put back', (t) => {
    const place = scratch(t);
    const begun = row('a', null, 'one', { cwd: place.project }) + row('b', 'a', 'two', { cwd: place.project });
    const path = claudeFile(place, begun);
    imported(place);
    writeFileSync(path, row('c', null, 'another'.repeat(100)));
    const hook = join(place.folder, 'hook.mjs');
    writeFileSync(
      hook,
      `import fs from 'node:fs';
       import { syncBuiltinESMExports } from 'node:module';
       const read = fs.readSync;
       fs.readSync = (file, buffer, offset, length, position) => {
         const count = read(file, buffer, offset, length, position);
         if (length === ${Buffer.byteLength(begun)}) fs.rmSync(${JSON.stringify(path)}, { force: true });
         return count;
       };
       syncBuiltinESMExports();`,
    );
    const { err } = sfs(place, ['import'], { env: { NODE_OPTIONS: `--import ${hook}` } });
    assert.ok(!existsSync(path), 'it was deleted');
    assert.match(err, /cannot read .*no such file/);
    const resumed = sfs(place, ['resume', '@last', '--in', 'claude-code', '--no-launch', '--json']);
    assert.equal(resumed.status, 0, resumed.err);
    const [back = ''] = (JSON.parse(resumed.out) as { readonly files: readonly string[] }).files;
    assert.equal(readFileSync(back, 'utf8'), begun);
  });
});

describe('names', () => {
  const odd = ['a/b', '../x', '..', '.', '/etc/x', 'a\\b', 'a\nb', '', '-x', 'ü', 'x'.repeat(101)];

  function one(t: TestContext): Scratch {
    const place = scratch(t);
    claudeFile(place, row('a', null, 'Hello') + row('b', 'a', 'Hi'));
    imported(place);
    return place;
  }

  test('of checkpoints', (t) => {
    const place = one(t);
    for (const name of odd) {
      const made = sfs(place, ['checkpoint', 'create', '@last', '--', name]);
      assert.equal(made.status, 2, `${JSON.stringify(name)}: ${made.err}`);
      const forked = sfs(place, ['fork', '@last', '--name', 'x', '--from-checkpoint', name]);
      assert.ok(forked.status === 2 || forked.status === 3, `${JSON.stringify(name)}: ${forked.err}`);
    }
    assert.deepEqual(readdirSync(place.context.store.sessions).length, 1);
  });

  test('of forks are titles, never paths', (t) => {
    const place = one(t);
    for (const name of ['', ' ', 'a\nb', '\u001B[2J', 'x'.repeat(81)])
      assert.equal(sfs(place, ['fork', '@last', '--name', name]).status, 2, JSON.stringify(name));
    const { status, out } = sfs(place, ['fork', '@last', '--name', '../../etc/passwd', '--json']);
    assert.equal(status, 0);
    const made = JSON.parse(out) as { directory: string };
    assert.match(made.directory, /\/sessions\/ses_[0-9a-f]{16}\.sfs$/);
    assert.ok(existsSync(made.directory));
  });
});

describe('archives, through the command', () => {
  const manifest = JSON.stringify({
    sfs_version: '0.1.0',
    session_id: 'ses_theirs123',
    created_at: '2026-11-01T10:00:00.000Z',
    source: { tool: 'codex' },
  });
  const said = `${JSON.stringify({ msg_id: 'a', role: 'user', content: [{ type: 'text', text: 'Hi' }], timestamp: '2026-11-01T10:00:00.000Z' })}\n`;
  const member = (name: string, text: string): { name: string; sizeBytes: number; chunks: Buffer[] } => ({
    name,
    sizeBytes: Buffer.byteLength(text),
    chunks: [Buffer.from(text)],
  });
  const good = [member('s.sfs/manifest.json', manifest), member('s.sfs/messages.jsonl', said)];
  const packed = (...more: ReturnType<typeof member>[]): Buffer => Buffer.concat([...tar([...more, ...good])]);
  /** The first entry of another kind, its checksum made right. */
  const kind = (type: string): Buffer => {
    const bytes = packed(member('s.sfs/x', ''));
    bytes.write(type, 156);
    bytes.fill(32, 148, 156);
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return bytes;
  };
  for (const [name, bytes, words] of [
    ['a path that leads out', () => packed(member('s.sfs/../../../evil', 'x')), /leads out of it/],
    ['an absolute path', () => packed(member('/tmp/evil', 'x')), /an absolute path/],
    [
      'a checkpoint that leads out',
      () => packed(member('s.sfs/checkpoints/../../x/checkpoint.json', '{}')),
      /leads out/,
    ],
    ['a symbolic link', () => kind('2'), /a symbolic link/],
    ['a hard link', () => kind('1'), /a hard link/],
    ['a device', () => kind('3'), /a device/],
    ['a pipe', () => kind('6'), /a named pipe/],
    ['a bomb', () => packed(member('s.sfs/x', '\0'.repeat(330 << 20))), /grows to more than 200 times/],
  ] as const) {
    test(name, (t) => {
      const place = scratch(t);
      const path = join(place.folder, 'x.tar.gz');
      writeFileSync(path, gzipSync(bytes(), { level: 9 }));
      const before = readdirSync(place.folder).toSorted();
      const { status, err } = sfs(place, ['import', path]);
      assert.equal(status, 1);
      assert.match(err, words);
      assert.deepEqual(readdirSync(place.folder).toSorted(), before);
      assert.deepEqual(readdirSync(place.context.store.sessions), []);
      assert.ok(!existsSync(join(place.context.store.root, 'incoming')));
      assert.equal(readFileSync(path).length, statSync(path).size);
    });
  }
});
