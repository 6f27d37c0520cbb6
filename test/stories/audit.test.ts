/** What was done with sessions can be read afterwards: who, when, what, with which outcome; and never what was said. */

import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKnown, openSession } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import type { AuditLine } from '../../src/store/audit.ts';
import { sfs } from '../support/command-line.ts';
import { daemonPlace, until } from '../support/daemon.ts';
import { half } from '../support/growing.ts';
import type { Scratch } from '../support/scratch.ts';
import { installProgram, installRecording, recordingsOf, scratch, writable } from '../support/scratch.ts';

const [first] = adapters;
assert.ok(first !== undefined);
const other = writable.find((adapter) => adapter !== first);
assert.ok(other !== undefined);

function audit(place: Scratch, ...args: readonly string[]): AuditLine[] {
  const { status, out, err } = sfs(place, ['audit', '--json', ...args]);
  assert.equal(status, 0, err);
  return JSON.parse(out) as AuditLine[];
}

function done(place: Scratch, args: readonly string[]): string {
  const { status, out, err } = sfs(place, args);
  assert.equal(status, 0, err);
  return out;
}

test('capture, resume, export, delete, restore, purge: a line each, newest first', async (t) => {
  const place = scratch(t);
  assert.deepEqual(audit(place), []);
  assert.equal(done(place, ['audit']), 'Nothing is noted.\n');
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  const imported = JSON.parse(done(place, ['import', '--json'])) as {
    sessions: { session_id: string; messages: number }[];
    bytes: number;
  };
  const [run, ...captures] = audit(place);
  assert.equal(run?.event, 'import');
  assert.equal(run.details?.['new'], imported.sessions.length);
  assert.deepEqual(
    captures.map(({ event, session_id: id, tool, outcome, details }) => [
      event,
      id,
      tool,
      outcome,
      details?.['messages'],
    ]),
    imported.sessions.map(({ session_id: id, messages }) => ['capture', id, first.id, 'new', messages]).toReversed(),
  );
  assert.equal(
    captures.reduce((sum, { details }) => sum + Number(details?.['bytes']), 0),
    imported.bytes,
  );
  // Again, with nothing new: no line.
  done(place, ['import']);
  assert.equal(audit(place).length, 1 + captures.length);

  const [id = ''] = done(place, ['list', '--quiet', '--sort', 'messages']).split('\n');
  installProgram(place, other, '99.0.0');
  const resumed = JSON.parse(done(place, ['resume', id, '--in', other.id, '--project', place.project, '--json'])) as {
    session_id: string;
    native_id: string;
  };
  const output = join(place.folder, 'out');
  const exported = JSON.parse(done(place, ['export', id, '--output', output, '--json'])) as { files: string[] };
  done(place, ['import', exported.files[0] ?? '']);
  const taken = audit(place, '--event', 'take-in')[0]?.session_id ?? '';
  done(place, ['delete', taken]);
  done(place, ['restore', taken]);
  done(place, ['delete', taken]);
  done(place, ['trash', 'empty', '--yes']);
  const lines = audit(place, '--limit', '8').toReversed();
  assert.deepEqual(
    lines.map(({ event, session_id: one, tool, outcome }) => [event, one, tool, outcome]),
    [
      ['resume', resumed.session_id, other.id, 'converted'],
      ['export', id, null, 'done'],
      ['take-in', taken, first.id, 'new'],
      ['import', null, null, 'done'],
      ['delete', taken, first.id, 'done'],
      ['restore', taken, null, 'done'],
      ['delete', taken, first.id, 'done'],
      ['purge', taken, null, 'done'],
    ],
  );
  assert.deepEqual(lines[0]?.details, { native_id: resumed.native_id, parent_session_id: id });
  assert.deepEqual(lines[1]?.details, { format: 'sfs', files: exported.files });
  const { username } = userInfo();
  for (const { account, by, at } of lines) {
    assert.deepEqual([account, by], [username, 'command']);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
  }

  assert.deepEqual(
    audit(place, '--session', taken.slice(4, 12)).map(({ event }) => event),
    ['purge', 'delete', 'restore', 'delete', 'take-in'],
  );
  assert.deepEqual(audit(place, '--since', '2099-01-01'), []);
  assert.match(done(place, ['audit']), new RegExp(`^AT \\(UTC\\) .*\\n.* purge +done +${taken}`));
  const wrong = sfs(place, ['audit', '--event', 'thought']);
  assert.deepEqual([wrong.status, wrong.err.split('\n')[0]], [2, 'sfs: "thought" is never noted']);

  const path = join(place.context.store.root, 'audit.log');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, 'utf8');
  const { shown, reader } = await openSession(place.context, id);
  const texts = Array.from(reader.timeline(), ({ content }) => content).flatMap((blocks) =>
    blocks.flatMap((block) => (isKnown(block) && block.type === 'text' ? [block.text] : [])),
  );
  assert.ok(texts.length > 0);
  for (const said of [shown.title ?? '', ...texts]) assert.ok(said === '' || !text.includes(said), said);
});

test('what is refused is noted with its reason; a line that cannot be read leaves the others', (t) => {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  done(place, ['import']);
  const [id = ''] = done(place, ['list', '--quiet']).split('\n');
  done(place, ['export', id, '--output', join(place.folder, 'out')]);
  assert.equal(sfs(place, ['export', id, '--output', join(place.folder, 'out')]).status, 4);
  assert.equal(sfs(place, ['export', 'nobody']).status, 3);
  assert.deepEqual(
    audit(place, '--event', 'export').map(({ outcome }) => outcome),
    ['already-exists', 'done'],
  );
  appendFileSync(join(place.context.store.root, 'audit.log'), '{"at":"2026-11-26T0\n[]\n{"event":1}\n');
  assert.equal(audit(place, '--event', 'export').length, 2);
});

test('a log that cannot be written keeps nothing from being done', (t) => {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  mkdirSync(join(place.context.store.root, 'audit.log'), { recursive: true });
  done(place, ['import']);
  const [id = ''] = done(place, ['list', '--quiet']).split('\n');
  done(place, ['delete', id]);
  assert.ok(existsSync(join(place.context.store.trash, `${id}.sfs`)));
});

test('it is bounded', (t) => {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first)[0] ?? '');
  const { root } = place.context.store;
  mkdirSync(root);
  const path = join(root, 'audit.log');
  writeFileSync(path, `${'x'.repeat((8 << 20) - 2)}\n`);
  done(place, ['import']);
  assert.equal(statSync(`${path}.1`).size, (8 << 20) - 1);
  assert.ok(statSync(path).size < 100_000);
  assert.ok(audit(place).length > 1);
  rmSync(path);
  assert.deepEqual(audit(place), []);
});

test('the daemon notes a session once, however often it grows', async (t) => {
  const place = daemonPlace(t);
  const { path, rest } = half(place, first);
  assert.equal(place.run(['daemon', 'start']).status, 0);
  const messages = (): number => place.status()?.captured.messages ?? 0;
  await until('it has captured', () => messages() > 0 && place.status()?.pending === 0);
  for (const line of rest.slice(0, 5)) {
    const before = statSync(path).size;
    appendFileSync(path, line);
    assert.ok(statSync(path).size > before);
    await until('it is read', () => (place.status()?.captured.bytes ?? 0) > 0);
  }
  appendFileSync(path, rest.slice(5).join(''));
  const before = messages();
  await until('it has more', () => messages() > before || place.status()?.pending === 0);
  assert.equal(place.run(['daemon', 'stop']).status, 0);
  const lines = audit(place);
  const ids = lines.map(({ session_id: id }) => id);
  assert.ok(lines.length > 0);
  assert.equal(new Set(ids).size, ids.length);
  for (const line of lines) assert.deepEqual([line.event, line.by, line.outcome], ['capture', 'daemon', 'new']);
  assert.equal(
    lines.reduce((sum, { details }) => sum + Number(details?.['messages']), 0),
    messages(),
  );
});
