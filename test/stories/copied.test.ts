/** What a tool copied into a session from another: it is known for what it is, and counted once. */

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { reparseSessions } from '../../src/actions/reparse.ts';
import { openSession } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sessionId } from '../../src/model/ids.ts';
import { textOf } from '../../src/model/message.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, scratch } from '../support/scratch.ts';

const quiet = (): void => undefined;

function adapter(id: string): (typeof adapters)[number] {
  const found = adapters.find((one) => one.id === id);
  assert.ok(found !== undefined);
  return found;
}

async function counted(place: Scratch, id: string): Promise<readonly unknown[]> {
  const { reader } = await openSession(place.context, id);
  const { stats, metadata, parent_session_id: parent } = reader.manifest;
  return [stats?.message_count, stats?.turn_count, stats?.total_output_tokens, parent, metadata?.base?.msg];
}

test('Claude Code: a fork counts what was said in it, and goes on counting', async (t) => {
  const place = scratch(t);
  const home = installRecording(place, adapter('claude-code'), '2.1.330');
  await importSessions(place.context, {}, quiet);
  const native = {
    branch: '35853169-ff67-42b0-b830-4cb324274bb1',
    fork: 'fa0060fa-05db-4111-a621-26874397d0d5',
  };
  const ids = Object.values(native).map((one) => sessionId('claude-code', one));
  const [branch = '', fork = ''] = ids;
  const parents = ['2080deb2-260c-4a15-b3b5-54eb057559e5', '33333333-3333-4333-8333-333333333333'].map((one) =>
    sessionId('claude-code', one),
  );
  const shared = ['00d60865-b208-4799-be38-f22f27b32615', '26031456-3329-47e6-ab8b-687d2bbc6fa7'];
  const before = [await counted(place, branch), await counted(place, fork)];
  assert.deepEqual(before, [
    [4, 1, 20, parents[0], shared[0]],
    [2, 1, 20, parents[1], shared[1]],
  ]);
  const row = {
    parentUuid: null,
    type: 'user',
    message: { role: 'user', content: 'And now?' },
    uuid: 'aaaaaaaa-0000-4000-8000-000000000001',
    timestamp: '2026-11-24T10:00:00.000Z',
    sessionId: native.branch,
  };
  appendFileSync(join(home, 'projects', '-home-me-claude-proj', `${native.branch}.jsonl`), `${JSON.stringify(row)}\n`);
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await counted(place, branch), [5, 2, 20, parents[0], shared[0]]);
  for (const session of ids) {
    const now = await counted(place, session);
    await reparseSessions(place.context, { session, all: false, dryRun: false }, quiet);
    assert.deepEqual(await counted(place, session), now);
  }
});

const claudeId = '11111111-1111-4111-8111-111111111111';
const threadId = '01a206d5-b8e4-7341-86bc-39b088994b01';
const at = '2026-11-23T05:16:39.100Z';
const line = (type: string, payload: object): string => `${JSON.stringify({ timestamp: at, type, payload })}\n`;
const said = (role: string, words: string): string =>
  line('response_item', {
    type: 'message',
    role,
    content: [{ type: role === 'user' ? 'input_text' : 'output_text', text: words }],
  }) + line('event_msg', { type: role === 'user' ? 'user_message' : 'agent_message', message: words });
const started = (turn: string): string => line('event_msg', { type: 'task_started', turn_id: turn, started_at: 1 });
const ended = (turn: string): string => line('event_msg', { type: 'task_complete', turn_id: turn });

/** A thread as Codex's importer writes it. */
function importedThread(place: Scratch): string {
  const folder = join(place.home, '.codex', 'sessions', '2026', '11', '23');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `rollout-2026-11-23T05-16-39-${threadId}.jsonl`);
  writeFileSync(
    path,
    line('session_meta', { id: threadId, timestamp: at, cwd: '/w', originator: 'codex', cli_version: '0.160.0' }) +
      started('external-import-turn-1') +
      said('user', 'Hello from Claude') +
      said('assistant', 'Hi.\n\n[external_agent_tool_call: Bash]\nls\n[/external_agent_tool_call]') +
      ended('external-import-turn-1') +
      started('external-import-turn-2') +
      said('user', 'Go on') +
      said('assistant', '<EXTERNAL SESSION IMPORTED>') +
      line('event_msg', { type: 'token_count', info: { total_token_usage: { total_tokens: 50 } } }) +
      ended('external-import-turn-2'),
  );
  return path;
}

function ledger(place: Scratch, source: string): void {
  const record = {
    source_path: source,
    content_sha256: 'f00',
    imported_thread_id: threadId,
    imported_at: 1_795_411_117,
    source_modified_at: null,
  };
  writeFileSync(
    join(place.home, '.codex', 'external_agent_session_imports.json'),
    JSON.stringify({ records: [record] }),
  );
}

test('Codex CLI: a thread that its importer made of a session of Claude Code is that session’s child', async (t) => {
  const place = scratch(t);
  const claude = installRecording(place, adapter('claude-code'), '2.1.330');
  const path = importedThread(place);
  ledger(place, join(claude, 'projects', '-home-me-claude-proj', `${claudeId}.jsonl`));
  await importSessions(place.context, {}, quiet);
  const id = sessionId('codex', threadId);
  const parent = sessionId('claude-code', claudeId);
  const { reader } = await openSession(place.context, id);
  const timeline = reader.timeline().toArray();
  assert.deepEqual(timeline.map(textOf).at(-1), '<EXTERNAL SESSION IMPORTED>');
  assert.deepEqual(await counted(place, id), [0, 0, 0, parent, timeline.at(-1)?.msg_id]);
  const tree = sfs(place, ['list', '--tree', '--all']).out.split('\n');
  const above = tree.findIndex((row) => row.includes(parent.slice(4, 12)));
  assert.match(tree[above + 1] ?? '', new RegExp(`[└├].*${id.slice(4, 12)}|${id.slice(4, 12)}.*[└├]`), tree.join('\n'));

  appendFileSync(path, started('01a2') + said('user', 'In Codex now') + said('assistant', 'Yes.') + ended('01a2'));
  await importSessions(place.context, {}, quiet);
  const grown = await counted(place, id);
  assert.deepEqual(grown, [2, 1, 0, parent, timeline.at(-1)?.msg_id]);
  await reparseSessions(place.context, { session: id, all: false, dryRun: false }, quiet);
  assert.deepEqual(await counted(place, id), grown);
  rmSync(join(place.home, '.codex', 'external_agent_session_imports.json'));
  appendFileSync(path, started('01a3') + said('user', 'Still?') + ended('01a3'));
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await counted(place, id), [3, 2, 0, parent, timeline.at(-1)?.msg_id]);
});

test('Codex CLI: a thread of its importer that was captured before the ledger told of it becomes a child when it does', async (t) => {
  const place = scratch(t);
  const claude = installRecording(place, adapter('claude-code'), '2.1.330');
  const path = importedThread(place);
  const id = sessionId('codex', threadId);
  const parent = sessionId('claude-code', claudeId);
  await importSessions(place.context, {}, quiet);
  const last = (await openSession(place.context, id)).reader.timeline().toArray().at(-1)?.msg_id;
  assert.deepEqual((await counted(place, id)).slice(0, 4), [4, 2, 0, null]);
  appendFileSync(path, started('01a2') + said('user', 'In Codex now') + said('assistant', 'Yes.') + ended('01a2'));
  await importSessions(place.context, {}, quiet);
  assert.deepEqual((await counted(place, id)).slice(0, 4), [6, 3, 0, null]);

  ledger(place, join(claude, 'projects', '-home-me-claude-proj', `${claudeId}.jsonl`));
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await counted(place, id), [2, 1, 0, parent, last]);
  appendFileSync(path, started('01a3') + said('user', 'Still?') + ended('01a3'));
  await importSessions(place.context, {}, quiet);
  assert.deepEqual(await counted(place, id), [3, 2, 0, parent, last]);
});

test('Codex CLI: where nothing tells what a thread was made of, all of it is its own', async (t) => {
  for (const source of [undefined, '/home/me/.cursor/chats/store.db', '{']) {
    const place = scratch(t);
    importedThread(place);
    if (source === '{') writeFileSync(join(place.home, '.codex', 'external_agent_session_imports.json'), source);
    else if (source !== undefined) ledger(place, source);
    const { problems } = await importSessions(place.context, {}, quiet);
    assert.deepEqual(problems, []);
    assert.deepEqual((await counted(place, sessionId('codex', threadId))).slice(0, 4), [4, 2, 0, null]);
    assert.equal((await listSessions(place.context, {})).sessions.length, 1);
  }
});
