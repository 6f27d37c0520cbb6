/** A fourth tool is one folder (`diary/`) and one line in the list of tools; everything else works with it at once. */

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportSession } from '../../src/actions/export.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { listTools } from '../../src/actions/tools.ts';
import { adapters as known } from '../../src/adapters/index.ts';
import { textOf } from '../../src/model/message.ts';
import type { Scratch } from '../support/scratch.ts';
import { scratch, writable } from '../support/scratch.ts';
import { diary } from './diary/index.ts';

const adapters = [...known, diary];
const quiet = (): void => undefined;
const at = (second: number): string => `2026-11-01T10:00:${String(second).padStart(2, '0')}.000Z`;

function diaryHome(place: Scratch): string {
  const home = join(place.home, '.diary');
  mkdirSync(home);
  return home;
}

function firstPage(place: Scratch): string {
  const lines = [
    { title: 'Fix the gate', where: place.project },
    { who: 'me', said: 'The gate squeaks.', at: at(1) },
    { who: 'it', said: 'I will oil it.', at: at(2) },
    { who: 'it', did: 'shell', with: { command: 'oil gate' }, call: 'c1', at: at(3) },
    { who: 'tool', call: 'c1', said: 'oiled', at: at(4) },
    { who: 'it', said: 'Done.', at: at(5) },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

test('it is captured, listed, shown and grows by what was appended', async (t) => {
  const place = scratch(t, { adapters });
  const path = join(diaryHome(place), 'gate.jsonl');
  writeFileSync(path, firstPage(place));
  await importSessions(place.context, {}, quiet);
  const { sessions } = await listSessions(place.context, {});
  assert.deepEqual(
    sessions.map(({ tool, title, native_id: id, message_count: count, project }) => ({
      tool,
      title,
      id,
      count,
      project,
    })),
    [{ tool: 'diary', title: 'Fix the gate', id: 'gate', count: 5, project: place.project }],
  );
  appendFileSync(path, `${JSON.stringify({ who: 'me', said: 'Thanks.', at: at(6) })}\n{"who":"it","sai`);
  const grown = await importSessions(place.context, {}, quiet);
  assert.deepEqual(
    grown.sessions.map(({ outcome, messages }) => ({ outcome, messages })),
    [{ outcome: 'grown', messages: 1 }],
  );
  appendFileSync(path, `d":"You are welcome.","at":"${at(7)}"}\n`);
  await importSessions(place.context, {}, quiet);
  const { reader } = await openSession(place.context, '@last');
  assert.deepEqual(reader.timeline().toArray().map(textOf).filter(Boolean), [
    'The gate squeaks.',
    'I will oil it.',
    'Done.',
    'Thanks.',
    'You are welcome.',
  ]);
});

test('a source that shrank, was replaced or deleted never shrinks ours', async (t) => {
  const place = scratch(t, { adapters });
  const path = join(diaryHome(place), 'gate.jsonl');
  writeFileSync(path, firstPage(place));
  await importSessions(place.context, {}, quiet);
  const said = async (): Promise<string[]> =>
    (await openSession(place.context, '@last')).reader.timeline().toArray().map(textOf).filter(Boolean);
  const all = await said();
  writeFileSync(path, firstPage(place).split('\n').slice(0, 2).join('\n') + '\n');
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await said(), all);
  writeFileSync(`${path}.new`, `${JSON.stringify({ who: 'me', said: 'A new page.', at: at(9) })}\n`);
  renameSync(`${path}.new`, path);
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await said(), [...all, 'A new page.']);
  rmSync(path);
  await importSessions(place.context, {}, quiet);
  const { sessions } = await listSessions(place.context, {});
  assert.deepEqual(
    sessions.map(({ ghost }) => ghost),
    [true],
  );
  assert.deepEqual(await said(), [...all, 'A new page.']);
});

test('it resumes where it was, also when its own file is gone, byte for byte', async (t) => {
  const place = scratch(t, { adapters });
  const path = join(diaryHome(place), 'gate.jsonl');
  writeFileSync(path, firstPage(place));
  await importSessions(place.context, {}, quiet);
  const opened = await resume(place.context, { session: '@last' });
  assert.deepEqual([opened.how, opened.command, opened.files], ['opened', ['diary', '--open', 'gate'], [path]]);
  rmSync(path);
  const restored = await resume(place.context, { session: '@last' });
  assert.equal(restored.how, 'restored');
  assert.equal(readFileSync(path, 'utf8'), firstPage(place));
  const again = await importSessions(place.context, {}, quiet);
  assert.equal(
    again.tools.reduce((sum, tool) => sum + tool.messages, 0),
    0,
  );
});

for (const target of writable) {
  test(`it goes to ${target.name} and comes back with what was said there`, async (t) => {
    const place = scratch(t, { adapters });
    writeFileSync(join(diaryHome(place), 'gate.jsonl'), firstPage(place));
    await importSessions(place.context, {}, quiet);
    const there = await resume(place.context, { session: '@last', in: target.id });
    assert.equal(there.how, 'converted');
    assert.deepEqual(
      [there.carried.user_texts, there.carried.assistant_texts, there.carried.calls, there.carried.results],
      [1, 2, 1, 1],
    );
    const back = await resume(place.context, { session: there.session_id, in: 'diary' });
    const { reader } = await openSession(place.context, back.session_id);
    assert.deepEqual([...reader.live()].map(textOf).filter(Boolean), ['The gate squeaks.', 'I will oil it.', 'Done.']);
    assert.equal(reader.manifest.title, 'Fix the gate');
  });
}

test('it is among the tools, and its sessions export in every form', async (t) => {
  const place = scratch(t, { adapters });
  writeFileSync(join(diaryHome(place), 'gate.jsonl'), firstPage(place));
  await importSessions(place.context, {}, quiet);
  const status = (await listTools(place.context)).find(({ tool }) => tool === 'diary');
  assert.deepEqual(
    [status?.installed, status?.captured, status?.can_resume, status?.home],
    [false, 1, true, join(place.home, '.diary')],
  );
  for (const format of ['sfs', 'markdown', ...writable.map(({ id }) => id), diary.id]) {
    const exported = await exportSession(place.context, {
      session: '@last',
      format,
      output: join(place.folder, 'out', format),
    });
    assert.ok(exported.files.length > 0, format);
  }
});
