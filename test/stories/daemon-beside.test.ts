/** A tool whose sessions lie in several homes: the daemon hears of what is said in each. */

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { listSessions } from '../../src/actions/list.ts';
import { Store } from '../../src/adapters/cursor/test-support.ts';
import { daemonPlace, until } from '../support/daemon.ts';
import type { DaemonPlace } from '../support/daemon.ts';

const user = (text: string): object => ({
  role: 'user',
  content: [{ type: 'text', text: `<user_query>\n${text}\n</user_query>` }],
});
const answer = (text: string): object => ({ role: 'assistant', content: [{ type: 'text', text }] });

/** How many messages each session has, in order. */
async function listed({ context }: DaemonPlace): Promise<string> {
  const { sessions } = await listSessions(context, {});
  return sessions
    .map(({ message_count: count }) => count)
    .toSorted()
    .join(' ');
}

test('chats of cursor-agent and transcripts are captured as they are said', async (t) => {
  const place = daemonPlace(t);
  place.spawn(['up']);
  await until('the daemon watches', () => place.status()?.state === 'watching');
  assert.equal(place.status()?.tools.find(({ tool }) => tool === 'cursor')?.state, 'absent');
  const store = new Store(place, 'c1', { cwd: place.project });
  t.after(() => store.close());
  store.state([user('Why?')]);
  await until('the chat is there', async () => (await listed(place)) === '1');
  assert.equal(place.status()?.tools.find(({ tool }) => tool === 'cursor')?.state, 'watched');
  store.state([user('Why?'), answer('So.')]);
  await until('the answer is there', async () => (await listed(place)) === '2');
  const path = join(place.home, '.cursor/projects/home-dev-api/agent-transcripts/t1/t1.jsonl');
  mkdirSync(dirname(path), { recursive: true });
  const line = (role: string, text: string): string =>
    `${JSON.stringify({ role, message: { content: [{ type: 'text', text }] } })}\n`;
  writeFileSync(path, line('user', 'Where?'));
  await until('the transcript is there', async () => (await listed(place)) === '1 2');
  appendFileSync(path, line('assistant', 'There.'));
  await until('its answer is there', async () => (await listed(place)) === '2 2');
});
