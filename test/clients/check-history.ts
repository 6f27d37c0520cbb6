/** Checks one recorded request of a target tool against everything that has been said so far. */

import type { Column } from './checks.ts';
import { difference, type Reading, type Segment, segments, turnOrder } from './compare.ts';
import type { HistoryItem } from './model-server/history.ts';
import type { Exchange } from './model-server/server.ts';
import type { Pair } from './matrix.ts';
import type { Speaker } from './record.ts';
import type { ScriptTurn } from './script.ts';

/** Records one check of the pair; `why` is only asked when it failed. Returns `ok`. */
export type Check = (column: Column, ok: boolean, why: () => string) => boolean;

/** A request, as far as it is looked at. */
export type Sent = Pick<Exchange, 'number' | 'history' | 'violations'>;

/** What one request is held against. */
export type Asked = {
  /** Everything said before, in the order it was said. */
  readonly said: readonly HistoryItem[];
  /** The turn whose prompt ends the request; absent where the request is for the summary of a compaction. */
  readonly turn?: ScriptTurn;
  readonly exchange: Sent;
  /** The tools that it has gone through. */
  readonly through: readonly Speaker[];
  /** Puts all checks into one column. */
  readonly as?: Column | undefined;
};

/** Every turn is there, whole and in order, and the request is one that the vendor's service takes. */
export function checkHistory(
  { scenario }: Pick<Pair, 'scenario'>,
  { said, turn, exchange, through, as }: Asked,
  check: Check,
): void {
  const reading = readingOf(through);
  const { expected, got } = bothSides({ said, exchange, through, ...(turn === undefined ? {} : { turn }) });
  for (const segment of expected) {
    const element = scenario.elements.find((each) => each.turn === segment.turn)?.name;
    const found = difference(
      segment,
      got.find((each) => each.turn === segment.turn),
      reading,
    );
    check(as ?? element ?? 'order', found === undefined, () => {
      const { expected: wanted = '', got: instead = '' } = found ?? {};
      return `turn "${segment.turn}", request ${exchange.number}\n    expected ${wanted}\n    got      ${instead}`;
    });
  }
  const order = { expected: turnOrder(expected), got: turnOrder(got) };
  check(
    as ?? 'order',
    order.expected === order.got,
    () => `order of turns\n    expected ${order.expected}\n    got      ${order.got}`,
  );
  checkValid(exchange, as, check);
}

/** The vendor's service would take the request: calls paired, roles in turn, nothing empty. */
export function checkValid(exchange: Sent, as: Column | undefined, check: Check): void {
  const { number, violations } = exchange;
  check(as ?? 'valid', violations.length === 0, () => `request ${number}: ${violations.join('; ')}`);
}

/** What was said and what was sent, cut into turns. */
export function bothSides({ said, turn, exchange, through }: Asked): {
  readonly expected: readonly Segment[];
  readonly got: readonly Segment[];
} {
  const reading = readingOf(through);
  if (turn === undefined) {
    const asksForSummary = exchange.history.findLastIndex(({ kind }) => kind === 'user');
    return { expected: segments(said, reading), got: segments(exchange.history.slice(0, asksForSummary), reading) };
  }
  return {
    expected: segments([...said, { kind: 'user', text: turn.prompt }], reading),
    got: segments(promptedPart(exchange.history, turn, reading), reading),
  };
}

/** The history up to the prompt of the turn, that prompt included. */
function promptedPart(history: readonly HistoryItem[], turn: ScriptTurn, { spoken }: Reading): readonly HistoryItem[] {
  const prompt = history.findLastIndex((item) => item.kind === 'user' && spoken(item.text).includes(turn.prompt));
  return history.slice(0, prompt + 1);
}

/** What any of the tools adds by itself is cut. Marks of failed results are lost where a protocol that has none was passed. */
export function readingOf(through: readonly Speaker[]): Reading {
  const [first] = through;
  return {
    cut: through.at(-1)?.drive.cut,
    spoken: (text) => through.reduce((rest, { drive }) => drive.spoken(rest), text),
    marksErrors: through.every(
      ({ drive: { protocol } }) => protocol === first?.drive.protocol || protocol !== 'openai-responses',
    ),
  };
}
