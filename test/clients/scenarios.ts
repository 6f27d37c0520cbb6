/** The conversations that every tool is driven through. Fruit names make each piece easy to tell apart. */

import type { ScriptCall } from '../../src/adapters/drive.ts';
import type { Column } from './checks.ts';
import { marker, type ScriptReply, type ScriptStep, type ScriptTurn } from './script.ts';

/** A source session: turns typed into the interactive tool, and what happens besides. */
export type Scenario = {
  readonly name: string;
  /** Recorded with older versions too, and resumed in them. */
  readonly older?: true;
  /** Elements of the matrix this scenario proves, each with the turn it is looked for in. */
  readonly elements: readonly { readonly name: Column; readonly turn: string }[];
  /** Puts all its checks into one column. */
  readonly column?: Column;
  /** Resumed three times over in each target, and looked for in its list; else once. */
  readonly thorough?: true;
  readonly steps: readonly ScenarioStep[];
  /** The tool is told to keep outputs of any size; tools that cannot do not take part. */
  readonly keepsOutputs?: true;
  /** What else is done with the session in each target. */
  readonly also?: readonly Extra[];
};

/**
 * `budget`: resumed within so many tokens, and what that may leave out. `fork`: forked at a checkpoint or after the answer
 * of a turn, up to which the fork has everything, and resumed. `relay`: the target's files are captured into an empty store,
 * as on another machine, and resumed in a third tool.
 */
export type Extra =
  | { readonly do: 'budget'; readonly tokens: number; readonly leavesOut: 'outputs' | 'turns' }
  | { readonly do: 'fork'; readonly checkpoint?: string; readonly until: string }
  | { readonly do: 'relay' };

/**
 * `type`: typed into the interactive session. `compact`: the tool's compaction command. `interrupt`: typed, then broken
 * off while its call runs or its answer comes. `resume`: the interactive session ends; a headless native resume carries on. `checkpoint`: it
 * ends, and `sfs checkpoint` keeps where it is. `snapshot`: the tool's own command that saves the conversation under a name,
 * which is the session from then on; tools without such a command do not take part.
 */
export type ScenarioStep =
  | { readonly do: 'type'; readonly turn: ScriptTurn }
  | { readonly do: 'interrupt'; readonly turn: ScriptTurn }
  | { readonly do: 'compact' }
  | { readonly do: 'checkpoint'; readonly name: string }
  | { readonly do: 'snapshot'; readonly name: string }
  | { readonly do: 'resume'; readonly turn: ScriptTurn; readonly withImage?: true };

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

/** A tool of the source's MCP server: nobody else has it, and no vocabulary knows it. */
export const foreignTool = 'prune';

const foreign = turn(
  'foreign',
  'Prune the medlar.',
  [
    say('I will prune it.'),
    call({ do: 'use', tool: foreignTool, input: { tree: 'medlar', cuts: { deep: ['old wood'], count: 3 } } }),
  ],
  [say('The medlar is pruned.')],
);

/** 60,000 lines, 2 MB: each tool keeps of it what its own limits allow. */
const large = turn(
  'large',
  'Print the harvest ledger.',
  [call({ do: 'run', command: "seq -f 'row %07.0f of the harvest ledger' 1 60000" })],
  [say('The ledger is long.')],
);

/** Outside the Basic Multilingual Plane, right to left, combining, joined, a line separator; ESC and BEL. */
const oddWords =
  '\u{1F95D} \u05E9\u05DC\u05D5\u05DD nai\u0308ve \u{1F469}\u200D\u{1F33E} one\u2028two \u001B[31mred\u001B[0m bell\u0007';

/** The same without joiners, which Gemini CLI cuts from answers; and half a character, as a stream that broke leaves it. */
const oddAnswer = 'A \u{1F34B}, \u05DC\u05D9\u05DE\u05D5\u05DF, cafe\u0301, one\u2028two, and half of a pear: \uD83C.';

const odd = turn(
  'odd',
  `Repeat this: ${oddWords}.`,
  [
    say(oddAnswer),
    call({
      do: 'run',
      command: String.raw`printf 'esc \033[31mred\033[0m bell \007 nul \000 line \342\200\250 pear \360\237\215\220 half \377 end\n'`,
    }),
  ],
  [say('That was odd.')],
);

const broken = turn('broken', 'Tell me about the fig.', [
  say('Figs are old trees.\n\nThe fig in our'),
  { type: 'stall' },
]);

/** Everything a session usually holds, typed interactively, then resumed once by the tool itself. */
const main: Scenario = {
  name: 'main',
  older: true,
  thorough: true,
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
    { do: 'resume', turn: again, withImage: true },
  ],
};

const compaction: Scenario = {
  name: 'compaction',
  elements: [],
  column: 'compaction',
  steps: [{ do: 'type', turn: tour }, { do: 'type', turn: count }, { do: 'compact' }, { do: 'type', turn: after }],
};

const interruption: Scenario = {
  name: 'interruption',
  elements: [],
  column: 'interrupt',
  also: [{ do: 'relay' }],
  steps: [
    { do: 'type', turn: tour },
    { do: 'interrupt', turn: broken },
    { do: 'interrupt', turn: hold },
    { do: 'type', turn: after },
  ],
};

/** What is rare, large or odd, and what SessionFS itself does to a session before it is resumed. */
const edges: Scenario = {
  name: 'edges',
  elements: [
    { name: 'foreign', turn: 'foreign' },
    { name: 'large', turn: 'large' },
    { name: 'unicode', turn: 'odd' },
  ],
  steps: [
    ...[tour, foreign, large].map((each) => ({ do: 'type', turn: each }) as const),
    { do: 'checkpoint', name: 'before-odd' },
    { do: 'resume', turn: odd },
  ],
  also: [
    { do: 'budget', tokens: 3000, leavesOut: 'outputs' },
    { do: 'budget', tokens: 700, leavesOut: 'turns' },
    { do: 'fork', until: 'foreign' },
    { do: 'fork', checkpoint: 'before-odd', until: 'large' },
  ],
};

/** The 2 MB, all of them. */
const huge: Scenario = {
  name: 'huge',
  elements: [],
  column: 'huge',
  keepsOutputs: true,
  steps: [
    { do: 'type', turn: tour },
    { do: 'type', turn: large },
  ],
};

const snapshot: Scenario = {
  name: 'snapshot',
  elements: [],
  column: 'snapshot',
  steps: [
    { do: 'type', turn: tour },
    { do: 'type', turn: count },
    { do: 'snapshot', name: 'kept-orchard' },
  ],
};

/** All source sessions, in the order they are recorded. */
export const scenarios: readonly Scenario[] = [main, edges, huge, compaction, interruption, snapshot];

/** What is said while the daemon watches: typed one by one, then by a resume of the tool itself. */
export const watched: { readonly typed: readonly ScriptTurn[]; readonly resumed: ScriptTurn } = {
  typed: [tour, tools, error, edit, count],
  resumed: after,
};

/** The prompt after a budget, a fork and a relay. */
export const onward = turn('onward', 'Go on from here.', [say('On it goes: the jujube comes next.')]);

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
  onward,
  ...continuations,
];

/** Part of every scripted compaction summary. */
export const summaryWords = 'The orchard summary';

/** Files that lie in a fresh project. */
export const projectFiles: Readonly<Record<string, string>> = { 'notes.txt': 'quince\npapaya\n' };

/** A 16×16 PNG, base64: `tree.png` of a fresh project. */
export const treePng =
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGM4ISdHEmIY1TCqYfhqAADkYgQQ60fIxgAAAABJRU5ErkJggg==';
