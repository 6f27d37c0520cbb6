/** Sessions packed, sent and taken in again; archives that mean harm; a whole store of 0.1.0. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { exportSession } from '../../src/actions/export.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { deleteSession, restoreSession } from '../../src/actions/trash.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { tar } from '../../src/io/tar.ts';
import { textOf } from '../../src/model/message.ts';
import { sfs } from '../support/command-line.ts';
import { schemas } from '../support/schemas.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch, writable } from '../support/scratch.ts';

const quiet = (): void => undefined;
const manifest = JSON.stringify({
  sfs_version: '0.1.0',
  session_id: 'ses_theirs123',
  created_at: '2026-11-01T10:00:00.000Z',
  source: { tool: 'claude-code', original_session_id: 'abc' },
  title: 'Theirs',
});
const message = `${JSON.stringify({ msg_id: 'a', role: 'user', content: [{ type: 'text', text: 'Hello' }], timestamp: '2026-11-01T10:00:00.000Z' })}\n`;
const member = (name: string, text: string): { name: string; sizeBytes: number; chunks: Buffer[] } => ({
  name,
  sizeBytes: Buffer.byteLength(text),
  chunks: [Buffer.from(text)],
});
const whole = [member('s.sfs/manifest.json', manifest), member('s.sfs/messages.jsonl', message)];
const tarBytes = (files: readonly ReturnType<typeof member>[]): Buffer => Buffer.concat([...tar(files)]);

/** A header changed and its checksum made right again. */
function patched(archive: Buffer, at: number, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(archive);
  const header = copy.subarray(at, at + 512);
  change(header);
  header.fill(32, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}

function archiveAt(place: Scratch, bytes: Uint8Array): string {
  const path = join(place.folder, 'session.tar.gz');
  writeFileSync(path, bytes);
  return path;
}

function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/index\.db/.test(name))
    .sort();
}

async function recorded(t: TestContext): Promise<Scratch> {
  const place = scratch(t);
  for (const adapter of adapters) installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
  await importSessions(place.context, {}, quiet);
  return place;
}

test('a packed session is the same bytes each time, is what the directory holds, and is read by other programs', async (t) => {
  const place = await recorded(t);
  for (const { session_id: id } of (await listSessions(place.context, {})).sessions) {
    const to = (name: string): Promise<{ files: readonly string[] }> =>
      exportSession(place.context, { session: id, format: 'sfs', output: join(place.folder, name) });
    await to(`${id}.tar.gz`);
    utimesSync(join(place.context.store.sessions, `${id}.sfs`, 'messages.jsonl'), 1, 1);
    await to(`again/${id}.tgz`);
    const bytes = readFileSync(join(place.folder, `${id}.tar.gz`));
    assert.deepEqual(bytes, readFileSync(join(place.folder, 'again', `${id}.tgz`)));
    assert.deepEqual([...bytes.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    await to('out');
    const unpacked = join(place.folder, 'unpacked');
    mkdirSync(unpacked);
    execFileSync('tar', ['-xzf', join(place.folder, `${id}.tar.gz`), '-C', unpacked]);
    assert.deepEqual(everythingIn(unpacked), everythingIn(join(place.folder, 'out')));
    for (const name of ['manifest.json', 'messages.jsonl'])
      assert.deepEqual(
        readFileSync(join(unpacked, `${id}.sfs`, name)),
        readFileSync(join(place.folder, 'out', `${id}.sfs`, name)),
      );
    rmSync(unpacked, { recursive: true });
    rmSync(join(place.folder, 'out'), { recursive: true });
  }
});

test('a packed session is taken in as its directory is: whole, marked, under an id of its own, once', async (t) => {
  const place = await recorded(t);
  const there = scratch(t);
  for (const { session_id: id } of (await listSessions(place.context, {})).sessions) {
    const path = join(place.folder, `${id}.tar.gz`);
    await exportSession(place.context, { session: id, format: 'sfs', output: path });
    const [taken] = (await importSessions(there.context, { path }, quiet)).sessions;
    const { reader: before } = await openSession(place.context, id);
    const { reader } = await openSession(there.context, taken?.session_id ?? '');
    assert.notEqual(reader.id, id);
    assert.deepEqual(reader.timeline().toArray(), before.timeline().toArray());
    assert.deepEqual([...reader.live()], [...before.live()]);
    assert.equal(reader.manifest.metadata?.['imported_from'], id);
    assert.deepEqual(reader.manifest.source, { ...before.manifest.source, original_path: null });
    assert.deepEqual(schemas.manifest(reader.manifest), []);
    assert.deepEqual((await importSessions(there.context, { path }, quiet)).tools[0]?.unchanged, 1);
    const isWritable = writable.some(({ id: tool }) => tool === reader.manifest.source.tool);
    const resumed = await resume(there.context, {
      session: reader.id,
      project: there.project,
      ...(isWritable ? {} : { in: writable[0]?.id ?? '' }),
    });
    assert.deepEqual([resumed.how, resumed.parent_session_id], ['converted', reader.id]);
  }
  assert.ok(!existsSync(join(there.context.store.root, 'incoming')));
});

test('archives that others made are read: GNU tar, pax names, no folder, order and extra files as they come', async (t) => {
  const place = scratch(t);
  const folder = join(place.folder, 's.sfs');
  mkdirSync(join(folder, 'checkpoints', 'ü'.repeat(60)), { recursive: true });
  writeFileSync(join(folder, 'manifest.json'), manifest);
  writeFileSync(join(folder, 'messages.jsonl'), message);
  writeFileSync(join(folder, 'checkpoints', 'ü'.repeat(60), 'manifest.json'), '{}');
  for (const args of [
    ['--format=pax', '-C', place.folder, './s.sfs'],
    ['--format=ustar', '-C', folder, 'messages.jsonl', 'manifest.json'],
  ]) {
    const path = join(place.folder, 'made.tgz');
    execFileSync('tar', ['-czf', path, ...args]);
    await importSessions(place.context, { path }, quiet);
  }
  const { reader } = await openSession(place.context, '@last');
  assert.deepEqual(reader.timeline().toArray().map(textOf), ['Hello']);
});

describe('archives that are refused', () => {
  const good = tarBytes(whole);
  const renamed = (name: string): Buffer => gzipSync(tarBytes([...whole, member(name, 'x')]));
  const ofType = (type: string): Buffer =>
    gzipSync(patched(tarBytes([member('link', ''), ...whole]), 0, (header) => header.write(type, 156)));
  const cases: readonly (readonly [name: string, bytes: () => Uint8Array, words: RegExp])[] = [
    ['a path that leads out', () => renamed('../../evil.txt'), /leads out of it: "\.\.\/\.\.\/evil\.txt"/],
    ['the same deeper', () => renamed('s.sfs/../../evil.txt'), /leads out of it/],
    ['an absolute path', () => renamed('/etc/evil.txt'), /an absolute path/],
    ['a path of another system', () => renamed('C:\\evil.txt'), /an absolute path|not plain text/],
    ['a path of another system that leads out', () => renamed('..\\evil.txt'), /not plain text/],
    ['a name that speaks to the terminal', () => renamed('\u009B2J\u202Ex'), /not plain text: "\\u009b2J\\u202ex"/],
    ['an empty name', () => renamed('s.sfs//x'), /an empty name/],
    ['a pax path that leads out', () => renamed(`../${'é'.repeat(10)}`), /leads out of it/],
    ['a symbolic link', () => ofType('2'), /a symbolic link/],
    ['a hard link', () => ofType('1'), /a hard link/],
    ['a device', () => ofType('3'), /a device/],
    ['a named pipe', () => ofType('6'), /a named pipe/],
    ['an unknown kind', () => ofType('S'), /an entry of kind "S"/],
    ['a name twice', () => renamed('s.sfs/manifest.json'), /"s\.sfs\/manifest\.json" twice/],
    ['a name twice but for its case', () => renamed('s.sfs/Manifest.json'), /twice/],
    [
      'a wrong checksum',
      () => gzipSync(Buffer.concat([good.subarray(0, 10), Buffer.from('x'), good.subarray(11)])),
      /no tar archive/,
    ],
    ['a size that is none', () => gzipSync(patched(good, 0, (header) => header.write('-1', 124))), /states no size/],
    ['no end', () => gzipSync(good.subarray(0, -1024)), /cut off/],
    ['an end within a file', () => gzipSync(good.subarray(0, 600)), /cut off/],
    ['an end within the compressed bytes', () => gzipSync(good).subarray(0, 200), /damaged or cut-off/],
    ['more behind its end', () => gzipSync(Buffer.concat([good, good])), /goes on behind its end/],
    ['gzip of something else', () => gzipSync('not a tar file at all'.repeat(100)), /no tar archive/],
    ['no gzip', () => Buffer.from('not a tar file at all'), /no gzip file/],
    ['nothing', () => Buffer.alloc(0), /no gzip file|cut off/],
    ['no session', () => gzipSync(tarBytes([member('readme.txt', 'x')])), /holds no manifest\.json/],
    ['no messages', () => gzipSync(tarBytes(whole.slice(0, 1))), /holds no messages\.jsonl/],
    [
      'two sessions',
      () => gzipSync(tarBytes([...whole, ...whole.map((file) => ({ ...file, name: `x${file.name}` }))])),
      /holds 2 sessions/,
    ],
    [
      'a broken manifest',
      () => gzipSync(tarBytes([member('s.sfs/manifest.json', '{'), ...whole.slice(1)])),
      /session\.tar\.gz\/manifest\.json is not a JSON object/,
    ],
    [
      'a manifest without measure',
      () => gzipSync(tarBytes([member('manifest.json', ' '.repeat(17 << 20)), ...whole])),
      /more than 16 MiB/,
    ],
    [
      'too many entries',
      () => gzipSync(tarBytes(Array.from({ length: 10_001 }, (_, index) => member(`x/${index}`, '')))),
      /more than 10000 entries/,
    ],
    [
      'a bomb',
      () => gzipSync(tarBytes([member('x', '\0'.repeat(330 << 20))]), { level: 9 }),
      /grows to more than 200 times/,
    ],
  ];
  for (const [name, bytes, words] of cases) {
    test(name, async (t) => {
      const place = scratch(t);
      const path = archiveAt(place, bytes());
      const before = everythingIn(place.folder);
      await assert.rejects(importSessions(place.context, { path }, quiet), (error) => {
        assert.ok(error instanceof SessionFsError, String(error));
        assert.equal(error.code, 'invalid-session');
        assert.match(error.message, words);
        assert.ok(error.message.startsWith(path), error.message);
        return true;
      });
      const store = new Set(['home/.sessionfs', 'home/.sessionfs/ledger', 'home/.sessionfs/sessions']);
      assert.deepEqual(
        everythingIn(place.folder).filter((file) => !store.has(file)),
        before,
      );
    });
  }
});

test('nothing in an archive reaches the terminal', (t) => {
  const place = scratch(t);
  const tool = '\u001B[2Jtool\u202E\u009B';
  const path = archiveAt(
    place,
    gzipSync(
      tarBytes([
        member('manifest.json', JSON.stringify({ ...JSON.parse(manifest), source: { tool } })),
        member('messages.jsonl', `x\n${message}`),
      ]),
    ),
  );
  const ran = sfs(place, ['import', path]);
  assert.equal(ran.status, 0, ran.err);
  assert.match(ran.out, /tool *: 1 session \(1 new\)/);
  assert.match(ran.err, /session\.tar\.gz\/messages\.jsonl:1: is not a message/);
  assert.ok(
    !/[\u001B\u009B\u202E]/.test(ran.out + ran.err + sfs(place, ['list']).out + sfs(place, ['show', '@last']).out),
  );
});

test('an archive cut at any byte, or with any byte changed, is refused or taken in whole', async (t) => {
  const place = scratch(t);
  const bytes = gzipSync(tarBytes(whole));
  for (let at = 0; at < bytes.length; at += 7) {
    for (const hurt of [
      bytes.subarray(0, at),
      Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 0x41 : byte))),
    ]) {
      const path = archiveAt(place, hurt);
      try {
        await importSessions(place.context, { path }, quiet);
      } catch (error) {
        assert.ok(error instanceof SessionFsError, String(error));
      }
    }
  }
  const path = archiveAt(place, bytes);
  await importSessions(place.context, { path }, quiet);
  const { sessions } = await listSessions(place.context, {});
  for (const { session_id: id } of sessions) {
    const { reader } = await openSession(place.context, id);
    assert.deepEqual(reader.timeline().toArray().map(textOf), ['Hello']);
  }
  assert.ok(!existsSync(join(place.context.store.root, 'incoming')));
});

test('a whole store of 0.1.0 is taken in, with its forks, and a damaged session leaves the others alone', async (t) => {
  const place = scratch(t);
  const sessions = join(place.folder, 'python', 'sessions');
  const put = (id: string, fields: object, lines: string): void => {
    mkdirSync(join(sessions, `${id}.sfs`), { recursive: true });
    const facts = { ...(JSON.parse(manifest) as object), session_id: id, ...fields };
    writeFileSync(join(sessions, `${id}.sfs`, 'manifest.json'), JSON.stringify(facts));
    writeFileSync(join(sessions, `${id}.sfs`, 'messages.jsonl'), lines);
  };
  put('ses_0000aaaa', { sync: { etag: 'x', dirty: false } }, message);
  const fork = { title: 'Fork', parent_session_id: 'ses_0000aaaa', forked_from_checkpoint: 'v1' };
  put('ses_1111bbbb', fork, message.replace('Hello', 'Again'));
  put('ses_2222cccc', { source: { tool: 'codex' } }, message);
  mkdirSync(join(sessions, 'ses_3333dddd.sfs'));
  writeFileSync(join(sessions, 'ses_3333dddd.sfs', 'manifest.json'), '{');
  for (const name of ['config.toml', 'daemon.json', 'index.db']) writeFileSync(join(place.folder, 'python', name), '');
  const before = everythingIn(join(place.folder, 'python'));
  const result = await importSessions(place.context, { path: join(place.folder, 'python') }, quiet);
  assert.deepEqual(
    result.sessions.map(({ tool, outcome }) => [tool, outcome]),
    [
      ['claude-code', 'new'],
      ['claude-code', 'new'],
      ['codex', 'new'],
      ['unreadable', 'failed'],
    ],
  );
  assert.match(result.problems[0]?.problem ?? '', /ses_3333dddd\.sfs\/manifest\.json is not a JSON object/);
  const [first, second] = result.sessions;
  const { reader } = await openSession(place.context, second?.session_id ?? '');
  assert.equal(reader.manifest.parent_session_id, first?.session_id);
  assert.deepEqual(
    [reader.manifest.metadata?.['imported_from'], reader.manifest.metadata?.['forked_from_checkpoint']],
    ['ses_1111bbbb', 'v1'],
  );
  assert.deepEqual(schemas.manifest(reader.manifest), []);
  assert.deepEqual(everythingIn(join(place.folder, 'python')), before);
  const again = await importSessions(place.context, { path: sessions }, quiet);
  assert.deepEqual(
    again.tools.map(({ unchanged, new: fresh }) => [unchanged, fresh]),
    [
      [2, 0],
      [1, 0],
      [0, 0],
    ],
  );
  await deleteSession(place.context, second?.session_id ?? '');
  const without = await importSessions(place.context, { path: sessions }, quiet);
  assert.deepEqual(
    without.tools.map(({ tool, unchanged, deleted, failed }) => [tool, unchanged, deleted, failed]),
    [
      ['claude-code', 1, 1, 0],
      ['codex', 1, 0, 0],
      ['unreadable', 0, 0, 1],
    ],
  );
  await restoreSession(place.context, second?.session_id ?? '');
  await assert.rejects(
    importSessions(place.context, { path: place.context.store.root }, quiet),
    (error) => error instanceof SessionFsError && /is this store itself/.test(error.message),
  );
  cpSync(place.context.store.root, join(place.folder, 'copy'), { recursive: true });
  assert.equal((await importSessions(place.context, { path: join(place.folder, 'copy') }, quiet)).tools[0]?.new, 2);
});
