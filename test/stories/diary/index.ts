/**
 * A made-up coding tool, Diary: `~/.diary/<id>.jsonl`, each line `{"who":"me"|"it","said":"…","at":"…"}` or a call
 * `{"who":"it","did":"<name>","with":{…},"call":"c1","at":…}` and its answer `{"who":"tool","call":"c1","said":"…","at":…}`.
 */

import type {
  Adapter,
  DecoderState,
  Disposition,
  Given,
  Reader,
  Source,
  Writer,
  WrittenLine,
} from '../../../src/adapters/adapter.ts';
import { conversation, lose } from '../../../src/adapters/shared/conversation.ts';
import type { Step } from '../../../src/adapters/shared/conversation.ts';
import type { Block } from '../../../src/model/block.ts';
import { contentId } from '../../../src/model/ids.ts';
import { asJsonObject, isObject, objectAt, stringAt } from '../../../src/model/json.ts';
import type { Role } from '../../../src/model/message.ts';

const roles: Readonly<Record<string, Role>> = { me: 'user', it: 'assistant', tool: 'tool' };

function sourceOf(path: string): Source | undefined {
  const id = /([\w-]+)\.jsonl$/.exec(path)?.[1];
  return id === undefined ? undefined : { nativeId: id, files: [{ key: 'main', path, kind: 'log' }] };
}

function decode(record: unknown, state: DecoderState, given: Given): Disposition {
  const title = stringAt(record, 'title');
  if (title !== undefined) {
    given.sink.fact({
      title: { text: title, by: 'person' },
      ...(stringAt(record, 'where') === undefined ? {} : { cwd: stringAt(record, 'where') ?? '' }),
    });
    return 'fact';
  }
  const role = roles[stringAt(record, 'who') ?? ''];
  const block = blockOf(record);
  if (role === undefined || block === undefined) return 'unknown';
  const parent = typeof state['leaf'] === 'string' ? state['leaf'] : null;
  const id = contentId(parent, role, [block]);
  given.sink.message({
    msg_id: id,
    parent_msg_id: parent,
    role,
    content: [block],
    timestamp: stringAt(record, 'at') ?? given.fallbackTime,
  });
  state['leaf'] = id;
  return 'message';
}

function blockOf(record: unknown): Block | undefined {
  const call = stringAt(record, 'call');
  const said = stringAt(record, 'said');
  const name = stringAt(record, 'did');
  if (call !== undefined && name !== undefined)
    return { type: 'tool_use', tool_use_id: call, name, input: asJsonObject(objectAt(record, 'with') ?? {}) };
  if (call !== undefined && said !== undefined) return { type: 'tool_result', tool_use_id: call, content: said };
  return said === undefined ? undefined : { type: 'text', text: said };
}

const reader: Reader = {
  *discover(machine, home) {
    for (const { name, kind } of machine.list(home)) {
      const source = kind === 'file' ? sourceOf(`${home}/${name}`) : undefined;
      if (source !== undefined) yield source;
    }
  },
  sourceAt: (machine, path) =>
    isObject(JSON.parse(machine.readText(path)?.split('\n')[0] ?? 'null')) ? sourceOf(path) : undefined,
  fileOf: () => ({ kind: 'log' }),
  opaque: [],
  start: () => ({ leaf: null, told: null }),
  decode,
  settle(state, given) {
    if (state['told'] === state['leaf'] || typeof state['leaf'] !== 'string') return;
    given.sink.live({ op: 'leaf', id: state['leaf'] });
    state['told'] = state['leaf'];
  },
};

function* linesOf(step: Step, losses: Map<string, number>): Generator<WrittenLine> {
  if (step.kind === 'prompt') {
    for (const block of step.content) {
      if (block.type === 'text')
        yield { from: step.from, text: JSON.stringify({ who: 'me', said: block.text, at: step.timestamp }) };
      else lose(losses, 'image');
    }
    return;
  }
  for (const part of step.parts) {
    if (part.type === 'text')
      yield { from: part.from, text: JSON.stringify({ who: 'it', said: part.text, at: step.timestamp }) };
    else if (part.type === 'thinking') lose(losses, 'thinking');
    else {
      yield {
        from: part.from,
        text: JSON.stringify({ who: 'it', did: part.name, with: part.input, call: part.id, at: step.timestamp }),
      };
      yield {
        from: part.result.from ?? part.from,
        text: JSON.stringify({ who: 'tool', call: part.id, said: part.result.text, at: part.result.timestamp }),
      };
    }
  }
}

const writer: Writer = {
  minimumVersion: '1.0.0',
  provenVersion: '1.0.0',
  omits: ['model', 'tokens', 'exit-code', 'duration', 'interruption', 'git'],
  prepare: async (machine, request) => ({
    ...request,
    nativeId: request.nativeId ?? machine.uuid(),
    now: machine.now().toISOString(),
    toolVersion: '1.0.0',
    extra: {},
  }),
  write(session, given) {
    const losses = new Map<string, number>();
    const lines = function* (): Generator<WrittenLine> {
      yield { text: JSON.stringify({ title: session.title ?? 'Untitled', where: given.cwd }) };
      for (const step of conversation(session.messages, losses)) yield* linesOf(step, losses);
    };
    return {
      nativeId: given.nativeId,
      losses,
      files: [{ key: 'main', path: `${given.nativeId}.jsonl`, lines: { [Symbol.iterator]: lines } }],
    };
  },
  restore: (_files, given) => new Map([['main', `${given.nativeId}.jsonl`]]),
  live: () => false,
  launch: (nativeId) => ['diary', '--open', nativeId],
};

/** The whole tool. */
export const diary: Adapter = {
  id: 'diary',
  name: 'Diary',
  aliases: [],
  home: { env: [{ name: 'DIARY_HOME' }], default: { linux: '.diary' }, watch: ['.'] },
  install: { command: 'diary', versionArgs: ['--version'] },
  carries: ['text', 'tool_use', 'tool_result'],
  vocabulary: [],
  reader,
  writer,
};
