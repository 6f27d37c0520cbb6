import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Block } from '../../model/block.ts';
import type { Message, MessageMetadata } from '../../model/message.ts';
import { isObject } from '../../model/json.ts';
import { systemMachine } from '../../io/system.ts';
import type { LiveSession, WriteGiven, Written, WrittenLine } from '../adapter.ts';
import { projectFolder } from './project-path.ts';
import { reader } from './read.ts';
import { MemorySession } from './test-support.ts';
import { vocabulary } from './vocabulary.ts';
import { writer } from './write.ts';

const nativeId = '0123abcd-0000-4000-8000-000000000001';
const given: WriteGiven = {
  home: '/home/me/.claude',
  cwd: '/home/me/proj',
  version: '2.1.330',
  nativeId,
  now: '2026-11-25T21:00:00.000Z',
  toolVersion: '2.1.330',
  extra: {},
};
const png = 'iVBORw0KGgo=';

/** A live view, one message a second. */
class View {
  readonly messages: Message[] = [];

  add(
    role: Message['role'],
    content: readonly Block[],
    metadata?: MessageMetadata,
    fields: Partial<Message> = {},
  ): this {
    const number = this.messages.length + 1;
    const timestamp = `2026-11-20T10:00:${String(number).padStart(2, '0')}.000Z`;
    this.messages.push({
      msg_id: `m${number}`,
      parent_msg_id: number === 1 ? null : `m${number - 1}`,
      role,
      content,
      timestamp,
      ...(metadata === undefined ? {} : { metadata }),
      ...fields,
    });
    return this;
  }

  session(tool = 'codex'): LiveSession {
    return {
      sessionId: 'ses_0123456789abcdef',
      origin: { tool, name: 'Codex CLI', nativeId: 'native' },
      title: 'Fix the bug',
      git: { branch: 'main' },
      messages: this.messages,
    };
  }

  write(
    tool?: string,
    toolVersion = given.toolVersion,
  ): {
    readonly written: Written;
    readonly lines: WrittenLine[];
    readonly rows: Record<string, unknown>[];
  } {
    const written = writer.write(this.session(tool), { ...given, toolVersion });
    const lines = [...(written.files[0]?.lines ?? [])];
    return { written, lines, rows: lines.map((line) => parsed(line.text)) };
  }
}

function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  assert.ok(isObject(value));
  return value;
}

const text = (words: string): Block => ({ type: 'text', text: words });
const call = (id: string, name: string, input: { readonly [key: string]: string }): Block => ({
  type: 'tool_use',
  tool_use_id: id,
  name,
  input,
});
const result = (id: string, content: string, fields: object = {}): Block => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...fields,
});
const image = (data: string, mediaType: string): Block => ({
  type: 'image',
  source: { type: 'base64', data, media_type: mediaType },
});

/** Everything that happens in a conversation of another vendor. */
function everything(): View {
  return new View()
    .add('user', [text('fix it')])
    .add('assistant', [{ type: 'thinking', text: 'secret' }], { response_id: 'r' })
    .add('assistant', [text('looking')], { response_id: 'r' })
    .add('assistant', [call('call:1', 'shell', { command: 'ls' })], { response_id: 'r' })
    .add('assistant', [call('call:2', 'Bash', { command: 'pwd' })], { response_id: 'r' })
    .add('tool', [result('call:1', '')])
    .add('tool', [result('call:2', 'boom', { is_error: true })])
    .add('assistant', [call('gone', 'Read', { file_path: '/x' })])
    .add('user', [text('look'), image(png, 'image/png'), image('AAA', 'image/tiff')])
    .add('developer', [text('context')], undefined, { is_meta: true })
    .add('assistant', [text('a red square')], undefined, { stop_reason: 'interrupted' })
    .add('user', [{ type: 'summary', text: 'what was before' }], undefined, { is_meta: true })
    .add('assistant', [text('done')]);
}

describe('the rows', () => {
  it('a prompt, a call, its result, an answer', () => {
    const view = new View()
      .add('user', [text('hi')])
      .add('assistant', [call('a', 'Bash', { command: 'ls' })])
      .add('tool', [result('a', 'one')])
      .add('assistant', [text('bye')]);
    const { rows, written } = view.write();
    const tail = {
      userType: 'external',
      entrypoint: 'cli',
      cwd: '/home/me/proj',
      sessionId: nativeId,
      version: '2.1.330',
      gitBranch: 'main',
    };
    const id = (row: number): unknown => rows[row]?.['uuid'];
    const usage = { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
    const answer = (row: number, content: object, stop: string): object => ({
      id: objectOf(rows[row]?.['message'])['id'],
      type: 'message',
      role: 'assistant',
      model: '<synthetic>',
      content: [content],
      stop_reason: stop,
      stop_sequence: null,
      usage,
    });
    const callId = objectOf(listOf(objectOf(rows[1]?.['message'])['content'])[0])['id'];
    assert.deepEqual(rows, [
      {
        parentUuid: null,
        isSidechain: false,
        type: 'user',
        message: { role: 'user', content: 'hi' },
        importedFrom: { tool: 'codex', session: 'ses_0123456789abcdef', nativeId: 'native' },
        uuid: id(0),
        timestamp: '2026-11-20T10:00:01.000Z',
        ...tail,
      },
      {
        parentUuid: id(0),
        isSidechain: false,
        message: answer(1, { type: 'tool_use', id: callId, name: 'Bash', input: { command: 'ls' } }, 'tool_use'),
        type: 'assistant',
        uuid: id(1),
        timestamp: '2026-11-20T10:00:02.000Z',
        ...tail,
      },
      {
        parentUuid: id(1),
        isSidechain: false,
        type: 'user',
        message: {
          role: 'user',
          content: [{ tool_use_id: callId, type: 'tool_result', content: 'one', is_error: false }],
        },
        toolUseResult: { stdout: 'one', stderr: '', interrupted: false, isImage: false },
        sourceToolAssistantUUID: id(1),
        uuid: id(2),
        timestamp: '2026-11-20T10:00:03.000Z',
        ...tail,
      },
      {
        parentUuid: id(2),
        isSidechain: false,
        message: answer(3, { type: 'text', text: 'bye' }, 'end_turn'),
        type: 'assistant',
        uuid: id(3),
        timestamp: '2026-11-20T10:00:04.000Z',
        ...tail,
      },
      { type: 'summary', summary: 'Fix the bug', leafUuid: id(3) },
      { type: 'custom-title', customTitle: 'Fix the bug', sessionId: nativeId },
      { type: 'last-prompt', lastPrompt: 'hi', leafUuid: id(3), sessionId: nativeId },
    ]);
    assert.match(String(callId), /^toolu_01[a-z0-9]{22}$/);
    assert.equal(written.files[0]?.path, `projects/-home-me-proj/${nativeId}.jsonl`);
    assert.deepEqual([...written.losses], []);
  });

  it("key order is the tool's own, so that its scans of the raw line hold", () => {
    const { lines } = new View()
      .add('user', [text('hi')])
      .add('assistant', [text('bye')])
      .write();
    assert.match(lines[0]?.text ?? '', /^\{"parentUuid":null,"isSidechain":false,"type":"user","message":/);
    assert.match(lines[1]?.text ?? '', /^\{"parentUuid":"[0-9a-f-]{36}","isSidechain":false,"message":\{"id":"msg_01/);
  });

  it('every line is made from the message it carries, in order', () => {
    const { lines } = everything().write();
    assert.deepEqual(
      lines.map((line) => line.from),
      [
        'm1',
        undefined,
        'm3',
        'm4',
        'm5',
        'm6',
        'm7',
        'm8',
        undefined,
        'm9',
        'm11',
        undefined,
        'm12',
        'm13',
        undefined,
        undefined,
        undefined,
      ],
    );
  });

  it('a prompt of several blocks is a row a block for versions that would write it again', () => {
    const view = new View().add('user', [text('look'), image(png, 'image/png')]).add('assistant', [text('seen')]);
    const contents = (version?: string): unknown[] =>
      view
        .write('codex', version)
        .rows.filter((row) => row['type'] === 'user')
        .map((row) => objectOf(row['message'])['content']);
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } };
    assert.deepEqual(contents('2.0.76'), [[{ type: 'text', text: 'look' }], [picture]]);
    assert.deepEqual(contents('2.1.112'), [[{ type: 'text', text: 'look' }, picture]]);
    const { lines } = view.write('codex', '2.0.76');
    assert.deepEqual(
      lines.flatMap(({ from }) => from ?? []),
      ['m1', 'm1', 'm2'],
    );
  });

  it('what is not carried is counted', () => {
    const { written } = everything().write();
    assert.deepEqual(Object.fromEntries(written.losses), {
      thinking: 1,
      'call-name': 1,
      'call-without-result': 1,
      'image:image/tiff': 1,
      'injected-context': 1,
    });
  });

  it('reading the lines twice counts the losses once', () => {
    const { written } = everything().write();
    const before = Object.fromEntries(written.losses);
    assert.equal([...(written.files[0]?.lines ?? [])].length, 17);
    assert.deepEqual(Object.fromEntries(written.losses), before);
  });

  it("foreign calls are named as an MCP server's and remember their own name", () => {
    const { rows } = everything().write();
    assert.deepEqual(blockOf(rows[3])['name'], 'mcp__codex__shell');
    assert.deepEqual(rows[3]?.['importedFrom'], { tool: 'codex', callId: 'call:1', name: 'shell' });
    assert.equal(blockOf(rows[4])['name'], 'Bash');
    assert.equal(rows[4]?.['importedFrom'], undefined);
  });

  it('our own calls keep their names', () => {
    const view = new View()
      .add('user', [text('hi')])
      .add('assistant', [call('a', 'ExitPlanMode', { plan: 'x' })])
      .add('tool', [result('a', 'ok')]);
    assert.equal(blockOf(view.write('claude-code').rows[1])['name'], 'ExitPlanMode');
  });

  it('no thinking reaches the model, nor an empty text, nor half a pair of surrogates', () => {
    const view = new View()
      .add('user', [text('a \ud83d b')])
      .add('assistant', [{ type: 'thinking', text: 'x', signature: 'sig' }, text('  ')]);
    const { lines } = view.write('claude-code');
    const all = lines.map((line) => line.text).join('\n');
    assert.ok(all.includes('a \ufffd b') || all.includes(String.raw`a \ufffd b`));
    assert.ok(!all.includes('"thinking"') && !all.includes('"text":"  "') && !all.includes(String.raw`\ud83d`));
  });

  it('a conversation that begins with the model begins with a prompt', () => {
    const { rows, lines } = new View().add('assistant', [text('hello')]).write();
    assert.deepEqual(objectOf(rows[0]?.['message'])['content'], '[Session continued from Codex CLI]');
    assert.deepEqual(rows[0]?.['importedFrom'], { tool: 'codex', filler: true });
    assert.deepEqual(
      lines.map((line) => line.from),
      [undefined, 'm1', undefined, undefined, undefined],
    );
  });

  it('times rise strictly and are never later than now', () => {
    const view = new View();
    for (let index = 0; index < 4; index += 1)
      view.add(index % 2 === 0 ? 'user' : 'assistant', [text('x')], undefined, {
        timestamp: index === 2 ? '2099-01-01T00:00:00.000Z' : '2026-11-20T10:00:00.000Z',
      });
    const times = view.write().rows.flatMap((row) => (typeof row['timestamp'] === 'string' ? [row['timestamp']] : []));
    assert.deepEqual(times, [
      '2026-11-20T10:00:00.000Z',
      '2026-11-20T10:00:00.001Z',
      '2026-11-25T21:00:00.000Z',
      '2026-11-25T21:00:00.001Z',
    ]);
  });

  it('nothing said makes no file worth placing', () => {
    assert.deepEqual(new View().add('developer', [text('x')], undefined, { is_meta: true }).write().lines, []);
  });

  it('any view: each pair whole, ids unique, a person first, no text blank', () => {
    const part = fc.oneof(
      fc.record({ type: fc.constant('text'), text: fc.string() }),
      fc.record({ type: fc.constant('thinking'), text: fc.string() }),
      fc.record({
        type: fc.constant('tool_use'),
        tool_use_id: fc.constantFrom('a', 'b', 'call', 'call_2'),
        name: fc.string(),
        input: fc.constant({}),
      }),
      fc.record({
        type: fc.constant('tool_result'),
        tool_use_id: fc.constantFrom('a', 'b', 'call', 'call_2'),
        content: fc.string(),
      }),
    );
    const role = fc.constantFrom<Message['role']>('user', 'assistant', 'tool', 'developer', 'system');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(role, fc.array(part, { minLength: 1, maxLength: 3 })), { maxLength: 12 }),
        (messages) => {
          const view = new View();
          for (const [who, content] of messages) view.add(who, content);
          const rows = view.write().rows.filter((row) => row['type'] === 'user' || row['type'] === 'assistant');
          if (rows.length > 0) assert.equal(rows[0]?.['type'], 'user');
          const blocks = rows.flatMap((row) => {
            const content = objectOf(row['message'])['content'];
            return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content).map(objectOf);
          });
          const calls = blocks.flatMap((block) => (block['type'] === 'tool_use' ? [String(block['id'])] : []));
          const results = blocks.flatMap((block) =>
            block['type'] === 'tool_result' ? [String(block['tool_use_id'])] : [],
          );
          assert.deepEqual(results, calls);
          assert.equal(new Set(calls).size, calls.length);
          for (const block of blocks) {
            if (block['type'] === 'text') assert.notEqual(String(block['text']).trim(), '');
            if (block['type'] === 'tool_use') assert.match(String(block['name']), /^[a-zA-Z0-9_-]{1,64}$/);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('lineage', () => {
  it('reading what was written yields one message a line, in order, and goes on after the last', () => {
    const { lines } = everything().write();
    const { session, ids } = readBack(lines);
    assert.deepEqual(
      ids.map(([from]) => from),
      lines.flatMap((line) => line.from ?? []),
    );
    assert.equal(session.messages.size, ids.length);
    assert.deepEqual(
      session.live().map((message) => message.msg_id),
      ids.map(([, id]) => id),
    );
    assert.deepEqual([...session.losses], []);
    assert.equal(session.facts.title?.text, 'Fix the bug');
  });

  /**
   * Recorded: a session of another vendor with all of this, written here, placed, and resumed three times by 2.1.330
   * (a call, three calls at once, thinking). Vendor prompts are cut out.
   */
  it('what the real program appends is only new, and hangs on the last placed message', () => {
    const path = fileURLToPath(new URL(`fixtures/continued-2.1.330/${nativeId}.jsonl`, import.meta.url));
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const end = lines.findIndex((line) => line.startsWith('{"type":"last-prompt"')) + 1;
    const session = new MemorySession(nativeId);
    const file = { nativeId, key: 'main', kind: 'log', agentId: undefined } as const;
    let state = session.readOn(file, reader.start(file), lines.slice(0, end));
    const placed = [...session.messages.keys()];
    assert.equal(placed.length, 17);
    state = session.readOn(file, state, lines.slice(end));
    const fresh = [...session.messages.values()].slice(placed.length);
    assert.deepEqual(
      fresh.map((message) => `${message.role} ${message.content.map((block) => block.type).join('+')}`),
      [
        'user text',
        'assistant text',
        'assistant tool_use',
        'tool tool_result',
        'assistant text',
        'user text',
        'assistant thinking',
        'assistant text',
        'assistant tool_use',
        'assistant tool_use',
        'assistant tool_use',
        'tool tool_result',
        'tool tool_result',
        'tool tool_result',
        'assistant text',
        'user text',
        'assistant thinking',
        'assistant text',
      ],
    );
    for (const [index, message] of fresh.entries())
      assert.equal(message.parent_msg_id, index === 0 ? placed.at(-1) : fresh[index - 1]?.msg_id);
    assert.deepEqual(
      session.live().map((message) => message.msg_id),
      [...placed, ...fresh.map((message) => message.msg_id)],
    );
    assert.deepEqual([...session.losses], []);
  });
});

describe('around the file', () => {
  it('folders are named as the tool names them', () => {
    assert.equal(projectFolder('/home/me/my proj.é_x/😀'), '-home-me-my-proj---x---');
    const long = `/${'a'.repeat(250)}`;
    assert.equal(projectFolder(long), `-${'a'.repeat(199)}-${hashOf(long)}`);
  });

  it("restoring keeps the session's own folder and moves it to the project of the new one", () => {
    const old = '/other/.claude/projects/-other-place';
    const files = [
      { key: 'main', path: `${old}/${nativeId}.jsonl` },
      { key: 'agent-a1', path: `${old}/${nativeId}/subagents/agent-a1.jsonl` },
      { key: 'agent-a1.meta', path: `${old}/${nativeId}/subagents/agent-a1.meta.json` },
      { key: 'tool-results-x.txt', path: `${old}/${nativeId}/tool-results/x.txt` },
      { key: 'custom-title', path: `${old}/${nativeId}/custom-title.json` },
      { key: 'agent-b2', path: `${old}/agent-b2.jsonl` },
      { key: 'odd', path: `${old}/${nativeId}/../../../settings.json` },
    ];
    const place = `projects/-home-me-proj/${nativeId}`;
    assert.deepEqual(Object.fromEntries(writer.restore(files, given) ?? []), {
      main: `${place}.jsonl`,
      'agent-a1': `${place}/subagents/agent-a1.jsonl`,
      'agent-a1.meta': `${place}/subagents/agent-a1.meta.json`,
      'tool-results-x.txt': `${place}/tool-results/x.txt`,
      'custom-title': `${place}/custom-title.json`,
      'agent-b2': 'projects/-home-me-proj/agent-b2.jsonl',
    });
    assert.equal(writer.restore(files.slice(1), given), undefined);
  });

  it('a session is live while its process runs', () => {
    const home = mkdtempSync(join(tmpdir(), 'claude-code-'));
    try {
      mkdirSync(join(home, 'sessions'));
      const recorded = readFileSync(
        fileURLToPath(new URL('fixtures/2.1.330/sessions/12345.json', import.meta.url)),
        'utf8',
      );
      const session = '2080deb2-260c-4a15-b3b5-54eb057559e5';
      const machine = systemMachine({ env: {}, homeDir: home });
      assert.equal(writer.live(machine, home, session), false);
      writeFileSync(join(home, 'sessions', `${process.pid}.json`), recorded);
      writeFileSync(join(home, 'sessions', '1.json'), '{"torn');
      assert.equal(writer.live(machine, home, session), true);
      assert.equal(writer.live(machine, home, nativeId), false);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('what a person types next', () => {
    assert.deepEqual(writer.launch(nativeId, { cwd: '/x', model: undefined }), ['claude', '--resume', nativeId]);
    assert.deepEqual(writer.launch(nativeId, { cwd: '/x', model: 'opus' }), [
      'claude',
      '--resume',
      nativeId,
      '--model',
      'opus',
    ]);
  });
});

describe('vocabulary', () => {
  const inputs: { readonly [name: string]: { readonly [key: string]: unknown } } = {
    Bash: { command: 'ls', description: 'List', timeout: 1000 },
    Read: { file_path: '/a', offset: 3, limit: 4 },
    Write: { file_path: '/a', content: 'x' },
    Edit: { file_path: '/a', old_string: 'b', new_string: 'c', replace_all: true },
    Grep: { pattern: 'x', path: '/a', glob: '*.ts' },
    Glob: { pattern: '*.ts', path: '/a' },
    WebFetch: { url: 'https://x.example', prompt: 'Read' },
    WebSearch: { query: 'x' },
    TodoWrite: { todos: [{ content: 'First', status: 'in_progress', activeForm: 'First' }] },
    Agent: { description: 'Sub job', prompt: 'Do it', subagent_type: 'general-purpose' },
  };
  for (const [name, input] of Object.entries(inputs)) {
    it(`${name} means the same there and back`, () => {
      const word = vocabulary.find((one) => one.name === name);
      const common = word?.read(JSON.parse(JSON.stringify(input)));
      assert.ok(common !== undefined);
      assert.deepEqual(word?.write?.(common), input);
    });
  }

  it('a call that says more than the common one keeps its own name', () => {
    const word = vocabulary.find((one) => one.name === 'Bash');
    assert.equal(word?.read({ command: 'ls', run_in_background: true }), undefined);
  });

  it('a folder to run in becomes part of the command', () => {
    const word = vocabulary.find((one) => one.name === 'Bash');
    assert.deepEqual(word?.write?.({ verb: 'shell', command: 'ls', cwd: "/it's" }), {
      command: String.raw`cd '/it'\''s' && ls`,
    });
  });
});

function readBack(lines: readonly WrittenLine[]): {
  readonly session: MemorySession;
  readonly ids: (readonly [string, string])[];
} {
  const session = new MemorySession(nativeId);
  const file = { nativeId, key: 'main', kind: 'log', agentId: undefined } as const;
  const given2 = session.given(file);
  const state = reader.start(file);
  const ids: (readonly [string, string])[] = [];
  for (const line of lines) {
    const before = session.messages.size;
    session.decode(line.text, state, given2);
    const made = [...session.messages.keys()].slice(before);
    assert.equal(made.length, line.from === undefined ? 0 : 1, line.text);
    for (const id of made) ids.push([line.from ?? '', id]);
  }
  reader.settle(state, given2);
  return { session, ids };
}

function objectOf(value: unknown): Record<string, unknown> {
  assert.ok(isObject(value));
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value));
  return value;
}

function blockOf(row: Record<string, unknown> | undefined): Record<string, unknown> {
  return objectOf(listOf(objectOf(row?.['message'])['content'])[0]);
}

/** The tool's own hash of a path, written out as it is in its code. */
function hashOf(path: string): string {
  let hash = 0;
  for (const unit of path.split('')) hash = ((hash << 5) - hash + unit.charCodeAt(0)) | 0;
  return Math.abs(hash).toString(36);
}
