/**
 * Fits a conversation into a number of tokens. Left out is the oldest bulk first: large tool outputs down to head and
 * tail, then whole turns, and of the last turn its oldest steps. The last prompt stays, and a call stays with its result.
 */

import type { Block } from './block.ts';
import { isKnown } from './block.ts';
import { messageTokens } from './estimate.ts';
import { contentId } from './ids.ts';
import type { Message } from './message.ts';
import { isHuman } from './message.ts';
import { shorten } from './shorten.ts';

/** How much was left out. */
export interface LeftOut {
  /** Tool outputs that are there with head and tail only. */
  readonly outputs: number;
  /** Images of tool outputs that are there otherwise. */
  readonly images: number;
  /** Prompts of a person, each with all that was done for it. */
  readonly turns: number;
  /** Messages, those of the turns among them. */
  readonly messages: number;
}

/** What came of it; tokens are estimates. */
export type Fit =
  | {
      readonly fits: true;
      readonly before: number;
      readonly after: number;
      readonly leftOut: LeftOut;
      /** In order; can be read as often as what it was made of. */
      readonly messages: Iterable<Message>;
    }
  /** `needs`: the fewest tokens it can be brought to. */
  | { readonly fits: false; readonly before: number; readonly needs: number };

/** Reads `messages` once now and once at each reading of the result. `pointer`: the command that shows what is left out. */
export function fit(messages: Iterable<Message>, budget: number, pointer: string): Fit {
  const entries = entriesOf(messages, pointer);
  const before = entries.reduce((sum, { tokens }) => sum + tokens, 0);
  const shortened = new Set<number>();
  let total = before;
  for (const [index, { tokens, short }] of entries.entries()) {
    if (total <= budget) break;
    if (short === undefined) continue;
    total += short.tokens - tokens;
    shortened.add(index);
  }
  const sums = sumsOf(entries, shortened);
  let needs = Infinity;
  for (const cut of cuts(groupsOf(entries))) {
    const gaps = cut
      .map((gap): Gap => ({ ...gap, held: difference(sums[gap.to], sums[gap.from]) }))
      .filter(({ held }) => held.messages > 0);
    const gone = gaps.reduce((sum, { held }) => add(sum, held), nothing);
    const notices = gaps.reduce((sum, gap) => sum + messageTokens(noticeOf(gap, pointer, null, '')), 0);
    const after = total - gone.tokens + notices;
    needs = Math.min(needs, after);
    if (after > budget) continue;
    const { outputs, images } = difference(sums.at(-1), gone);
    const leftOut = { outputs, images, turns: gone.turns, messages: gone.messages };
    return { fits: true, before, after, leftOut, messages: without(messages, gaps, shortened, pointer) };
  }
  return { fits: false, before, needs };
}

/** What is remembered of one message. */
interface Entry {
  readonly tokens: number;
  readonly isHuman: boolean;
  /** A person's words, or what stands for them: a summary. */
  readonly isPrompt: boolean;
  /** With its large outputs cut. */
  readonly short: { readonly tokens: number; readonly outputs: number; readonly images: number } | undefined;
  /** The index of the last message that must stay with it: a result of its call, a part of its response. */
  until: number;
}

function entriesOf(messages: Iterable<Message>, pointer: string): Entry[] {
  const entries: Entry[] = [];
  const calls = new Map<string, number>();
  const responses = new Map<string, number>();
  const hold = (first: number | undefined, last: number): void => {
    const entry = first === undefined ? undefined : entries[first];
    if (entry !== undefined) entry.until = last;
  };
  let index = 0;
  for (const message of messages) {
    const short = shorten(message, pointer);
    const tokens = messageTokens(message);
    entries.push({
      tokens,
      isPrompt: tokens > 0 && message.role !== 'assistant' && message.role !== 'tool',
      isHuman: isHuman(message),
      short: short && { tokens: messageTokens(short.message), outputs: short.outputs, images: short.images },
      until: index,
    });
    const response = message.metadata?.response_id;
    if (response !== undefined) {
      const first = responses.get(response);
      if (first === undefined) responses.set(response, index);
      else hold(first, index);
    }
    for (const block of message.content) {
      if (!isKnown(block)) continue;
      if (block.type === 'tool_use') calls.set(block.tool_use_id, index);
      else if (block.type === 'tool_result') hold(calls.get(block.tool_use_id), index);
    }
    index += 1;
  }
  return entries;
}

/** Messages that stay or go together, by index; `to` is the one after the last. */
interface Group {
  readonly from: number;
  to: number;
  /** Begins with a prompt. */
  readonly isTurn: boolean;
  /** Holds a prompt. */
  asks: boolean;
}

function groupsOf(entries: readonly Entry[]): Group[] {
  const groups: Group[] = [];
  let until = -1;
  const hasHuman = entries.some(({ isHuman: human }) => human);
  for (const [index, entry] of entries.entries()) {
    const asks = hasHuman ? entry.isHuman : entry.isPrompt;
    const open = groups.at(-1);
    if (open === undefined || index > until) groups.push({ from: index, to: index + 1, isTurn: asks, asks });
    else {
      open.to = index + 1;
      open.asks ||= asks;
    }
    until = Math.max(until, entry.until);
  }
  return groups;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** What could be left out, from nothing to all but the last prompt: at most the beginning, and what follows that prompt. */
function* cuts(groups: readonly Group[]): Generator<readonly Range[]> {
  yield [];
  const prompt = groups.findLastIndex((group) => group.asks);
  const kept = prompt === -1 ? groups.length - 1 : prompt;
  const lastTurn = groups.findLastIndex((group, index) => group.isTurn && index <= kept);
  let beginning: Range = { from: 0, to: 0 };
  for (const [index, group] of groups.entries()) {
    if (index === 0 || index > kept || (index < lastTurn && !group.isTurn)) continue;
    beginning = { from: 0, to: group.from };
    yield [beginning];
  }
  const from = groups[kept]?.to ?? 0;
  for (const { to } of groups.slice(kept + 1)) yield [beginning, { from, to }];
}

/** What a range of messages holds. */
interface Held extends LeftOut {
  readonly tokens: number;
}

/** Messages that are left out, and what they hold. */
interface Gap extends Range {
  readonly held: Held;
}

const nothing: Held = { tokens: 0, outputs: 0, images: 0, turns: 0, messages: 0 };

function add(a: Held, b: Held): Held {
  return {
    tokens: a.tokens + b.tokens,
    outputs: a.outputs + b.outputs,
    images: a.images + b.images,
    turns: a.turns + b.turns,
    messages: a.messages + b.messages,
  };
}

function difference(a: Held = nothing, b: Held = nothing): Held {
  return {
    tokens: a.tokens - b.tokens,
    outputs: a.outputs - b.outputs,
    images: a.images - b.images,
    turns: a.turns - b.turns,
    messages: a.messages - b.messages,
  };
}

/** At each index what the messages before it hold; those that do not go along hold nothing. */
function sumsOf(entries: readonly Entry[], shortened: ReadonlySet<number>): Held[] {
  const sums = [nothing];
  let sum = nothing;
  for (const [index, { tokens, isHuman: human, short }] of entries.entries()) {
    const cut = shortened.has(index) ? short : undefined;
    sum = add(sum, {
      tokens: cut?.tokens ?? tokens,
      outputs: cut?.outputs ?? 0,
      images: cut?.images ?? 0,
      turns: human ? 1 : 0,
      messages: tokens > 0 ? 1 : 0,
    });
    sums.push(sum);
  }
  return sums;
}

/** The messages but the gaps, a notice in place of each. */
function without(
  messages: Iterable<Message>,
  gaps: readonly Gap[],
  shortened: ReadonlySet<number>,
  pointer: string,
): Iterable<Message> {
  if (gaps.length === 0 && shortened.size === 0) return messages;
  return {
    *[Symbol.iterator]() {
      let index = -1;
      let last: string | null = null;
      let isAfterGap = false;
      for (const message of messages) {
        index += 1;
        const gap = gaps.find(({ from, to }) => from <= index && index < to);
        if (gap !== undefined && index > gap.from) continue;
        const kept: Message =
          gap !== undefined
            ? noticeOf(gap, pointer, last, message.timestamp)
            : ((shortened.has(index) ? shorten(message, pointer)?.message : undefined) ?? message);
        yield isAfterGap ? { ...kept, parent_msg_id: last } : kept;
        last = kept.msg_id;
        isAfterGap = gap !== undefined;
      }
    },
  };
}

/** Stands where messages were left out; the model reads it, and it counts as no person's words. */
function noticeOf({ held }: Gap, pointer: string, parent: string | null, timestamp: string): Message {
  const turns = held.turns === 0 ? '' : ` (${held.turns} ${held.turns === 1 ? 'prompt' : 'prompts'} among them)`;
  const said = held.messages === 1 ? '1 message was' : `${held.messages} messages were`;
  const content: readonly Block[] = [
    { type: 'text', text: `[${said} left out here to fit the budget${turns}; the whole session: ${pointer}]` },
  ];
  return {
    msg_id: contentId(parent, 'user', content),
    parent_msg_id: parent,
    role: 'user',
    content,
    timestamp,
    is_meta: true,
    metadata: { carried: true },
  };
}
