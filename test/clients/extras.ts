/** What is done with a session in a target besides resuming it: within a budget, as a fork, and onward to a third tool. */

import { join } from 'node:path';
import { bothSides, type Check, checkHistory, checkValid, readingOf } from './check-history.ts';
import { difference } from './compare.ts';
import type { Pair } from './matrix.ts';
import type { HistoryItem } from './model-server/history.ts';
import { headlessTurn } from './record.ts';
import { allTurns, type Extra, onward } from './scenarios.ts';
import { finalText, markersIn } from './script.ts';
import { fork, importAll, list, type Listed, type Resumed, resume, spoken } from './sfs.ts';

/** What an extra starts from: the session, what was said in it, and what the pair's resume made of it. */
export type Start = {
  readonly origin: Listed;
  readonly said: HistoryItem[];
  readonly resumed: Resumed;
};

/** Runs one extra and records its checks. Throws when a program fails. */
export function runExtra(pair: Pair, start: Start, extra: Extra, check: Check): Promise<void> {
  switch (extra.do) {
    case 'budget':
      return budget(pair, start, extra, check);
    case 'fork':
      return forked(pair, start, extra, check);
    case 'relay':
      return relay(pair, start, check);
    default:
      return extra satisfies never;
  }
}

/** Words of what stands in place of an output, and of turns, that a budget left out. */
const placeholders = { output: 'left out to fit the budget', turns: 'left out here to fit the budget' } as const;

/** Outputs longer than this are those that a budget shortens. */
const largeLength = 4096;

/** What was left out is the oldest, and the model is told so; every other turn is whole, each call with its result. */
async function budget(
  { world, source, target }: Pair,
  { origin, said }: Start,
  { tokens, leavesOut }: Extract<Extra, { do: 'budget' }>,
  check: Check,
): Promise<void> {
  const resumed = await resume(world, origin.session_id, target.id, { budget: tokens });
  const left = resumed.budget;
  const large = said.filter((item) => item.kind === 'result' && item.text.length > largeLength).length;
  check(
    'budget',
    left.after <= tokens && (leavesOut === 'turns' ? left.turns > 0 : left.outputs === large && left.messages === 0),
    () =>
      `of ${large} large outputs, within ${tokens} tokens, ${leavesOut} were to be left out, but sfs says ${JSON.stringify(left)}`,
  );
  const exchange = await headlessTurn(world, target, resumed.command, onward, false);
  const through = [source.tool, target];
  const shortened = said.map((item): HistoryItem =>
    item.kind === 'result' && item.text.length > largeLength ? { ...item, text: placeholders.output } : item,
  );
  const sides = bothSides({ said: shortened, turn: onward, exchange, through });
  const expected = sides.expected.filter(({ turn }) => turn !== '').slice(left.turns);
  const got = sides.got.filter(({ turn }) => turn !== '');
  const names = (turns: typeof got) => turns.map(({ turn }) => turn).join(' ');
  check('budget', names(got) === names(expected), () => `turns ${names(got)}, not ${names(expected)}`);
  for (const [at, segment] of expected.entries()) {
    const found = difference(segment, got[at], readingOf(through));
    check('budget', found === undefined, () => `turn "${segment.turn}": ${JSON.stringify(found)}`);
  }
  const isTold = exchange.history.some((item) => 'text' in item && item.text.includes(placeholders.turns));
  check('budget', isTold === left.messages > 0, () => `the notice of what was left out is there: ${isTold}`);
  checkValid(exchange, 'budget', check);
  // With nothing to leave out its own tool has gone on with the session itself.
  if (resumed.native_id === origin.native_id)
    said.push({ kind: 'user', text: onward.prompt }, { kind: 'assistant', text: finalText(onward) });
}

/** A fork has everything up to its point and nothing beyond. */
async function forked(
  pair: Pair,
  { origin, said }: Start,
  { checkpoint, until }: Extract<Extra, { do: 'fork' }>,
  check: Check,
): Promise<void> {
  const { world, source, target } = pair;
  const where = checkpoint === undefined ? { message: await answerOf(pair, origin, until) } : { checkpoint };
  const id = await fork(world, origin.session_id, where);
  const resumed = await resume(world, id, target.id);
  const exchange = await headlessTurn(world, target, resumed.command, onward, false);
  const through = [source.tool, target];
  checkHistory(pair, { said: upTo(said, until), turn: onward, exchange, through, as: 'fork' }, check);
}

/** Id of the message that ends the turn. */
async function answerOf({ world }: Pair, origin: Listed, name: string): Promise<string> {
  const turn = allTurns.find((each) => each.name === name);
  const text = turn === undefined ? '' : finalText(turn);
  const found = (await spoken(world, origin.session_id)).find(
    (each) => each.role === 'assistant' && each.text === text,
  );
  if (found === undefined) throw new Error(`sfs show does not have the answer "${text}"`);
  return found.id;
}

/** Up to the prompt after the turn. */
function upTo(said: readonly HistoryItem[], name: string): readonly HistoryItem[] {
  const isPrompt = (item: HistoryItem) => item.kind === 'user' && markersIn(item.text).length > 0;
  const begins = said.findIndex((item) => item.kind === 'user' && markersIn(item.text).includes(name));
  const ends = said.findIndex((item, at) => at > begins && isPrompt(item));
  return ends === -1 ? said : said.slice(0, ends);
}

/** On a machine that knows nothing but the target's files the session is the same, and goes on in a third tool. */
async function relay(pair: Pair, { origin, said, resumed }: Start, check: Check): Promise<void> {
  const { world, source, target } = pair;
  const other = (than: readonly string[]) => world.tools.find(({ id }) => !than.includes(id));
  const next = other([target.id, source.tool.id]) ?? other([target.id]) ?? target;
  const store = join(world.store, '..', `store-of-${target.id}`);
  await importAll(world, store);
  const there = (await list(world, store)).find(
    ({ tool, native_id }) => tool === target.id && native_id === resumed.native_id,
  );
  if (there === undefined) throw new Error(`a fresh store does not list ${target.id} session ${resumed.native_id}`);
  const interrupted = async (id: string, from?: string) =>
    (await spoken(world, id, from)).filter(({ stopReason }) => stopReason === 'interrupted').length;
  const [before, after] = [await interrupted(origin.session_id), await interrupted(there.session_id, store)];
  const kept = target.drive.forgetsInterruption ? 0 : before;
  check('relay', after === kept, () => `answers that were interrupted: ${after} in ${target.id}'s files, not ${kept}`);

  await world.install(next);
  const onwards = await resume(world, there.session_id, next.id, { store });
  const exchange = await headlessTurn(world, next, onwards.command, onward, false);
  checkHistory(pair, { said, turn: onward, exchange, through: [source.tool, target, next], as: 'relay' }, check);
  // So that it is no news to the next pair of this world.
  await importAll(world);
}
