/** The conversations that every tool is driven through. Fruit names make each piece easy to tell apart. */

import type { ScriptCall } from '../../src/adapters/drive.ts';
import { marker, type ScriptReply, type ScriptStep, type ScriptTurn } from './script.ts';

/** A source session: turns typed into the interactive tool, and what happens besides. */
export type Scenario = {
  readonly name: 'main' | 'compaction' | 'interruption';
  /** Elements of the matrix this scenario proves, each with the turn it is looked for in. */
  readonly elements: readonly { readonly name: string; readonly turn: string }[];
  readonly steps: readonly ScenarioStep[];
};

/**
 * `type`: typed into the interactive session. `compact`: the tool's compaction command. `interrupt`: typed, then broken
 * off while its call runs. `resume`: the interactive session ends; a headless native resume carries on, with an image.
 */
export type ScenarioStep =
  | { readonly do: 'type'; readonly turn: ScriptTurn }
  | { readonly do: 'interrupt'; readonly turn: ScriptTurn }
  | { readonly do: 'compact' }
  | { readonly do: 'resume'; readonly turn: ScriptTurn };

const think = (text: string): ScriptStep => ({ type: 'thinking', text });
const say = (text: string): ScriptStep => ({ type: 'text', text });
const call = (what: ScriptCall): ScriptStep => ({ type: 'call', call: what });

function turn(name: string, words: string, ...replies: readonly ScriptReply[]): ScriptTurn {
  return { name, prompt: `${words} ${marker(name)}`, replies };
}

const tour = turn('tour', 'Give me a short tour of the orchard.', [
  say('It is a small orchard; notes.txt lists its trees.'),
]);

const thinking = turn('thinking', 'Name the oldest tree.', [
  think('**Weighing the trees**\n\nThe quince was planted first, long before the papaya.'),
  say('The quince is the oldest tree.'),
]);

const tools = turn(
  'tools',
  'Count the trees and read the notes.',
  [
    think('**Planning**\n\nCounting and reading do not depend on each other.'),
    say('I will count and read at the same time.'),
    call({ do: 'run', command: 'echo papaya count; wc -l notes.txt' }),
    call({ do: 'read', path: 'notes.txt' }),
  ],
  [say('There are two trees in the notes.')],
);

const error = turn(
  'error',
  'Open the old ledger.',
  [call({ do: 'run', command: 'cat missing-ledger.txt; exit 3' })],
  [say('The old ledger is missing.')],
);

const edit = turn(
  'edit',
  'Write a shopping list and then correct it.',
  [say('First the list.'), call({ do: 'write', path: 'list.txt', lines: ['damson', 'medlar'] })],
  [call({ do: 'edit', path: 'list.txt', before: 'medlar', after: 'loquat' })],
  [say('The list now ends with loquat.')],
);

const image = turn(
  'image',
  'Look at the picture of the tree.',
  [call({ do: 'look', path: 'tree.png' })],
  [say('The picture shows a blue square.')],
);

/** What a sub-agent reports. */
const report = 'The mulberry feels fine.';

const helper = turn('helper', 'Ask the trees how they feel and report.', [
  say(report),
  call({ do: 'report', text: report }),
]);

const agent: ScriptTurn = {
  ...turn(
    'agent',
    'Let a helper ask the trees.',
    [call({ do: 'delegate', name: 'Ask the trees', task: helper.prompt })],
    [call({ do: 'await' })],
    [say('The helper is back with good news.')],
  ),
  awaits: report,
};

const again = turn('again', 'And what does this picture show?', [
  think('**Comparing**\n\nIt is the same square as before.'),
  say('The same blue square again.'),
]);

const count = turn(
  'count',
  'Count the notes.',
  [say('Counting.'), call({ do: 'run', command: 'echo sorrel; wc -l notes.txt' })],
  [say('The notes have two lines.')],
);

const after = turn('after', 'Now name a fruit.', [say('Physalis is a fruit.')]);

/** Appears in the project when the call that will be interrupted runs. */
export const holdingFile = 'watching.txt';

const hold = turn(
  'hold',
  'Watch the notes for changes.',
  [say('I will watch the notes.'), call({ do: 'run', command: `touch ${holdingFile}; timeout 300 tail -f notes.txt` })],
  [say('This is never said.')],
);

/** Everything a session usually holds, typed interactively, then resumed once by the tool itself. */
const main: Scenario = {
  name: 'main',
  elements: [
    { name: 'text', turn: 'tour' },
    { name: 'thinking', turn: 'thinking' },
    { name: 'parallel', turn: 'tools' },
    { name: 'error', turn: 'error' },
    { name: 'edit', turn: 'edit' },
    { name: 'image', turn: 'image' },
    { name: 'agent', turn: 'agent' },
    { name: 'multi-turn', turn: 'again' },
  ],
  steps: [
    ...[tour, thinking, tools, error, edit, image, agent].map((each) => ({ do: 'type', turn: each }) as const),
    { do: 'resume', turn: again },
  ],
};

const compaction: Scenario = {
  name: 'compaction',
  elements: [{ name: 'compaction', turn: 'after' }],
  steps: [{ do: 'type', turn: tour }, { do: 'type', turn: count }, { do: 'compact' }, { do: 'type', turn: after }],
};

const interruption: Scenario = {
  name: 'interruption',
  elements: [{ name: 'interrupt', turn: 'after' }],
  steps: [
    { do: 'type', turn: tour },
    { do: 'interrupt', turn: hold },
    { do: 'type', turn: after },
  ],
};

/** All source sessions, in the order they are recorded. */
export const scenarios: readonly Scenario[] = [main, compaction, interruption];

/** The prompts of the resumes that follow in a target tool. */
export const continuations: readonly ScriptTurn[] = [
  turn('go-on-1', 'Carry on with the orchard.', [say('Carrying on: the kumquat is next.')]),
  turn('go-on-2', 'Carry on once more.', [say('Once more: the tamarind comes after it.')]),
  turn(
    'go-on-3',
    'Finish with one more count.',
    [say('One more count.'), call({ do: 'run', command: 'echo feijoa; wc -l notes.txt' })],
    [say('Still two lines.')],
  ),
];

/** Every turn the model server has to answer. */
export const allTurns: readonly ScriptTurn[] = [
  ...scenarios.flatMap(({ steps }) => steps.flatMap((step) => ('turn' in step ? [step.turn] : []))),
  helper,
  ...continuations,
];

/** Part of every scripted compaction summary. */
export const summaryWords = 'The orchard summary';

/** Files that lie in a fresh project. */
export const projectFiles: Readonly<Record<string, string>> = { 'notes.txt': 'quince\npapaya\n' };

/** A 16×16 PNG, base64: `tree.png` of a fresh project. */
export const treePng =
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGM4ISdHEmIY1TCqYfhqAADkYgQQ60fIxgAAAABJRU5ErkJggg==';
