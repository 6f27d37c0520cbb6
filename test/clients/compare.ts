/** Compares two histories: what a source tool's model saw, and what a target tool sends on. */

import type { HistoryItem } from './model-server/history.ts';
import { allTurns, foreignTool, summaryWords } from './scenarios.ts';
import { markersIn, type ScriptTurn } from './script.ts';

/** How the comparison reads both sides. */
export type Reading = {
  /** Cuts what any of the tools adds by itself. */
  readonly spoken: (text: string) => string;
  /** True when the target's protocol marks failed results; else marks are not compared. */
  readonly marksErrors: boolean;
  /** What stands where the target has cut a result. */
  readonly cut: RegExp | undefined;
};

/** A history without context, cut at the prompts. */
export type Segment = {
  /** The scripted turn's name; several joined with `+` where prompts were merged; `""` before the first prompt. */
  readonly turn: string;
  readonly items: readonly Plain[];
  /** All texts of the segment, context included. */
  readonly everything: string;
};

/** A history item after reading: whitespace squashed, call ids resolved to pairs. */
export type Plain =
  | { readonly kind: 'user' | 'assistant'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly strings: readonly string[] }
  | { readonly kind: 'result'; readonly text: string; readonly failed: boolean; readonly answers: number }
  | { readonly kind: 'image' };

/** The first difference of two segments; texts for people. */
export type Difference = { readonly expected: string; readonly got: string };

/** Keeps of each call and each result the first: a vendor's own resume may have sent them again. */
export function withoutRepeats(items: readonly HistoryItem[]): readonly HistoryItem[] {
  const seen = new Set<string>();
  let repeated = false;
  return items.filter((item) => {
    if (item.kind === 'image') return !repeated;
    repeated = false;
    if (item.kind !== 'call' && item.kind !== 'result') return true;
    const key = `${item.kind} ${item.id}`;
    repeated = seen.has(key);
    seen.add(key);
    return !repeated;
  });
}

/** Cuts a history into segments, one for each user prompt that carries a marker. */
export function segments(items: readonly HistoryItem[], { spoken }: Reading): readonly Segment[] {
  const found: { turn: string; items: HistoryItem[] }[] = [{ turn: '', items: [] }];
  for (const item of items) {
    const last = found.at(-1);
    if (last === undefined) break;
    const names = item.kind === 'user' ? markersIn(spoken(item.text)) : [];
    if (names.length === 0) {
      last.items.push(item);
    } else if (last.turn !== '' && last.items.every(isPrompt)) {
      // Two prompts with nothing between them: the first was never answered.
      last.turn = [last.turn, ...names].join('+');
      last.items.push(item);
    } else {
      found.push({ turn: names.join('+'), items: [...takeLeadingImages(last.items), item] });
    }
  }
  return found
    .map(({ turn, items: own }) => ({
      turn,
      items: plain(own, spoken),
      everything: squash(own.map((item) => ('text' in item ? item.text : '')).join(' ')),
    }))
    .filter(({ turn, items: own }) => turn !== '' || own.length > 0);
}

function isPrompt({ kind }: HistoryItem): boolean {
  return kind === 'user' || kind === 'context' || kind === 'image';
}

/** Some tools send the image of a prompt before its text: what follows the last answer belongs to the next prompt. */
function takeLeadingImages(items: HistoryItem[]): readonly HistoryItem[] {
  const answer = items.findLastIndex((item) => !isPrompt(item));
  return items[answer]?.kind === 'assistant' ? items.splice(answer + 1) : [];
}

/** The first place where `got` differs from `expected`; `undefined` when it holds everything once, in order, paired. */
export function difference(expected: Segment, got: Segment | undefined, reading: Reading): Difference | undefined {
  for (let at = 0; at < Math.max(expected.items.length, got?.items.length ?? 0); at += 1) {
    const wanted = expected.items[at];
    const found = got?.items[at];
    if (wanted === undefined || found === undefined || !matches(wanted, found, reading)) {
      return describe(wanted, found);
    }
  }
  const awaited = turnNamed(expected.turn)?.awaits;
  if (awaited !== undefined && got?.everything.includes(awaited) === false) {
    return { expected: `"${awaited}" somewhere in turn "${expected.turn}"`, got: 'nowhere' };
  }
  return undefined;
}

/** Names of the turns in order, to see that nothing is missing, doubled or moved. */
export function turnOrder(found: readonly Segment[]): string {
  return found.map(({ turn }) => turn || '(before)').join(' ');
}

function turnNamed(name: string): ScriptTurn | undefined {
  return allTurns.find((turn) => turn.name === name);
}

function plain(items: readonly HistoryItem[], spoken: (text: string) => string): readonly Plain[] {
  const said = items.flatMap((item): HistoryItem[] => {
    if (item.kind === 'context') return [];
    if (item.kind !== 'user' && item.kind !== 'assistant') return [item];
    const text = spoken(item.text);
    return text === '' ? [] : [{ kind: item.kind, text }];
  });
  return mergeTexts(sortRuns(said)).map((item, _at, all) => plainItem(item, all));
}

/**
 * Tools differ in the order of parallel results, and in where the image of a prompt or a result stands. Within a run of
 * results they are put into the order of their calls, and images go to the end of the run.
 */
function sortRuns(items: readonly HistoryItem[]): readonly HistoryItem[] {
  const callOrder = items.flatMap((item) => (item.kind === 'call' ? [item.id] : []));
  const side = ({ kind }: HistoryItem) => (kind === 'image' || kind === 'user' || kind === 'result' ? 'in' : kind);
  const rank = (item: HistoryItem) => {
    if (item.kind === 'result') return callOrder.indexOf(item.id);
    return item.kind === 'image' ? callOrder.length + 1 : callOrder.length;
  };
  const runs: HistoryItem[][] = [];
  for (const item of items) {
    const run = runs.at(-1);
    const first = run?.[0];
    if (run !== undefined && first !== undefined && side(first) === side(item)) run.push(item);
    else runs.push([item]);
  }
  return runs.flatMap((run) =>
    run[0] !== undefined && side(run[0]) === 'in' ? run.toSorted((a, b) => rank(a) - rank(b)) : run,
  );
}

/** Two user or two assistant texts in a row are one. */
function mergeTexts(items: readonly HistoryItem[]): readonly HistoryItem[] {
  const merged: HistoryItem[] = [];
  for (const item of items) {
    const last = merged.at(-1);
    if ((item.kind === 'user' || item.kind === 'assistant') && last?.kind === item.kind) {
      merged[merged.length - 1] = { kind: item.kind, text: `${last.text}\n${item.text}` };
    } else {
      merged.push(item);
    }
  }
  return merged;
}

function plainItem(item: HistoryItem, all: readonly HistoryItem[]): Plain {
  switch (item.kind) {
    case 'user':
    case 'assistant':
    case 'context':
      return { kind: item.kind === 'assistant' ? 'assistant' : 'user', text: squash(item.text) };
    case 'call':
      return { kind: 'call', name: item.name, strings: leafStrings(item.input).map(squash) };
    case 'result': {
      const calls = all.filter(({ kind }) => kind === 'call');
      const answers = calls.findIndex((call) => call.kind === 'call' && call.id === item.id);
      return { kind: 'result', text: squash(item.text), failed: item.isError === true, answers };
    }
    case 'image':
      return { kind: 'image' };
    default:
      return item satisfies never;
  }
}

function matches(expected: Plain, got: Plain, { marksErrors, cut }: Reading): boolean {
  switch (expected.kind) {
    case 'user':
    case 'assistant':
      if (got.kind !== expected.kind) return false;
      // A summary comes with the tool's own words around it.
      if (expected.text.includes(summaryWords)) return got.text.includes(summaryWords);
      return got.text === expected.text;
    case 'call':
      if (got.kind !== 'call') return false;
      // A call that no vocabulary knows keeps its name, whatever is put before it.
      if (expected.name.includes(foreignTool) && !got.name.includes(foreignTool)) return false;
      return significant(expected.strings).every((words) => holds(got.strings, words));
    case 'result':
      if (got.kind !== 'result' || got.answers !== expected.answers) return false;
      if (marksErrors && expected.failed && !got.failed) return false;
      return got.text.includes(expected.text) || (cut !== undefined && isCutOf(expected.text, got.text, cut));
    case 'image':
      return got.kind === 'image';
    default:
      return expected satisfies never;
  }
}

/** Head and tail of the text, ten thousand characters of each at least. */
function isCutOf(text: string, got: string, cut: RegExp): boolean {
  const [head = '', tail = '', ...more] = got.split(cut);
  const isLong = head.length > 10_000 && tail.length > 10_000 && more.length === 0;
  return isLong && text.startsWith(head) && text.endsWith(tail);
}

/** What every spelling of a call has to hold: the scripted phrases in it; all its strings where it has none. */
function significant(strings: readonly string[]): readonly string[] {
  const scripted = phrases.filter((phrase) => holds(strings, phrase));
  return scripted.length > 0 ? scripted : strings;
}

function holds(strings: readonly string[], words: string): boolean {
  return strings.some((each) => each.includes(words));
}

/** The commands, file names, lines and tasks of the scripted calls. */
const phrases: readonly string[] = allTurns
  .flatMap(({ replies }) => replies.flat())
  .flatMap((step) => (step.type === 'call' ? leafStrings({ ...step.call, do: '' }) : []))
  .map(squash)
  .filter((phrase) => phrase !== '');

function leafStrings(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(leafStrings);
}

/** Half a character is no character on the other side; a line separator is not just white space. */
function squash(text: string): string {
  return text
    .toWellFormed()
    .replace(/[ \t\r\n]+/g, ' ')
    .trim();
}

/** Both items as JSON; long equal beginnings are left out. */
function describe(expected: Plain | undefined, got: Plain | undefined): Difference {
  const texts = [expected, got].map((item) => (item === undefined ? 'nothing more' : JSON.stringify(item)));
  const [first = '', second = ''] = texts;
  let same = 0;
  while (same < first.length && first[same] === second[same]) same += 1;
  const from = Math.max(0, same - 120);
  const cut = (text: string) => `${from > 0 ? '…' : ''}${text.slice(from, from + 500)}`;
  return { expected: cut(first), got: cut(second) };
}
