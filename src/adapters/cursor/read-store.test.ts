import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importSessions } from '../../actions/import.ts';
import { listSessions } from '../../actions/list.ts';
import { reparseSessions } from '../../actions/reparse.ts';
import { resume } from '../../actions/resume.ts';
import { openSession } from '../../actions/show.ts';
import { textOf } from '../../model/message.ts';
import type { Message } from '../../model/message.ts';
import type { SessionReader } from '../../store/session-reader.ts';
import { fixturesOf, scratch } from '../../../test/support/scratch.ts';
import type { Scratch } from '../../../test/support/scratch.ts';
import { adapter } from './index.ts';
import { Store } from './test-support.ts';

const quiet = (): void => undefined;

async function captured(place: Scratch): Promise<SessionReader> {
  const { problems } = await importSessions(place.context, { from: 'cursor' }, quiet);
  assert.deepEqual(problems, []);
  return (await openSession(place.context, '@last')).reader;
}

function saidIn(messages: Iterable<Message>): string[] {
  return [...messages].map(({ role, content, ...rest }) => {
    const blocks = content.map((block) => {
      if (block.type === 'tool_use') return `call ${String(block.name)}`;
      if (block.type === 'tool_result') return `result ${String(block.content)}`;
      if (block.type === 'summary') return `summary ${String(block.text)}`;
      return block.type === 'thinking' ? `thought ${String(block.text)}` : textOf({ role, content: [block], ...rest });
    });
    return blocks.join(' · ');
  });
}

const user = (text: string): object => ({
  role: 'user',
  content: [{ type: 'text', text: `<user_query>\n${text}\n</user_query>` }],
});
const answer = (...content: object[]): object => ({ role: 'assistant', content });
const said = (text: string): object => ({ type: 'text', text });
const context = { role: 'user', content: [said('<user_info>\nWorkspace Path: /home/dev/api\n</user_info>')] };
const system = { role: 'system', content: 'You are an agent.' };
const call = answer(said('Looking.'), {
  type: 'tool-call',
  toolCallId: 't1',
  toolName: 'Shell',
  args: { command: 'ls' },
});
const result = {
  role: 'tool',
  content: [{ type: 'tool-result', toolCallId: 't1', toolName: 'Shell', result: 'a\nb\n' }],
};

test('a chat grows by what was said; what Cursor writes anew in another order adds nothing', async (t) => {
  const place = scratch(t);
  const store = new Store(place, 'c1', { cwd: place.project, title: 'Look around' });
  t.after(() => store.close());
  const begin = Date.parse('2026-09-10T12:00:00Z');
  store.state([system, context, user('List the files.'), call], [], [[begin + 4000, 4000]]);
  assert.deepEqual(saidIn((await captured(place)).live()), ['List the files.', 'Looking. · call Shell']);
  const again = {
    content: [said('Looking.'), { args: { command: 'ls' }, toolName: 'Shell', toolCallId: 't1', type: 'tool-call' }],
    id: '7',
    role: 'assistant',
  };
  store.state(
    [system, context, user('List the files.'), again, result, answer(said('Two.')), user('Which?')],
    [],
    [
      [begin + 4000, 4000],
      [begin + 9000, 1000],
    ],
  );
  const reader = await captured(place);
  assert.deepEqual(saidIn(reader.live()), [
    'List the files.',
    'Looking. · call Shell',
    'result a\nb\n',
    'Two.',
    'Which?',
  ]);
  assert.equal([...reader.lines()].length, 6);
  assert.deepEqual(
    [...reader.live()].map(({ timestamp }) => Date.parse(timestamp) - begin),
    [0, 0, 0, 0, 8000],
  );
  assert.deepEqual(
    [
      reader.manifest.title,
      reader.workspace?.root_path,
      reader.manifest.model?.model_id,
      reader.manifest.source.interface,
    ],
    ['Look around', place.project, 'composer-2', 'cli'],
  );
  assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
  const done = await reparseSessions(place.context, { session: reader.id, all: false, dryRun: false }, quiet);
  assert.deepEqual(
    done.map(({ outcome }) => outcome),
    ['unchanged'],
  );
});

test('behind a summary the model sees that and what came after; all that was said stays', async (t) => {
  const place = scratch(t);
  const store = new Store(place, 'c1');
  t.after(() => store.close());
  const before = [user('First.'), answer(said('One.'))];
  store.state([system, context, ...before, user('Second.')]);
  await captured(place);
  const summary = { role: 'user', content: 'It was about numbers.', providerOptions: { cursor: { isSummary: true } } };
  store.state([system, summary, context, user('Second.'), answer(said('Two.'))], [before]);
  const reader = await captured(place);
  assert.deepEqual(saidIn(reader.live()), ['summary It was about numbers.', 'Second.', 'Two.']);
  assert.deepEqual(saidIn(reader.timeline().filter(({ is_meta: isMeta }) => isMeta !== true)), [
    'First.',
    'One.',
    'Second.',
    'Two.',
  ]);
  const there = await resume(place.context, { session: reader.id, in: 'claude-code', project: place.project });
  assert.deepEqual([there.carried.assistant_texts, there.losses['live-only']], [1, undefined]);
});

test('the generated store: thinking, a call with its result, an archive, rows in no order, one that nobody lists', async (t) => {
  const place = scratch(t);
  cpSync(join(fixturesOf(adapter), 'command-line'), join(place.home, '.cursor'), { recursive: true });
  const reader = await captured(place);
  assert.deepEqual(saidIn(reader.live()), [
    'summary Summary of earlier conversation (synthetic)',
    'The codeword is PELICAN-42. List the files.',
    'thought The user wants a listing. · Listing the files now. · call Shell',
    'result README.md\nsrc\n',
    'thought  · Two entries: README.md and src.',
  ]);
  assert.deepEqual(saidIn(reader.timeline()).slice(0, 2), ['Earlier, compacted question', 'Earlier, compacted answer']);
  assert.equal(reader.workspace?.root_path, '/home/dev/acme-api');
  assert.equal(reader.manifest.title, 'Synthetic codeword session');
});

test('a store that is damaged is named, and the others are captured', async (t) => {
  const place = scratch(t);
  const store = new Store(place, 'c1');
  t.after(() => store.close());
  store.state([user('Hello.')]);
  const other = new Store(place, 'c2');
  other.close();
  writeFileSync(other.path, Buffer.alloc(4096, 7));
  const { problems, sessions } = await importSessions(place.context, {}, quiet);
  assert.deepEqual(
    problems.map(({ problem }) => problem),
    [`cannot read ${other.path}: it is encrypted, or no SQLite database`],
  );
  assert.deepEqual(sessions.map(({ outcome }) => outcome).toSorted(), ['failed', 'new']);
  assert.equal((await listSessions(place.context, {})).sessions.length, 1);
});
