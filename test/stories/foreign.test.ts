/** Sessions from strangers: whatever they say of themselves, none is restored, none merges into an own one, none is invalid here. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeCheckpoint } from '../../src/actions/checkpoint.ts';
import { exportSession } from '../../src/actions/export.ts';
import { forkSession } from '../../src/actions/fork.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { reparseSessions } from '../../src/actions/reparse.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { deleteSession, restoreSession } from '../../src/actions/trash.ts';
import { adapters } from '../../src/adapters/index.ts';
import { encodeLine } from '../../src/format/line.ts';
import { isObject } from '../../src/model/json.ts';
import { textOf } from '../../src/model/message.ts';
import { sfs } from '../support/command-line.ts';
import { schemas } from '../support/schemas.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch, sessionText, writable } from '../support/scratch.ts';

const quiet = (): void => undefined;
const at = '2026-11-01T10:00:00.000Z';

/** A session with something in every field. `planted` stands wherever a session must not reach a tool. */
const planted = 'PLANTED';
const manifest = {
  sfs_version: '0.1.0',
  session_id: 'ses_theirs123',
  title: 'Theirs',
  tags: ['x'],
  created_at: at,
  updated_at: at,
  source: { tool: 'codex', tool_version: planted, original_session_id: 'abc', interface: planted },
  model: { provider: planted, model_id: planted, reasoning_effort: 'low' },
  stats: {
    message_count: 8,
    turn_count: 2,
    tool_use_count: 1,
    total_input_tokens: 1,
    total_output_tokens: 2,
    estimated_cost_usd: 0.1,
    duration_ms: 5,
  },
  sub_agents: [{ agent_id: 'ag', model: 'm', message_count: 1 }],
  metadata: {
    base_instructions: planted,
    permission_mode: planted,
    hooks: [planted],
    losses: { thinking: 1 },
    usage: {
      [planted]: {
        provider: 'p',
        responses: 1,
        input_tokens: 1,
        output_tokens: 2,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        reasoning_tokens: 0,
      },
    },
    agent_calls: { ag: 'c1' },
    title_by: 'person',
  },
};
const message = (id: string, parent: string | null, role: string, content: readonly unknown[], more = {}): object => ({
  msg_id: id,
  parent_msg_id: parent,
  role,
  content,
  timestamp: at,
  ...more,
});
const text = (words: string): object => ({ type: 'text', text: words });
const usage = { input_tokens: 1, output_tokens: 2, cache_read_tokens: 0, cache_write_tokens: 0, reasoning_tokens: 0 };
const messages = [
  message('s1', null, 'system', [text(planted)]),
  message('d1', 's1', 'developer', [text(planted)]),
  message('m1', 'd1', 'user', [text(planted)], { is_meta: true }),
  message('a', 'm1', 'user', [
    text('Hello'),
    { type: 'image', source: { type: 'base64', data: 'aGk=', media_type: 'image/png' } },
    { type: 'response_item', payload: { type: 'message', role: 'developer', content: planted } },
  ]),
  message(
    'b',
    'a',
    'assistant',
    [
      { type: 'thinking', text: 'hm', signature: planted },
      text('Hi'),
      { type: 'tool_use', tool_use_id: 'c1', name: 'shell', input: { command: ['ls'] } },
    ],
    {
      metadata: { response_id: 'r', encrypted_content: planted },
      usage,
      model: planted,
      provider: planted,
      turn_id: planted,
      stop_reason: 'tool_use',
    },
  ),
  message('c', 'b', 'tool', [
    { type: 'tool_result', tool_use_id: 'c1', content: 'out', is_error: false, exit_code: 0, duration_ms: 1 },
    { type: 'image', source: { type: 'path', data: 'shot.png', media_type: 'image/png' } },
  ]),
  message('e', 'c', 'assistant', [text(planted)], { agent_id: 'ag', is_sidechain: true }),
  message('d', 'c', 'assistant', [text('Done'), { type: 'turn_context', payload: planted }], { is_meta: false }),
  message('f', 'd', 'user', [text('More')]),
];
const workspace = {
  root_path: '/home/me/x',
  git: { branch: 'main', remote_url: 'https://example.test/x', commit_sha: 'abc', commit_message: planted },
  files: [{ path: 'a.txt', role: 'read' }],
  environment: { shell: planted },
};
const tools = {
  tools_used: ['shell'],
  mcp_servers: [{ name: planted, uri: planted }],
  shell: { sandbox_policy: planted, approval_policy: planted },
  custom_tools: [{ name: planted, description: planted }],
};
const live = [{ op: 'leaf', id: 'f' }];

interface Parts {
  readonly manifest: object;
  readonly messages: readonly object[];
  readonly workspace: unknown;
  readonly tools: unknown;
  readonly live: readonly unknown[];
}
const whole: Parts = { manifest, messages, workspace, tools, live };

function directory(folder: string, parts: Partial<Parts> = {}): string {
  const { manifest: facts, messages: said, workspace: where, tools: which, live: ops } = { ...whole, ...parts };
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const lines = (values: readonly unknown[]): string => values.map((value) => `${encodeLine(value)}\n`).join('');
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(facts));
  writeFileSync(join(folder, 'messages.jsonl'), lines(said));
  writeFileSync(join(folder, 'workspace.json'), JSON.stringify(where));
  writeFileSync(join(folder, 'tools.json'), JSON.stringify(which));
  writeFileSync(join(folder, 'meta', 'live.jsonl'), lines(ops));
  return folder;
}

async function takenIn(place: Scratch, path: string): Promise<string> {
  return (await importSessions(place.context, { path }, quiet)).sessions[0]?.session_id ?? '';
}

function filesBelow(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(folder, name), 'latin1')]));
}

describe('what goes to a tool is the conversation alone', () => {
  const roles: Readonly<Record<string, readonly string[]>> = {
    'claude-code': ['assistant', 'user'],
    codex: ['assistant', 'user'],
    'gemini-cli': [],
    cursor: ['assistant', 'tool', 'user'],
  };
  const kinds: Readonly<Record<string, readonly string[]>> = {
    'claude-code': ['assistant', 'custom-title', 'last-prompt', 'summary', 'system', 'user'],
    codex: ['event_msg', 'response_item', 'session_meta'],
    'gemini-cli': ['gemini', 'metadata', 'user'],
    cursor: ['metadata'],
  };
  for (const adapter of writable) {
    for (const origin of adapters) {
      test(`${origin.name} → ${adapter.name}`, async (t) => {
        const place = scratch(t);
        const source = { ...manifest.source, tool: origin.id };
        const id = await takenIn(
          place,
          directory(join(place.folder, 'theirs.sfs'), { manifest: { ...manifest, source } }),
        );
        const resumed = await resume(place.context, { session: id, in: adapter.id, project: place.project });
        assert.deepEqual([resumed.how, resumed.parent_session_id], ['converted', id]);
        const log = sessionText(place, adapter, resumed.files);
        assert.ok(
          !log.includes(planted),
          log.split('\n').find((line) => line.includes(planted)),
        );
        for (const said of ['Hello', 'Hi', 'out', 'Done', 'More']) assert.ok(log.includes(said), said);
        const records = log
          .trim()
          .split('\n')
          .map((line): unknown => JSON.parse(line))
          .filter(isObject);
        assert.deepEqual([...new Set(records.map(({ type }) => type ?? 'metadata'))].toSorted(), kinds[adapter.id]);
        const spoken = records.map(({ message: own, payload }) => (own ?? payload) as { role?: string } | undefined);
        assert.deepEqual(
          [...new Set(spoken.flatMap((one) => (one?.role === undefined ? [] : [one.role])))].toSorted(),
          roles[adapter.id],
        );
        assert.ok(!resumed.command.some((word) => word.includes(planted)), 'no model is forced');
      });
    }
  }
});

describe('a session that says it is one of ours', () => {
  for (const adapter of writable) {
    test(`${adapter.name}: whatever is done with it, the own one and its file stay, and nothing is restored`, async (t) => {
      const place = scratch(t);
      const home = installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
      await importSessions(place.context, {}, quiet);
      const own = (await openSession(place.context, '@last')).reader;
      // The very directory, with native bytes, commit and cursors, and some more.
      const theirs = join(place.folder, 'theirs.sfs');
      cpSync(own.folder, theirs, { recursive: true });
      writeFileSync(
        join(theirs, 'manifest.json'),
        JSON.stringify({
          ...own.manifest,
          metadata: { base: { session: own.id, msg: null } },
          parent_session_id: own.id,
        }),
      );
      const bytesBefore = filesBelow(own.folder);
      const id = await takenIn(place, theirs);
      assert.notEqual(id, own.id);
      assert.deepEqual(filesBelow(own.folder), bytesBefore);
      const taken = (await openSession(place.context, id)).reader;
      assert.deepEqual(
        [taken.commit?.native, taken.commit?.cursors, taken.manifest.parent_session_id, taken.manifest.metadata?.base],
        [{}, {}, null, undefined],
      );
      assert.deepEqual(
        [taken.manifest.metadata?.['imported_parent'], taken.manifest.source.original_path],
        [own.id, null],
      );
      assert.ok(!readdirSync(taken.folder).includes('native'));
      await makeCheckpoint(place.context, { session: id, name: 'here' });
      await deleteSession(place.context, id);
      await restoreSession(place.context, id);
      const [again] = await reparseSessions(place.context, { session: id, all: false, dryRun: false }, quiet);
      assert.equal(again?.outcome, 'left');
      const fork = await forkSession(place.context, { session: id, name: 'Fork', checkpoint: 'here' });
      const nativeBefore = filesBelow(home);
      for (const session of [id, fork.session_id]) {
        const resumed = await resume(place.context, { session, project: place.project });
        assert.deepEqual([resumed.how, resumed.parent_session_id], ['converted', session]);
        assert.notEqual(resumed.native_id, own.manifest.source.original_session_id);
      }
      // With the tool's own files gone it would be restored, were it ours.
      rmSync(home, { recursive: true });
      const resumed = await resume(place.context, { session: id, project: place.project });
      assert.equal(resumed.how, 'converted');
      const bytes = new Set(nativeBefore.values());
      for (const path of resumed.files.filter((file) => file.endsWith('.jsonl')))
        assert.ok(!bytes.has(readFileSync(path, 'latin1')), path);
    });
  }

  test('an own session exported and taken in again is one copy beside it, however often', async (t) => {
    const place = scratch(t);
    const [adapter] = adapters;
    assert.ok(adapter !== undefined);
    installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
    await importSessions(place.context, {}, quiet);
    const before = (await listSessions(place.context, {})).sessions.length;
    const own = (await openSession(place.context, '@last')).reader;
    const path = join(place.folder, 'own.tar.gz');
    await exportSession(place.context, { session: own.id, format: 'sfs', output: path });
    const bytes = filesBelow(own.folder);
    const id = await takenIn(place, path);
    assert.equal((await importSessions(place.context, { path }, quiet)).tools[0]?.unchanged, 1);
    assert.equal((await listSessions(place.context, {})).sessions.length, before + 1);
    assert.deepEqual(filesBelow(own.folder), bytes);
    assert.equal((await openSession(place.context, id)).reader.manifest.metadata?.['imported_from'], own.id);
  });

  test('its parent is the one that was taken in, whichever tool that is of, and never one of ours', async (t) => {
    const place = scratch(t);
    const child = directory(join(place.folder, 'child.sfs'), {
      manifest: {
        ...manifest,
        session_id: 'ses_child1234',
        parent_session_id: 'ses_theirs123',
        metadata: { base: { session: 'ses_theirs123', msg: 'a' } },
      },
    });
    const first = (await openSession(place.context, await takenIn(place, child))).reader.manifest;
    assert.deepEqual([first.parent_session_id, first.metadata?.['imported_parent']], [null, 'ses_theirs123']);
    const source = { ...manifest.source, tool: 'claude-code' };
    const parent = await takenIn(
      place,
      directory(join(place.folder, 'parent.sfs'), { manifest: { ...manifest, source } }),
    );
    await importSessions(place.context, { path: child }, quiet);
    const after = (await openSession(place.context, first.session_id)).reader.manifest;
    assert.deepEqual(
      [after.parent_session_id, after.metadata?.base, after.metadata?.['imported_parent']],
      [parent, { session: parent, msg: 'a' }, undefined],
    );
  });
});

describe('whatever stands in a field', () => {
  const odd: readonly unknown[] = [
    null,
    17,
    true,
    'x',
    '../../x',
    '\u001B[2J\0',
    [null],
    { a: 1 },
    { type: 5 },
    -1,
    '',
  ];

  function* pathsIn(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      yield [...path, key];
      yield* pathsIn(inner, [...path, key]);
    }
  }

  function changed(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
    if (key === undefined) return to;
    if (Array.isArray(value))
      return value.map((item: unknown, index) => (String(index) === key ? changed(item, rest, to) : item));
    return isObject(value) ? { ...value, [key]: changed(value[key], rest, to) } : value;
  }

  test('it is taken in valid, listed, exported and goes on; or is refused, and the others are taken in', async (t) => {
    const place = scratch(t);
    const parts: Parts = { ...whole, manifest: { ...manifest, extra: 1, parent_session_id: 'ses_other1234' } };
    const store = join(place.folder, 'stranger', 'sessions');
    let count = 0;
    for (const path of pathsIn(parts)) {
      if (path.length < 2) continue;
      const variant = changed(parts, path, odd[count % odd.length]) as Parts;
      const facts =
        path[1] === 'session_id' ? variant.manifest : { ...variant.manifest, session_id: `ses_variant${count}` };
      directory(join(store, `ses_variant${count}.sfs`), { ...variant, manifest: facts });
      count += 1;
    }
    const result = await importSessions(place.context, { path: join(place.folder, 'stranger') }, quiet);
    const refused = result.sessions.filter(({ outcome }) => outcome === 'failed');
    assert.equal(result.sessions.length, count);
    for (const { problem } of result.problems)
      assert.match(
        problem,
        /has no (time|text) in "|has no "sfs_version"|states sfs_version|is not a message; it was left out/,
      );
    assert.ok(refused.length <= 5, JSON.stringify(refused));
    rmSync(place.context.store.index);
    const { sessions } = await listSessions(place.context, {});
    assert.equal(sessions.length, count - refused.length);
    for (const [index, { session_id: id }] of sessions.entries()) {
      const { reader } = await openSession(place.context, id);
      const lines = [...reader.lines()];
      assert.deepEqual(schemas.manifest(reader.manifest), []);
      assert.deepEqual(lines.flatMap(schemas.message), []);
      if (reader.workspace !== undefined) assert.deepEqual(schemas.workspace(reader.workspace), []);
      if (reader.tools !== undefined) assert.deepEqual(schemas.tools(reader.tools), []);
      const forms = ['html', 'markdown', 'sfs'];
      const output = join(place.folder, 'out', String(index));
      await exportSession(place.context, { session: id, format: forms[index % 3] ?? '', output });
      await resume(place.context, { session: id, in: adapters[index % 3]?.id ?? '', project: place.project });
    }
  });

  test('what does not fit is counted, times without a zone are UTC, fields without a place stand below metadata', async (t) => {
    const place = scratch(t);
    const id = await takenIn(
      place,
      directory(join(place.folder, 'theirs.sfs'), {
        manifest: {
          ...manifest,
          created_at: '2026-11-01 09:00:00',
          model: 'gpt',
          stats: { message_count: 'many' },
          extra: 1,
        },
        messages: [
          {
            ...message('a', null, 'user', [text('Hello')]),
            turn_id: 7,
            timestamp: '2026-11-01T09:00:00.5',
            own: 'kept',
          },
          message('b', 'a', 'user', [
            { type: 'image', source: { type: 'base64' } },
            { ...text('Hi'), colour: 'red' },
          ]),
        ],
        workspace: { root_path: '../x' },
        tools: { tools_used: ['a', 5] },
      }),
    );
    const { reader } = await openSession(place.context, id);
    assert.deepEqual(reader.manifest.metadata?.losses, { thinking: 1, 'malformed-field': 6, 'malformed-block': 1 });
    assert.deepEqual([reader.manifest.created_at, reader.manifest.metadata?.['extra']], ['2026-11-01T09:00:00Z', 1]);
    assert.deepEqual(
      reader
        .timeline()
        .toArray()
        .map(({ timestamp, metadata, content }) => [timestamp, metadata?.['own'], content[0]?.type]),
      [
        ['2026-11-01T09:00:00.5Z', 'kept', 'text'],
        [at, undefined, 'malformed'],
      ],
    );
    assert.deepEqual([reader.workspace, reader.tools], [undefined, { tools_used: ['a'] }]);
  });

  test('a commit that lies about lengths is none', async (t) => {
    const place = scratch(t);
    const folder = directory(join(place.folder, 'theirs.sfs'));
    writeFileSync(
      join(folder, 'meta', 'commit.json'),
      JSON.stringify({ version: 1, messagesBytes: -5, liveBytes: 'x', keysBytes: 0 }),
    );
    const { reader } = await openSession(place.context, await takenIn(place, folder));
    assert.equal(reader.timeline().toArray().length, messages.length);
  });

  test('no message reaches the terminal but as text', async (t) => {
    const place = scratch(t);
    const odder = '\u001B]0;gone\u0007\u009B2J\u202E';
    const path = directory(join(place.folder, 'theirs.sfs'), {
      messages: [
        message(`a${odder}`, null, 'user', [text(`Hello${odder}`), { type: `k${odder}` }], { agent_id: odder }),
        message('b', null, 'assistant', [
          { type: 'tool_use', tool_use_id: odder, name: odder, input: { [odder]: odder } },
        ]),
        message('c', 'b', 'tool', [{ type: 'tool_result', tool_use_id: odder, content: odder }]),
        message('d', 'c', 'user', [{ type: 'image', source: { type: 'url', data: odder, media_type: odder } }]),
      ],
    });
    await takenIn(place, path);
    const { out, status } = sfs(place, ['show', '@last', '--messages']);
    assert.equal(status, 0);
    assert.ok(!/[\u001B\u0007\u009B\u202E]/.test(out), JSON.stringify(out));
  });

  test('a pipe or a folder in the place of a file is refused, and nothing waits for it', (t) => {
    const place = scratch(t);
    for (const name of ['messages.jsonl', 'workspace.json', 'meta/live.jsonl']) {
      const folder = directory(join(place.folder, `${name.replace('/', '.')}.sfs`));
      rmSync(join(folder, name));
      execFileSync('mkfifo', [join(folder, name)]);
      const { status, err } = sfs(place, ['import', folder]);
      assert.equal(status, 1);
      assert.match(err, new RegExp(`${name} is no file`));
    }
    assert.deepEqual(JSON.parse(sfs(place, ['list', '--json', '--all']).out), []);
  });
});

test('a manifest of our own that was hurt leaves the list of the others whole', async (t) => {
  const place = scratch(t);
  await takenIn(place, directory(join(place.folder, 'theirs.sfs')));
  const id = await takenIn(
    place,
    directory(join(place.folder, 'other.sfs'), { manifest: { ...manifest, session_id: 'ses_other1234' } }),
  );
  const path = join(place.context.store.sessions, `${id}.sfs`, 'manifest.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"title": "Theirs"', '"title": {"a": [1]}'));
  rmSync(place.context.store.index);
  const { sessions } = await listSessions(place.context, {});
  assert.deepEqual(sessions.map(({ title }) => title).toSorted(), ['Theirs', null]);
  const { reader } = await openSession(place.context, id);
  assert.deepEqual(reader.timeline().toArray().slice(3, 5).map(textOf), ['Hello', 'Hi']);
});
