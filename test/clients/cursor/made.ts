/**
 * Chats of Cursor as sources of the matrix. Its editor needs an account to make one, so they are made here, row by row, in
 * the forms its versions have had: what is said in them is what the scripted model says to the other tools.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  call as rowOfCall,
  chatOf,
  Editor,
  type Said as Bubble,
  Store,
} from '../../../src/adapters/cursor/test-support.ts';
import type { ScriptCall } from '../../../src/adapters/drive.ts';
import type { HistoryItem } from '../model-server/history.ts';
import type { Recording } from '../record.ts';
import { allTurns, type Scenario, scenarios } from '../scenarios.ts';
import type { World } from '../world.ts';

/** One form of a chat. */
export type Made = {
  /** As the matrix names it. */
  readonly name: string;
  readonly scenario: Scenario;
  /** Makes the chat in the home of the world. */
  readonly make: (world: World) => Recording;
};

/** One thing that was said or done. */
type Step =
  | { readonly kind: 'prompt'; readonly text: string; readonly withImage: boolean }
  | { readonly kind: 'thinking'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'call';
      readonly id: string;
      readonly call: ScriptCall;
      readonly result: string;
      readonly failed: boolean;
      /** Calls that were made at once have the same. */
      readonly answer: string;
    };

const main = scenarios.find(({ name }) => name === 'main');

function scenario(name: string, turns: readonly string[]): Scenario {
  const steps = turns.flatMap((wanted) => {
    const turn = allTurns.find((one) => one.name === wanted);
    return turn === undefined ? [] : [{ do: 'type', turn } as const];
  });
  return { name, steps, elements: (main?.elements ?? []).filter(({ turn }) => turns.includes(turn)) };
}

const whole = scenario('chats', ['tour', 'thinking', 'tools', 'error', 'edit', 'agent', 'again']);
const words = scenario('words', ['tour', 'thinking', 'after']);

/** All forms, the oldest first. */
export const made: readonly Made[] = [
  {
    name: 'cursor@2023',
    scenario: words,
    make: (world) => recording('cursor@2023', 'tab-of-2023', tabOf(world, stepsOf(words))),
  },
  {
    name: 'cursor@0.45',
    scenario: whole,
    make: (world) => recording('cursor@0.45', 'chat-of-0-45', inlineOf(world, stepsOf(whole))),
  },
  {
    name: 'cursor@2.6',
    scenario: whole,
    make: (world) => recording('cursor@2.6', 'chat-of-2-6', rowsOf(world, stepsOf(whole))),
  },
  {
    name: 'cursor@3.19',
    scenario: whole,
    make: (world) => recording('cursor@3.19', 'chat-of-3-19', indexedOf(world, stepsOf(whole))),
  },
  {
    name: 'cursor',
    scenario: whole,
    make: (world) => recording('cursor', 'chat-of-cursor-agent', storeOf(world, stepsOf(whole))),
  },
];

function recording(name: string, nativeId: string, oracle: readonly HistoryItem[]): Recording {
  const drive = { protocol: 'anthropic-messages', spoken: (text: string) => text, sessionOf: () => undefined } as const;
  return { tool: { id: 'cursor', name, drive }, nativeId, oracle, reopens: false };
}

function stepsOf({ steps }: Scenario): readonly Step[] {
  let calls = 0;
  return steps.flatMap((each) => {
    if (!('turn' in each)) return [];
    const { turn } = each;
    const prompt: Step = { kind: 'prompt', text: turn.prompt, withImage: turn.name === 'again' };
    const said = turn.replies.flatMap((reply, round) =>
      reply.flatMap((step): Step[] => {
        if (step.type === 'stall') return [];
        if (step.type !== 'call') return [{ kind: step.type, text: step.text }];
        // A sub-agent of Cursor ends before its call does.
        if (step.call.do === 'await') return [];
        calls += 1;
        const id = `toolu_${calls}`;
        return [
          { kind: 'call', id, call: step.call, answer: `${turn.name}-${round}`, ...outcome(step.call, turn.awaits) },
        ];
      }),
    );
    return [prompt, ...said];
  });
}

function outcome(call: ScriptCall, report: string | undefined): { readonly result: string; readonly failed: boolean } {
  if (call.do === 'run' && call.command.includes('missing-ledger'))
    return { result: 'cat: missing-ledger.txt: No such file or directory\n', failed: true };
  if (call.do === 'run') return { result: 'papaya count\n2 notes.txt\n', failed: false };
  if (call.do === 'read') return { result: 'quince\npapaya\n', failed: false };
  return { result: report ?? 'The file was written.', failed: false };
}

/** How the editor's records and `cursor-agent`'s models spell a call. */
function spelled(
  call: ScriptCall,
  by: 'editor' | 'agent',
): readonly [name: string, input: Readonly<Record<string, unknown>>] {
  const [name, input] = spellings(call);
  return by === 'editor' ? [name[0], input[0]] : [name[1], input[1]];
}

type Both<T> = readonly [editor: T, agent: T];

function spellings(call: ScriptCall): readonly [name: Both<string>, input: Both<Readonly<Record<string, unknown>>>] {
  switch (call.do) {
    case 'run':
      return [
        ['run_terminal_cmd', 'Shell'],
        [{ command: call.command }, { command: call.command }],
      ];
    case 'read':
      return [
        ['read_file', 'Read'],
        [{ target_file: call.path }, { path: call.path }],
      ];
    case 'write': {
      const contents = `${call.lines.join('\n')}\n`;
      return [
        ['write', 'Write'],
        [
          { file_path: call.path, contents },
          { path: call.path, contents },
        ],
      ];
    }
    case 'edit': {
      const change = { old_string: call.before, new_string: call.after };
      return [
        ['search_replace', 'StrReplace'],
        [
          { file_path: call.path, ...change },
          { path: call.path, ...change },
        ],
      ];
    }
    case 'delegate': {
      const task = { description: call.name, prompt: call.task };
      return [
        ['task_v2', 'Task'],
        [task, { ...task, subagent_type: 'generalPurpose' }],
      ];
    }
    default:
      throw new Error(`no chat of Cursor makes the call "${call.do}"`);
  }
}

/** Calls that were made at once come before what they gave. */
function oracleOf(steps: readonly Step[], by: 'editor' | 'agent'): readonly HistoryItem[] {
  const items: HistoryItem[] = [];
  let results: HistoryItem[] = [];
  let answer: string | undefined;
  for (const step of steps) {
    if (step.kind === 'thinking') continue;
    if (step.kind !== 'call' || step.answer !== answer) {
      items.push(...results);
      results = [];
    }
    if (step.kind === 'prompt') items.push({ kind: 'user', text: step.text });
    if (step.kind === 'prompt' && step.withImage) items.push({ kind: 'image' });
    if (step.kind === 'text') items.push({ kind: 'assistant', text: step.text });
    if (step.kind !== 'call') continue;
    answer = step.answer;
    const [name, input] = spelled(step.call, by);
    items.push({ kind: 'call', id: step.id, name, input });
    results.push({ kind: 'result', id: step.id, text: step.result, ...(step.failed ? { isError: true } : {}) });
  }
  return [...items, ...results];
}

/** A chat of 2023, whole in one value of its workspace. */
function tabOf({ home, project }: World, steps: readonly Step[]): readonly HistoryItem[] {
  const folder = join(home, '.config/Cursor/User/workspaceStorage/0123456789abcdef');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'workspace.json'), JSON.stringify({ folder: `file://${project}` }));
  const bubbles = steps.flatMap((step, index) => {
    if (step.kind === 'prompt') return [{ type: 'user', id: `b${index}`, text: step.text }];
    return step.kind === 'text' ? [{ type: 'ai', id: `b${index}`, rawText: step.text, text: step.text }] : [];
  });
  const tabs = [{ tabId: 'tab-of-2023', chatTitle: 'The orchard', lastSendTime: 1_700_000_000_000, bubbles }];
  const database = new DatabaseSync(join(folder, 'state.vscdb'));
  database.exec('create table ItemTable (key text unique on conflict replace, value blob)');
  const key = 'workbench.panel.aichat.view.aichat.chatdata';
  database.prepare('insert into ItemTable values (?, ?)').run(key, JSON.stringify({ tabs }));
  database.close();
  return oracleOf(steps, 'editor');
}

/** The messages of the editor: one for each step. */
function bubblesOf({ image }: World, steps: readonly Step[]): readonly Bubble[] {
  return steps.map((step, index): Bubble => {
    const id = `b${String(index).padStart(3, '0')}`;
    if (step.kind === 'prompt')
      return { id, type: 1, text: step.text, images: step.withImage ? [{ path: image.path }] : [] };
    if (step.kind === 'thinking') return { id, capabilityType: 30, thinking: { text: step.text, signature: 'c2ln' } };
    if (step.kind === 'text') return { id, text: step.text };
    const [name, input] = spelled(step.call, 'editor');
    const result = JSON.stringify({ output: step.result });
    const more = { result, modelCallId: step.answer, ...(step.failed ? { status: 'error' } : {}) };
    return { id, capabilityType: 15, toolFormerData: rowOfCall(step.id, name, input, more) };
  });
}

/** A chat whose messages stand in one value, its calls in a string inside it. */
function inlineOf(world: World, steps: readonly Step[]): readonly HistoryItem[] {
  const editor = new Editor(world, 'delete');
  const bubbles = bubblesOf(world, steps).map(({ id, type = 2, toolFormerData, ...rest }) => ({
    bubble: { bubbleId: id, type, ...rest },
    toolFormerData,
  }));
  const data = Object.fromEntries(bubbles.map(({ bubble, toolFormerData }) => [bubble.bubbleId, toolFormerData]));
  const capabilities = [{ type: 15, data: { bubbleDataMap: JSON.stringify(data) } }];
  const conversation = bubbles.map(({ bubble }) => bubble);
  editor.put(
    'composerData:chat-of-0-45',
    chatOf('chat-of-0-45', [], { name: 'The orchard', conversation, capabilities }),
  );
  editor.close();
  return oracleOf(steps, 'editor');
}

/** A list of messages and a row for each. */
function rowsOf(world: World, steps: readonly Step[]): readonly HistoryItem[] {
  const editor = new Editor(world);
  editor.chat('chat-of-2-6', bubblesOf(world, steps), { name: 'The orchard' });
  editor.close();
  return oracleOf(steps, 'editor');
}

/** The same with a table that lists the chats and tells their folders. */
function indexedOf(world: World, steps: readonly Step[]): readonly HistoryItem[] {
  const editor = new Editor(world);
  const id = 'chat-of-3-19';
  editor.exec(`create table composerHeaders (composerId text primary key, workspaceId text, createdAt integer, lastUpdatedAt integer,
    isArchived integer, isSubagent integer, recency integer, checkpointAt integer, value text)`);
  const uri = { scheme: 'file', fsPath: world.project, path: world.project, external: `file://${world.project}` };
  const head = { composerId: id, name: 'The orchard', workspaceIdentifier: { id: '0123456789abcdef', uri } };
  editor.exec(
    `insert into composerHeaders values ('${id}', '0123456789abcdef', 1, 2, 0, 0, 3, 4, '${JSON.stringify(head)}')`,
  );
  editor.chat(id, bubblesOf(world, steps), { _v: 17, name: 'The orchard', isNAL: true, conversationState: '~' });
  editor.close();
  return oracleOf(steps, 'editor');
}

/** A chat of `cursor-agent`. */
function storeOf(world: World, steps: readonly Step[]): readonly HistoryItem[] {
  const store = new Store(world, 'chat-of-cursor-agent', { cwd: world.project, title: 'The orchard' });
  const messages: object[] = [{ role: 'system', content: 'You are an agent.' }];
  let parts: object[] = [];
  let results: object[] = [];
  let answer: string | undefined;
  const flush = (): void => {
    if (parts.length > 0) messages.push({ role: 'assistant', content: parts });
    messages.push(...results);
    parts = [];
    results = [];
  };
  for (const step of steps) {
    if (step.kind === 'prompt') {
      flush();
      const hex = Buffer.from(world.image.base64, 'base64').toString('hex');
      const image = { type: 'image', image: { __type: 'Uint8Array', hex }, mimeType: 'image/png' };
      const text = { type: 'text', text: `<user_query>\n${step.text}\n</user_query>` };
      messages.push({ role: 'user', content: [text, ...(step.withImage ? [image] : [])] });
    } else if (step.kind === 'call') {
      if (step.answer !== answer && results.length > 0) flush();
      answer = step.answer;
      const [toolName, args] = spelled(step.call, 'agent');
      parts.push({ type: 'tool-call', toolCallId: step.id, toolName, args });
      const failed = step.failed ? { isError: true } : {};
      const result = { type: 'tool-result', toolCallId: step.id, toolName, result: step.result, ...failed };
      results.push({ role: 'tool', id: step.id, content: [result] });
    } else {
      if (results.length > 0) flush();
      parts.push(
        step.kind === 'text'
          ? { type: 'text', text: step.text }
          : { type: 'reasoning', text: step.text, signature: 'c2ln' },
      );
    }
  }
  flush();
  store.state(messages);
  store.close();
  return oracleOf(steps, 'agent');
}
