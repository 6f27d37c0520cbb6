import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { isObject } from '../../model/json.ts';
import type { Block } from '../../model/block.ts';
import type { Message } from '../../model/message.ts';
import { systemMachine } from '../../io/system.ts';
import type { Source } from '../adapter.ts';
import { discover, sourceAt } from './discover.ts';
import { recentLimit, typed } from './state.ts';
import { MemorySession, Script } from './test-support.ts';
import { reader } from './read.ts';

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));
const versions = ['2.1.330', '2.0.76', '1.0.24'];
const machine = systemMachine({ env: {}, homeDir: '/nowhere' });

function refuse(path: string, why: string): void {
  assert.fail(`${path}: ${why}`);
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function sourcesOf(version: string): Source[] {
  return [...discover(machine, join(fixtures, version), refuse)];
}

function captured(source: Source, pieces: readonly number[] = []): MemorySession {
  const session = new MemorySession(source.nativeId);
  for (const file of source.files) {
    if (file.kind === 'attachment') continue;
    const lines = file.kind === 'log' ? linesOf(file.path) : [readFileSync(file.path, 'utf8')];
    session.readFile(file, lines, file.key === 'main' ? pieces : []);
  }
  return session;
}

/** One line for each thing the model is sent, in order. Reminders and notices of background work it is sent apart. */
function spoken(messages: readonly Message[]): string[] {
  return byResponse(messages).flatMap((message) => (isReminder(message) ? [] : message.content.flatMap(spokenBlock)));
}

/** A call may run before its response is complete: the program sends one response whole, then all results. */
function byResponse(messages: readonly Message[]): Message[] {
  const ordered: Message[] = [];
  for (const message of messages) {
    const response = message.metadata?.response_id;
    const index =
      response === undefined ? -1 : ordered.findLastIndex((other) => other.metadata?.response_id === response);
    if (index === -1) ordered.push(message);
    else ordered.splice(index + 1, 0, message);
  }
  return ordered;
}

function isReminder(message: Message): boolean {
  const injected = message.metadata?.['injected'];
  return (
    message.is_meta === true &&
    injected !== undefined &&
    !['command', 'command-output', 'caveat', 'shell-output', 'interruption', 'context'].includes(String(injected))
  );
}

function spokenBlock(block: Block): string[] {
  switch (block.type) {
    case 'text':
    case 'summary':
      return [said(String(block['text']))];
    case 'thinking':
      return [block['redacted'] === true ? 'redacted' : `thought ${String(block['text'])}`];
    case 'tool_use':
      return [called(block['tool_use_id'], block['name'], block['input'])];
    case 'tool_result':
      return [result(block['tool_use_id'], String(block['content']))];
    default:
      return [block.type];
  }
}

/** The same of the request that the real program made when it resumed the file, and the model it was made to. */
function sent(path: string): { readonly lines: string[]; readonly model: string } {
  const expected: unknown = JSON.parse(readFileSync(path, 'utf8'));
  assert.ok(isObject(expected) && Array.isArray(expected['messages']));
  const lines = expected['messages'].flatMap((message: unknown) => {
    assert.ok(isObject(message) && Array.isArray(message['content']));
    return message['content'].flatMap(sentBlock);
  });
  assert.equal(lines.pop(), 'said PROBE-END');
  return { lines, model: String(expected['model']) };
}

function sentBlock(block: unknown): string[] {
  assert.ok(isObject(block));
  switch (block['type']) {
    case 'text':
      return [said(queued(String(block['text'])))];
    case 'thinking':
      return [`thought ${String(block['thinking'])}`];
    case 'redacted_thinking':
      return ['redacted'];
    case 'tool_use':
      return [called(block['id'], block['name'], block['input'])];
    case 'tool_result': {
      const parts: unknown[] = Array.isArray(block['content'])
        ? block['content']
        : [{ type: 'text', text: block['content'] }];
      const texts = parts.flatMap((part) => (isObject(part) && part['type'] === 'text' ? [String(part['text'])] : []));
      const images = parts.flatMap((part) => (isObject(part) && part['type'] === 'image' ? ['image'] : []));
      return [result(block['tool_use_id'], texts.join('\n')), ...images];
    }
    default:
      return [String(block['type'])];
  }
}

// The recordings are cut to this; the program adds a newline where it joins two messages.
function said(text: string): string {
  return `said ${text.trimEnd().slice(0, 120)}`;
}

// The program sends calls of `Task` under the name the tool has now.
function called(id: unknown, name: unknown, input: unknown): string {
  return `called ${String(id)} ${name === 'Task' ? 'Agent' : String(name)} ${JSON.stringify(input)}`;
}

function result(id: unknown, text: string): string {
  return `result ${String(id)} ${text.slice(0, 120)}`;
}

/** A prompt that was typed while a call ran is sent inside a sentence. */
function queued(text: string): string {
  return /^The user sent a new message while you were working:\n([\s\S]*?)\n\nThis is how/.exec(text)?.[1] ?? text;
}

describe('live view', () => {
  for (const version of versions) {
    const folder = join(fixtures, `expected-${version}`);
    const sources = new Map(sourcesOf(version).map((source) => [source.nativeId, source]));
    for (const name of readdirSync(folder)) {
      it(`${version} ${name}: is what the real program sends on resume`, () => {
        const source = sources.get(name.replace('.json', ''));
        assert.ok(source);
        const live = captured(source).live();
        const { lines, model } = sent(join(folder, name));
        // Another model's thinking stays behind.
        const sameModel = live.some((message) => message.model === model);
        assert.deepEqual(
          spoken(live).filter(
            (line) => (sameModel || !line.startsWith('thought ')) && !line.startsWith('said <system-reminder>'),
          ),
          lines,
        );
      });
    }
  }
});

describe('records', () => {
  for (const version of versions) {
    it(`${version}: every record of every recording is accounted for`, () => {
      for (const source of sourcesOf(version)) {
        const session = captured(source);
        assert.equal(session.records.get('unknown'), undefined, source.nativeId);
        assert.deepEqual([...session.losses], [], source.nativeId);
      }
    });

    it(`${version}: reading in two pieces at any record equals reading at once`, () => {
      for (const source of sourcesOf(version)) {
        const whole = captured(source);
        const main = source.files[0];
        assert.equal(main?.key, 'main');
        for (let at = 1; at < linesOf(main.path).length; at += 1) {
          const pieces = captured(source, [at]);
          assert.deepEqual([...pieces.messages.values()], [...whole.messages.values()], `${source.nativeId} at ${at}`);
          assert.deepEqual(ids(pieces.live()), ids(whole.live()), `${source.nativeId} at ${at}`);
          assert.deepEqual(pieces.facts, whole.facts, `${source.nativeId} at ${at}`);
        }
      }
    });
  }

  it('counts what each record of a session was', () => {
    assert.deepEqual(Object.fromEntries(recorded('2.1.330', '2080deb2').records), {
      state: 154,
      message: 88,
      fact: 19,
      duplicate: 4,
    });
  });
});

/** As the program's code has them. */
describe('kinds of record that no recording has', () => {
  const attachment = (fields: object): object => ({ type: 'attachment', ...fields });
  const cases: {
    readonly name: string;
    readonly record: object;
    readonly was: string;
    readonly said?: readonly [role: string, text: string, metadata: object];
    readonly loss?: string;
  }[] = [
    {
      name: "a hook's words, rendered",
      record: attachment({
        attachment: { type: 'hook_additional_context', hookEvent: 'SessionStart' },
        rendered: [{ content: '<system-reminder>\nBe brief\n</system-reminder>' }],
        renderedRole: 'user',
      }),
      was: 'message',
      said: ['user', '<system-reminder>\nBe brief\n</system-reminder>', { injected: 'hook_additional_context' }],
    },
    {
      name: "a hook's words before they were rendered",
      record: attachment({ attachment: { type: 'hook_success', hookName: 'Stop', content: 'All checked' } }),
      was: 'message',
      said: ['developer', 'All checked', { injected: 'hook_success' }],
    },
    {
      name: 'a hook that said nothing',
      record: attachment({ attachment: { type: 'hook_success', hookName: 'Stop', content: '' } }),
      was: 'state',
    },
    {
      name: 'a reminder to plan',
      record: attachment({ attachment: { type: 'todo_reminder', content: [], itemCount: 0 } }),
      was: 'state',
    },
    {
      name: 'what the person was told on coming back',
      record: { type: 'system', subtype: 'away_summary', content: 'Tests pass', level: 'info' },
      was: 'message',
      said: ['system', 'Tests pass', { notice: 'away_summary' }],
    },
    { name: 'a stop hook', record: { type: 'system', subtype: 'stop_hook_summary', hookCount: 1 }, was: 'state' },
    {
      name: 'an attachment of a later version',
      record: attachment({ attachment: { type: 'zodiac' } }),
      was: 'unknown',
      loss: 'unknown:attachment:zodiac',
    },
    {
      name: 'a notice of a later version',
      record: { type: 'system', subtype: 'zodiac' },
      was: 'unknown',
      loss: 'unknown:system:zodiac',
    },
    { name: 'a record of a later version', record: { type: 'zodiac' }, was: 'unknown', loss: 'unknown:zodiac' },
    { name: 'a tag', record: { type: 'tag', tag: 'parser' }, was: 'state' },
    { name: 'a pull request', record: { type: 'pr-link', prNumber: 1 }, was: 'state' },
    { name: 'a worktree', record: { type: 'worktree-state', worktreeSession: null }, was: 'state' },
    { name: 'results swapped for the model', record: { type: 'content-replacement', replacements: [] }, was: 'state' },
    { name: 'a mode', record: { type: 'permission-mode', permissionMode: 'plan' }, was: 'state' },
    { name: 'a queued prompt', record: { type: 'queue-operation', operation: 'popAll' }, was: 'duplicate' },
    { name: 'a move', record: { type: 'relocated', relocatedCwd: '/home/me/other' }, was: 'fact' },
    { name: "a model's title", record: { type: 'ai-title', aiTitle: 'Parser' }, was: 'fact' },
  ];
  for (const { name, record, was, said: told, loss } of cases) {
    it(`${name}: ${was}`, () => {
      const script = new Script().prompt('1');
      const isRow = 'attachment' in record || 'subtype' in record;
      if (isRow) script.row(record, 'it', '1').answer('2', 'it');
      else script.side(record).answer('2', '1');
      const session = script.read();
      assert.deepEqual(Object.fromEntries(session.records), count(['message', was, 'message']));
      assert.deepEqual([...session.losses], loss === undefined ? [] : [[loss, 1]]);
      const row = session.messages.get(script.id('it'));
      assert.deepEqual(
        row === undefined ? undefined : [row.role, row.content, row.metadata, row.is_meta],
        told === undefined ? undefined : [told[0], [{ type: 'text', text: told[1] }], told[2], true],
      );
      const isSent = told !== undefined && told[0] !== 'system';
      assert.equal(script.names(session.live()), isSent ? '1 it 2' : '1 2', 'what hangs on it is still in the line');
    });
  }

  it('a session that was moved is where it was moved to, and its title is the newest', () => {
    const script = new Script().prompt('1', undefined, { cwd: '/home/me/proj' });
    script.side({ type: 'relocated', relocatedCwd: '/home/me/other' }).side({ type: 'ai-title', aiTitle: 'Parser' });
    const { facts } = script.prompt('2', '1', { cwd: '/home/me/proj' }).read();
    assert.equal(facts.cwd, '/home/me/other');
    assert.deepEqual(facts.title, { text: 'Parser', by: 'model' });
  });
});

function count(names: readonly string[]): { readonly [name: string]: number } {
  const counts: { [name: string]: number } = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Files written by hand that 2.1.330 was made to resume: what is wrong with them is there to be seen, nothing is lost. */
describe('handwritten', () => {
  const files: { readonly [name: string]: { readonly kinds: readonly string[]; readonly live: number } } = {
    'minimal.jsonl': {
      kinds: ['user text', 'assistant text', 'user text', 'assistant text'],
      live: 4,
    },
    'best.jsonl': {
      kinds: [
        'user text',
        'system text',
        'assistant text',
        'assistant tool_use',
        'assistant tool_use',
        'tool tool_result',
        'tool tool_result',
        'assistant text',
        'user text+image',
        'assistant text',
      ],
      live: 9,
    },
    'orphan-tool-use-at-end.jsonl': { kinds: ['user text', 'assistant tool_use'], live: 2 },
    'BAD-no-parent-links.jsonl': {
      kinds: ['user text', 'assistant text', 'user text', 'assistant text'],
      live: 1,
    },
    'BAD-tool-id-underscore-digit.jsonl': {
      kinds: [
        'user text',
        'assistant tool_use',
        'tool tool_result',
        'assistant tool_use',
        'tool tool_result',
        'assistant text',
      ],
      live: 6,
    },
    'BAD-unsigned-thinking-is-sent.jsonl': { kinds: ['user text', 'assistant thinking+text'], live: 2 },
  };
  for (const [name, { kinds, live }] of Object.entries(files)) {
    it(name, () => {
      const session = new MemorySession('00000000-0000-4000-8000-000000000000');
      session.readFile({ key: 'main', kind: 'log' }, linesOf(join(fixtures, 'handwritten', name)));
      const read = [...session.messages.values()].map(
        (message) => `${message.role} ${message.content.map((block) => block.type).join('+')}`,
      );
      assert.deepEqual(read, kinds);
      assert.equal(session.live().length, live);
      assert.deepEqual([...session.losses], []);
      assert.equal(session.records.get('unknown'), undefined);
    });
  }
});

describe('facts', () => {
  it('title, folder, branch, version, interface, effort, files and sub-agents of an interactive session', () => {
    assert.deepEqual(recorded('2.1.330', '2080deb2').facts, {
      cwd: '/home/me/claude/proj',
      toolVersion: '2.1.330',
      git: { branch: 'main' },
      interface: 'cli',
      reasoningEffort: 'medium',
      title: { text: 'My Renamed Session', by: 'person' },
      files: [{ path: '/home/me/claude/proj/a.txt', role: 'edited' }],
      agentCalls: { ac920e52c08a5937d: 'toolu_014da438c398109329d4874b' },
    });
  });

  it('a file that a call made is created', () => {
    assert.deepEqual(recorded('2.1.330', '22222222').facts.files, [
      { path: '/home/me/claude/proj/a.txt', role: 'edited' },
      { path: '/home/me/claude/proj/b.txt', role: 'created' },
      { path: '/home/me/claude/proj/pic.png', role: 'read' },
    ]);
  });

  it('/branch and --fork-session name the session they copy and the last message they share', () => {
    assert.deepEqual(recorded('2.1.330', '35853169').facts.parent, {
      nativeId: '2080deb2-260c-4a15-b3b5-54eb057559e5',
      msg: '00d60865-b208-4799-be38-f22f27b32615',
    });
    assert.deepEqual(recorded('2.1.330', 'fa0060fa').facts.parent, {
      nativeId: '33333333-3333-4333-8333-333333333333',
      msg: '26031456-3329-47e6-ab8b-687d2bbc6fa7',
    });
  });

  it('what a fork copied is told while it is read; a row that is written again tells nothing', () => {
    for (const head of ['35853169', 'fa0060fa'])
      assert.equal(recorded('2.1.330', head).copied, recorded('2.1.330', head).facts.parent?.msg, head);
    for (const head of ['2080deb2', '33333333', '11111111'])
      assert.equal(recorded('2.1.330', head).copied, undefined, head);
  });

  it('a title of 1.x that names a row of another session is not ours', () => {
    assert.equal(recorded('1.0.24', '353d3faa').facts.title, undefined);
  });

  it('a title of 1.x that names a row still to come is ours', () => {
    const script = new Script();
    script.side({ type: 'summary', summary: 'Ours', leafUuid: script.id('b') });
    script.prompt('a').answer('b', 'a');
    assert.deepEqual(script.read().facts.title, { text: 'Ours', by: 'model' });
  });

  it('a title that is taken back is gone', () => {
    const script = new Script().prompt('a');
    script
      .side({ type: 'custom-title', customTitle: 'Named' })
      .side({ type: 'ai-title', aiTitle: 'Made up' })
      .side({ type: 'custom-title', customTitle: '' });
    assert.deepEqual(script.read().facts.title, { text: null, by: 'person' });
  });

  it('tokens are stated once a response', () => {
    const stated = [...recorded('2.1.330', '11111111').messages.values()].flatMap((message) => message.usage ?? []);
    // The program's own count stands in its cost-state.
    assert.equal(stated.length, 5);
    assert.equal(
      stated.reduce((sum, usage) => sum + usage.output_tokens, 0),
      outputOf('11111111'),
    );
  });
});

describe('tokens of a fork', () => {
  it('are those of its own answers, as the program itself counts them', () => {
    for (const head of ['35853169', 'fa0060fa']) {
      const stated = [...recorded('2.1.330', head).messages.values()].flatMap((message) => message.usage ?? []);
      assert.deepEqual(
        stated.map((usage) => usage.output_tokens),
        [20],
        head,
      );
    }
    assert.equal(outputOf('35853169'), 20);
    // `--fork-session` goes on from the count of the session it copied.
    assert.equal(outputOf('fa0060fa') - outputOf('33333333'), 20);
  });
});

describe('messages', () => {
  it('a prompt typed while a call ran is a prompt', () => {
    const queuedPrompt = recorded('2.1.330', '6e10bae5').messages.get('6e54e0aa-a369-44da-a2b0-24f938dc79c0');
    assert.deepEqual(queuedPrompt, {
      msg_id: '6e54e0aa-a369-44da-a2b0-24f938dc79c0',
      parent_msg_id: '33d8839a-bbeb-47b2-8869-01b29dba0b59',
      role: 'user',
      content: [{ type: 'text', text: 'MIDTURN typed while tool runs' }],
      timestamp: '2026-11-23T06:24:03.044Z',
      turn_id: '84bdb329-896e-443b-9990-371500c10826',
    });
  });

  it('an answer that was interrupted says so, and the notice of it is not a person', () => {
    const session = recorded('2.1.330', '2080deb2');
    assert.equal(session.messages.get('5f25dd55-6965-4074-b436-2b6a2d9ccd35')?.stop_reason, 'interrupted');
    const notice = session.messages.get('ddfed161-e46f-4328-8c7b-2aab47b99d6b');
    assert.equal(notice?.is_meta, true);
    assert.deepEqual(notice.metadata, { injected: 'interruption' });
  });

  it('an error of the service hangs beside the conversation', () => {
    const session = recorded('2.1.330', '22222222');
    const error = session.messages.get('7d839edb-70bc-403e-ba77-1dc01441b0cb');
    assert.equal(error?.role, 'system');
    assert.deepEqual(error.content, [{ type: 'text', text: 'API Error: 400 mock bad request' }]);
    assert.equal(promptOf(session, 'todo @@todo')?.parent_msg_id, error.parent_msg_id);
  });

  it('an image of a result follows its result', () => {
    const image = [...recorded('2.1.330', '22222222').messages.values()].find(
      (message) => message.role === 'tool' && message.content.some((block) => block.type === 'image'),
    );
    assert.deepEqual(
      image?.content.map((block) => block.type),
      ['tool_result', 'image'],
    );
    assert.deepEqual(image?.metadata, { result_images: { '1': 'toolu_011e05b10b8edde4a6e9e107' } });
  });

  it('an output kept in a file of its own names the file', () => {
    const persisted = [...recorded('2.1.330', '33333333').messages.values()].flatMap(
      (message) => message.metadata?.['persisted_output'] ?? [],
    );
    assert.deepEqual(persisted, ['bazvdzvlb.txt']);
  });

  it('a failed command states its exit code', () => {
    const results = [...recorded('2.1.330', '33333333').messages.values()].flatMap((message) =>
      message.content.filter((block) => 'exit_code' in block),
    );
    assert.deepEqual(results, [
      {
        type: 'tool_result',
        tool_use_id: 'toolu_0133d5360c3b7323b055ed1b',
        content: 'Exit code 3\noops',
        is_error: true,
        exit_code: 3,
      },
    ]);
  });

  it('results of calls made at once follow one another', () => {
    const session = recorded('2.1.330', '11111111');
    const line = ['2560f3c0', '6b59d160', '88de7783', 'd0c786a1', 'fda694ab', 'a800efa4', '358b6c41'];
    const chain = line.map((head) => [...session.messages.values()].find((message) => message.msg_id.startsWith(head)));
    for (const [index, message] of chain.entries())
      if (index > 0) assert.equal(message?.parent_msg_id, chain[index - 1]?.msg_id);
  });

  it('a sub-agent has its own file, id and root', () => {
    const own = [...recorded('2.1.330', '2080deb2').messages.values()].filter(
      (message) => message.is_sidechain === true,
    );
    assert.deepEqual([...new Set(own.map((message) => message.agent_id))], ['ac920e52c08a5937d']);
    assert.deepEqual(
      own.filter((message) => message.parent_msg_id === null).map((message) => message.content),
      [[{ type: 'text', text: 'SUBAGENT-PROMPT please run @@bash now' }]],
    );
  });

  it('a sub-agent inside the main file (1.0.24) is tied to its call', () => {
    const session = recorded('1.0.24', '353d3faa');
    const root = '95617cec-88b5-4f82-aee3-3b958e3a79ab';
    assert.deepEqual(session.facts.agentCalls, { [root]: 'toolu_012528cb1162f0c97b0dbbd2' });
    const own = [...session.messages.values()].filter((message) => message.is_sidechain === true);
    assert.deepEqual(
      own.map((message) => message.agent_id),
      Array.from({ length: 5 }, () => root),
    );
  });

  it('a sub-agent inside the main file goes on after many rows of another', () => {
    const side = { isSidechain: true };
    const script = new Script().prompt('1').prompt('a', undefined, side).prompt('b', undefined, side);
    let above = 'b';
    for (let row = 0; row < recentLimit * 2; row += 1) {
      script.prompt(`b${row}`, above, side);
      above = `b${row}`;
    }
    script.prompt('late', 'a', side);
    assert.equal(script.read().messages.get(script.id('late'))?.agent_id, script.id('a'));
  });

  it('reminders inside a prompt are parted from it', () => {
    const script = new Script().prompt('a', undefined, {
      message: {
        role: 'user',
        content: [
          { type: 'text', text: '<system-reminder>\nx\n</system-reminder>' },
          { type: 'text', text: 'Do it' },
        ],
      },
    });
    const [context, prompt] = [...script.read().messages.values()];
    assert.deepEqual(
      [context?.is_meta, context?.parent_msg_id, prompt?.is_meta, prompt?.parent_msg_id],
      [true, null, undefined, context?.msg_id],
    );
    assert.deepEqual(prompt?.content, [{ type: 'text', text: 'Do it' }]);
  });

  it('words beside results are their own message, on which the answer hangs', () => {
    const script = new Script().prompt('a').call('b', 'a', 'toolu_1').answer('d', 'c');
    script.insert(2, script.resultRow('c', 'b', 'toolu_1', [{ type: 'text', text: 'and hurry' }]));
    const session = script.read();
    assert.deepEqual(
      session.live().map((message) => [message.role, message.content[0]?.type]),
      [
        ['user', 'text'],
        ['assistant', 'tool_use'],
        ['tool', 'tool_result'],
        ['user', 'text'],
        ['assistant', 'text'],
      ],
    );
  });
});

/** Each as the real program 2.1.330 answered it when it resumed exactly these rows. */
describe('where the conversation goes on', () => {
  const base = (): Script => new Script().prompt('1').answer('2', '1').prompt('3', '2').answer('4', '3');
  const cases: { readonly name: string; readonly script: Script; readonly live: string }[] = [
    {
      name: 'without a checkpoint: after the last row',
      script: base().prompt('5', '2').answer('6', '5'),
      live: '1 2 5 6',
    },
    {
      name: 'rows that stem from the checkpoint move it on',
      script: new Script()
        .prompt('1')
        .answer('2', '1')
        .leaf('2')
        .prompt('3', '2')
        .answer('4', '3')
        .prompt('7', '2')
        .answer('8', '7'),
      live: '1 2 7 8',
    },
    {
      name: 'a sibling of the checkpoint does not win',
      script: base().leaf('4').prompt('5', '4').answer('6', '5').prompt('7', '2').answer('8', '7'),
      live: '1 2 3 4',
    },
    { name: 'a checkpoint whose rows went on before it was written', script: base().leaf('2'), live: '1 2 3 4' },
    { name: 'a person went back', script: base().leaf('2', { explicit: true }), live: '1 2' },
    {
      name: 'a person went back and went on',
      script: base().leaf('2', { explicit: true }).prompt('7', '2').answer('8', '7'),
      live: '1 2 7 8',
    },
    { name: 'a person went back to nothing', script: base().leaf(null, { explicit: true }), live: '' },
    {
      name: 'a person went back to nothing and began anew',
      script: base().leaf(null, { explicit: true }).prompt('7').answer('8', '7'),
      live: '7 8',
    },
    {
      name: 'a checkpoint that no row answers to is none',
      script: base().leaf('4').prompt('7', '2').leaf('nowhere', { explicit: true }).answer('8', '7'),
      live: '1 2 7 8',
    },
    {
      name: 'a checkpoint written before its row',
      script: new Script().prompt('1').leaf('2').answer('2', '1'),
      live: '1 2',
    },
    {
      name: 'a person went back to a leaf stated before',
      script: base().leaf('4').prompt('5', '2').answer('6', '5').leaf('4', { explicit: true }),
      live: '1 2 3 4',
    },
    {
      name: 'a compaction keeps what it names',
      script: base().compact('6', '5', '4', ['3', '4']).prompt('8', '5').answer('9', '8'),
      live: '5 3 4 8 9',
    },
    {
      name: 'a compaction that keeps nothing',
      script: base().compact('6', '5', '4').prompt('8', '5').answer('9', '8'),
      live: '5 8 9',
    },
    {
      name: 'kept messages written again',
      script: base()
        .compact('6', '5', '4', ['3', '4'])
        .prompt('3', '5')
        .answer('4', '3')
        .prompt('8', '4')
        .answer('9', '8')
        .leaf('9'),
      live: '5 3 4 8 9',
    },
    {
      name: 'two compactions',
      script: base()
        .compact('6', '5', '4', ['3', '4'])
        .prompt('8', '5')
        .answer('9', '8')
        .compact('b', 'a', '9', ['8', '9'])
        .prompt('c', 'a')
        .answer('d', 'c'),
      live: 'a 8 9 c d',
    },
    {
      name: 'a row on one of several calls hangs on all results',
      script: parallel().answer('6', '4'),
      live: '1 2 3 4 5 6',
    },
    { name: 'a checkpoint on one of several calls', script: parallel().leaf('4'), live: '1 2 3 4 5' },
    {
      name: 'a broken link within five seconds is mended',
      script: base().prompt('7', 'lost', {}, 3000),
      live: '1 2 3 4 7',
    },
    { name: 'a broken link beyond five seconds is not', script: base().prompt('7', 'lost', {}, 6000), live: '7' },
    {
      name: 'progress rows are bridged',
      script: new Script().prompt('1').row({ type: 'progress', data: {} }, 'p', '1').answer('2', 'p'),
      live: '1 2',
    },
  ];
  for (const { name, script, live } of cases) {
    it(name, () => assert.equal(script.names(script.read().live()), live));
  }

  it('a rewind is told where it happened', () => {
    assert.deepEqual(recorded('2.1.330', '2080deb2').ops, [
      { op: 'rewind', id: 'dc95b9d5-2cb3-4600-b3e6-6af023f6d4c9' },
      {
        op: 'replace',
        at: '437c3bbd-9f9b-4629-aaeb-32ff3d09750f',
        with: ['437c3bbd-9f9b-4629-aaeb-32ff3d09750f', 'acb22087-a555-432c-acbd-848e9fbd108c'],
      },
      { op: 'leaf', id: '00d60865-b208-4799-be38-f22f27b32615' },
    ]);
  });

  it('a row written again with other words is a revision', () => {
    const script = new Script()
      .prompt('1')
      .answer('2', '1')
      .prompt('1', undefined, { message: { role: 'user', content: 'Other words' } });
    const session = script.read();
    assert.equal(session.records.get('duplicate'), 1);
    assert.deepEqual(session.live()[0]?.content, [{ type: 'text', text: 'Other words' }]);
  });

  it('links to rows that are long past are found', () => {
    const script = new Script().prompt('1').row({ type: 'system', subtype: 'turn_duration', durationMs: 1 }, 's', '1');
    let above = 's';
    for (let row = 0; row < recentLimit * 2; row += 1) {
      script.prompt(`x${row}`, above);
      above = `x${row}`;
    }
    assert.equal(script.prompt('late', 's').read().messages.get(script.id('late'))?.parent_msg_id, script.id('1'));
  });
});

describe('a row whose parent is not there', () => {
  const base = (): Script => new Script().prompt('1').answer('2', '1').prompt('3', '2', {}, 3000);

  it('hangs on the newest row by the clock, where rows were written out of order', () => {
    const script = base().prompt('4', 'lost', {}, -2000);
    assert.equal(script.names(script.read().live()), '1 2 4');
  });

  it('hangs on what a compaction kept, however late it comes', () => {
    const script = base().compact('b', 's', '3', ['2', '3']).prompt('4', 'lost', {}, 60_000).answer('5', '4');
    assert.equal(script.names(script.read().live()), 's 2 3 4 5');
  });

  it('is a root after a compaction that kept nothing', () => {
    const script = base().compact('b', 's', '3').prompt('4', 'lost', {}, 60_000);
    assert.equal(script.names(script.read().live()), '4');
  });
});

function parallel(): Script {
  const script = new Script().prompt('1').call('2', '1', 'toolu_1', 'm').call('3', '2', 'toolu_2', 'm');
  return script.result('4', '2', 'toolu_1').result('5', '3', 'toolu_2');
}

describe('anything at all', () => {
  const context = {
    nativeId: '00000000-0000-4000-8000-000000000000',
    key: 'main',
    kind: 'log',
    agentId: undefined,
  } as const;

  it('decodes without throwing, and the state stays small and plain', () => {
    const types = fc.constantFrom(
      'user',
      'assistant',
      'system',
      'attachment',
      'progress',
      'last-prompt',
      'custom-title',
      'summary',
      'nonsense',
    );
    const ids5 = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'x'.repeat(60));
    const block = fc.record(
      {
        type: fc.constantFrom('text', 'thinking', 'tool_use', 'tool_result', 'image', 'redacted_thinking', 'odd'),
        text: fc.jsonValue(),
        id: ids5,
        tool_use_id: ids5,
        name: fc.constantFrom('Read', 'Task', 'x'),
        input: fc.jsonValue(),
        content: fc.jsonValue(),
        source: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const row = fc.record(
      {
        type: types,
        subtype: fc.constantFrom('compact_boundary', 'local_command', 'informational', 'odd'),
        uuid: fc.oneof(ids5, fc.jsonValue()),
        parentUuid: fc.oneof(ids5, fc.jsonValue()),
        isSidechain: fc.boolean(),
        timestamp: fc.oneof(fc.string(), fc.jsonValue()),
        message: fc.oneof(
          fc.jsonValue(),
          fc.record({
            id: ids5,
            content: fc.oneof(fc.jsonValue(), fc.array(fc.oneof(block, fc.jsonValue()))),
            usage: fc.jsonValue(),
          }),
        ),
        attachment: fc.jsonValue(),
        leafUuid: fc.oneof(ids5, fc.jsonValue()),
        explicit: fc.boolean(),
        content: fc.jsonValue(),
        compactMetadata: fc.jsonValue(),
        isCompactSummary: fc.boolean(),
        toolUseResult: fc.jsonValue(),
        sessionId: fc.jsonValue(),
        cwd: fc.jsonValue(),
        customTitle: fc.jsonValue(),
        summary: fc.jsonValue(),
        forkedFrom: fc.jsonValue(),
      },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(row, fc.jsonValue()), { maxLength: 40 }), (records) => {
        const session = new MemorySession(context.nativeId);
        const state = reader.start(context);
        const given = session.given(context);
        for (const record of records) reader.decode(record, state, given);
        reader.settle(state, given);
        assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
        for (const message of session.messages.values()) {
          assert.ok(message.content.length > 0);
          assert.ok(!Number.isNaN(Date.parse(message.timestamp)));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('the state keeps within 64 KB whatever is read', () => {
    const long = (text: string): string => text.padEnd(48, 'x');
    const script = new Script((name) => long(name));
    let above: string | undefined;
    for (let row = 0; row < 300; row += 1) {
      const content = Array.from({ length: 3 }, (_unused, call) => ({
        type: 'tool_use',
        id: long(`c${row}-${call}`),
        name: call === 0 ? 'Task' : 'Read',
        input: { prompt: 'p'.repeat(500), file_path: 'f'.repeat(400) },
      }));
      script.row(
        {
          type: 'assistant',
          message: { id: `m${row % 2}`.padEnd(96, 'x'), role: 'assistant', content },
          isSidechain: row % 3 === 0,
        },
        `r${row}`,
        above,
      );
      script.side({ type: 'summary', summary: 's'.repeat(1000), leafUuid: long(`none${row}`) });
      above = `r${row}`;
    }
    script.compact(
      'b',
      's',
      above ?? '',
      Array.from({ length: 200 }, (_unused, row) => `r${row}`),
    );
    const size = JSON.stringify(typed(script.readRaw().state)).length;
    assert.ok(size <= 65_536, `${size} bytes`);
  });
});

describe('discovery', () => {
  it('a session, its sub-agents, its outputs, its title', () => {
    const source = sourcesOf('2.1.330').find((one) => one.nativeId.startsWith('33333333'));
    assert.deepEqual(
      source?.files.map(({ key, kind, agentId }) => [key, kind, agentId]),
      [
        ['main', 'log', undefined],
        ['agent-a10c46d76d15c7cd4', 'log', 'a10c46d76d15c7cd4'],
        ['agent-a10c46d76d15c7cd4.meta', 'document', 'a10c46d76d15c7cd4'],
        ['tool-results-bazvdzvlb.txt', 'attachment', undefined],
      ],
    );
  });

  it('sub-agents beside the session (2.0.76) go to the session they name, warm-ups to none', () => {
    assert.deepEqual(
      sourcesOf('2.0.76').map((source) => [source.nativeId.slice(0, 8), source.files.map((file) => file.key)]),
      [
        ['9f87a356', ['main']],
        ['c11181b6', ['main', 'agent-a2835ea']],
      ],
    );
  });

  it('any of its files leads to the session', () => {
    for (const version of versions) {
      for (const source of sourcesOf(version)) {
        for (const file of source.files) assert.deepEqual(sourceAt(machine, file.path, refuse), source, file.path);
      }
    }
  });

  it('sub-agents of a workflow lie deeper', () => {
    const home = mkdtempSync(join(tmpdir(), 'claude-code-'));
    try {
      const session = '11111111-1111-4111-8111-111111111111';
      const project = join(home, 'projects', '-p');
      const deep = join(project, session, 'subagents', 'workflows', 'wf_1');
      mkdirSync(deep, { recursive: true });
      for (const path of [join(project, `${session}.jsonl`), join(deep, 'agent-a1.jsonl')]) writeFileSync(path, '');
      assert.deepEqual(
        [...discover(machine, home, refuse)].flatMap((source) => source.files.map(({ key, path }) => [key, path])),
        [
          ['main', join(project, `${session}.jsonl`)],
          ['agent-a1', join(deep, 'agent-a1.jsonl')],
        ],
      );
      assert.equal(sourceAt(machine, join(deep, 'agent-a1.jsonl'), refuse)?.nativeId, session);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('other files lead nowhere', () => {
    const projects = join(fixtures, '2.1.330', 'projects', '-home-me-claude-proj');
    for (const path of [
      join(projects, 'memory', 'x.md'),
      join(projects, 'sessions-index.json'),
      '/etc/passwd',
      join(fixtures, '2.1.330', 'sessions', '12345.json'),
    ]) {
      assert.equal(sourceAt(machine, path, refuse), undefined, path);
    }
  });

  it('a session file anywhere is known by its rows', () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-code-'));
    try {
      const path = join(folder, '11111111-1111-4111-8111-111111111111.jsonl');
      writeFileSync(
        path,
        `${linesOf(join(fixtures, '2.1.330/projects/-home-me-claude-proj/11111111-1111-4111-8111-111111111111.jsonl')).join('\n')}\n`,
      );
      assert.deepEqual(sourceAt(machine, path, refuse), {
        nativeId: '11111111-1111-4111-8111-111111111111',
        files: [{ key: 'main', path, kind: 'log' }],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a link out of the home is told and not followed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-code-'));
    try {
      const name = '11111111-1111-4111-8111-111111111111.jsonl';
      mkdirSync(join(folder, 'home', 'projects', '-p'), { recursive: true });
      writeFileSync(join(folder, name), '');
      symlinkSync(join(folder, name), join(folder, 'home', 'projects', '-p', name));
      const told: string[] = [];
      assert.deepEqual([...discover(machine, join(folder, 'home'), (path, why) => told.push(`${path} ${why}`))], []);
      assert.deepEqual(told, [`${join(folder, 'home', 'projects', '-p', name)} links out of the home`]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function recorded(version: string, head: string): MemorySession {
  const source = sourcesOf(version).find((one) => one.nativeId.startsWith(head));
  assert.ok(source);
  return captured(source);
}

function ids(messages: readonly Message[]): string[] {
  return messages.map((message) => message.msg_id);
}

function promptOf(session: MemorySession, text: string): Message | undefined {
  return [...session.messages.values()].find((message) =>
    message.content.some((block) => block.type === 'text' && block['text'] === text),
  );
}

/** The output tokens the program itself counted for a session. */
function outputOf(head: string): number {
  const source = sourcesOf('2.1.330').find((one) => one.nativeId.startsWith(head));
  const costs = linesOf(source?.files[0]?.path ?? '').filter((line) => line.startsWith('{"type":"cost-state"'));
  const last: unknown = JSON.parse(costs.at(-1) ?? '{}');
  assert.ok(isObject(last) && isObject(last['modelUsage']));
  return Object.values(last['modelUsage']).reduce<number>(
    (sum, usage) => sum + Number(isObject(usage) ? usage['outputTokens'] : 0),
    0,
  );
}
