/** A session so large that actions go through it on a thread gives what it gives in this one. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { makeCheckpoint } from '../../src/actions/checkpoint.ts';
import type { Context } from '../../src/actions/context.ts';
import { exportSession } from '../../src/actions/export.ts';
import { forkSession } from '../../src/actions/fork.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { scratch } from '../support/scratch.ts';
import { diary } from './diary/index.ts';

const [one, other] = adapters.filter(({ writer }) => writer !== undefined);
const said = 9;

/** A session of the first tool with 20 MB of messages, and a context that goes through all in this thread. */
async function largeSession(
  t: TestContext,
): Promise<{ readonly place: Scratch; readonly here: Context; readonly id: string }> {
  const place = scratch(t);
  // A tool that only this process knows.
  const here = { ...place.context, adapters: [...adapters, diary] };
  mkdirSync(join(place.home, '.diary'));
  const lines = [
    { title: 'A long day', where: place.project },
    ...Array.from({ length: said }, (_, at) => ({
      who: at % 2 === 0 ? 'me' : 'it',
      said: `${at} ${'pears and apples '.repeat(at === 4 ? 800_000 : 60_000)}`,
      at: `2026-11-01T10:00:0${at}.000Z`,
    })),
  ];
  writeFileSync(join(place.home, '.diary', 'long.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await importSessions(here, { from: 'diary' }, () => undefined);
  const [source] = (await listSessions(here, {})).sessions;
  const { session_id: id } = await resume(here, { session: source?.session_id ?? '', in: one?.id ?? '' });
  return { place, here, id };
}

test('it is resumed, exported, marked and forked on a thread as in this one', async (t) => {
  const { place, here, id } = await largeSession(t);
  const inOther = { session: id, in: other?.id ?? '' };
  const [away, same] = [await resume(place.context, inOther), await resume(here, inOther)];
  assert.deepEqual([away.carried, away.losses, away.how], [same.carried, same.losses, same.how]);
  assert.deepEqual(away.carried.user_texts + away.carried.assistant_texts, said);
  const size = (path: string | undefined): number => statSync(path ?? '').size;
  assert.deepEqual(size(away.files.at(-1)), size(same.files.at(-1)));

  const pages = await Promise.all(
    [place.context, here].map(async (context, at) => {
      const output = join(place.folder, `page-${at}`);
      const { files } = await exportSession(context, { session: id, format: 'markdown', output });
      return readFileSync(files[0] ?? '');
    }),
  );
  assert.ok(pages[1]?.length !== 0 && pages[0]?.equals(pages[1] ?? Buffer.alloc(0)));

  const [first, second] = [
    await makeCheckpoint(place.context, { session: id, name: 'thread' }),
    await makeCheckpoint(here, { session: id, name: 'here' }),
  ];
  assert.deepEqual([first.message_count, first.leaf], [said, second.leaf]);
  const forked = await forkSession(place.context, { session: id, name: 'Other way', checkpoint: 'thread' });
  assert.deepEqual([forked.message_count, forked.base_msg_id], [said, second.leaf]);
});

test('what goes wrong on the thread is said as it is here', async (t) => {
  const { place, id } = await largeSession(t);
  const output = join(place.folder, 'out');
  await exportSession(place.context, { session: id, format: 'html', output });
  const error = await exportSession(place.context, { session: id, format: 'html', output }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof SessionFsError);
  assert.deepEqual(
    [error.code, error.hint],
    ['already-exists', 'move it away, or name another place: --output'],
    error.message,
  );
});

test('its whole timeline is shown', async (t) => {
  const { place, id } = await largeSession(t);
  const shown = JSON.parse(sfs(place, ['show', id, '--messages', '--json']).out) as {
    readonly session_id: string;
    readonly messages: readonly { readonly live: boolean; readonly role: string }[];
  };
  assert.equal(shown.session_id, id);
  assert.deepEqual(
    shown.messages.map(({ live, role }) => [live, role]),
    Array.from({ length: said }, (_, at) => [true, at % 2 === 0 ? 'user' : 'assistant']),
  );
});
