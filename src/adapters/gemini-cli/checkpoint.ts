/**
 * Checkpoints: `$set.messages` states the whole history anew. What is in it is matched to what was said, and where it
 * is not simply the timeline up to some message, the live view is replaced.
 */

import { sha256Hex } from '../../model/ids.ts';
import { isAnswer } from './append.ts';
import { callsOf, callsPiece, resultId, resultPiece } from './call-pieces.ts';
import { messageOf } from './native.ts';
import type { NativeMessage, NativePart } from './native.ts';
import { answerPiece, spokenPiece, tellContext } from './pieces.ts';
import type { Piece } from './pieces.ts';
import { chainId, find, remember, tailOf, timeAt } from './timeline.ts';
import type { Run } from './timeline.ts';
import { userContent, userDigest } from './user-content.ts';

/** Longest run of coalesced user parts that is tried piece by piece. */
const stretchLimit = 12;

/** Longest replaced view of which each message is remembered. */
const listLimit = 400;

interface Walk {
  /** Every message of the checkpoint so far, in order. */
  readonly ids: string[];
  /** What each of them says, in few characters. */
  readonly tags: string[];
  /** So far the checkpoint is the view that replaced the timeline earlier. */
  inBase: boolean;
  /** Where the walk is in the chain; `undefined` once the checkpoint has left it. */
  chain: string | null | undefined;
  /** The end of the timeline before the checkpoint. */
  readonly leaf: string | null;
  /** A summary (and the model's word on it) that the rest stands behind: the view is anchored there. */
  anchor: string | undefined;
  hasSummary: boolean;
  /** Calls whose results have been placed. */
  readonly answered: Set<string>;
}

/** One checkpoint. Only what was never said before becomes a message. */
export function readCheckpoint(run: Run, messages: readonly unknown[]): void {
  const { state } = run;
  const walk: Walk = {
    ids: [],
    tags: [],
    inBase: run.state.base !== null,
    chain: null,
    leaf: state.leaf,
    anchor: undefined,
    hasSummary: false,
    answered: new Set(),
  };
  state.restart = false;
  state.open = null;
  state.response = null;
  state.recent = [];
  state.first = null;
  let hasContext = false;
  for (const value of messages) {
    const message = messageOf(value);
    if (message === undefined) continue;
    timeAt(run, message.timestamp);
    remember(state, message.id);
    if (message.type === 'user') hasContext = walkUser(run, walk, message, hasContext) || hasContext;
    else if (isAnswer(message)) walkAnswer(run, walk, message, hasContext);
  }
  state.cleared = walk.ids.length === 0 && hasContext;
  if (!state.cleared) finish(run, walk);
}

/** Gives whether the message held the session context. */
function walkUser(run: Run, walk: Walk, message: NativeMessage, hadContext: boolean): boolean {
  const content = userContent(message.parts);
  tellContext(run, content);
  for (const [index, result] of content.results.entries()) {
    const id = resultId(run, message, result, index);
    if (walk.answered.has(id)) continue;
    walk.answered.add(id);
    place(run, walk, resultPiece(run, id, result, message.timestamp, true));
  }
  if (walk.ids.length === 0 && content.session === undefined && !hadContext && content.items.length > 0)
    run.state.first = userDigest(content.items);
  let from = 0;
  for (let part = 0; from < content.items.length; part++) {
    const key = part === 0 ? message.id : `${message.id}#${part}`;
    const length = stretch(run, walk, message, content.items, from, key);
    const hooks = from + length === content.items.length ? content.hooks : [];
    const piece = spokenPiece(run, message, content.items.slice(from, from + length), key, hooks);
    if (piece !== undefined) place(run, walk, piece);
    from += length;
  }
  return content.session !== undefined;
}

/** How many parts from here were said at once: consecutive user turns are coalesced into one message. */
function stretch(
  run: Run,
  walk: Walk,
  message: NativeMessage,
  items: readonly NativePart[],
  from: number,
  key: string,
): number {
  const rest = items.length - from;
  if (rest === 1) return 1;
  const lengths = [
    rest,
    ...Array.from({ length: Math.min(stretchLimit, rest - 1) }, (_, index) => index + 1).reverse(),
  ];
  for (const length of lengths) {
    const piece = spokenPiece(run, message, items.slice(from, from + length), key, []);
    if (piece === undefined) continue;
    if (inChain(run, walk, piece) !== undefined || piece.known().length > 0) return length;
  }
  return rest;
}

function walkAnswer(run: Run, walk: Walk, message: NativeMessage, hadContext: boolean): void {
  const answer = answerPiece(run, message);
  if (walk.ids.length === 0 && !hadContext) run.state.first = answer?.digest ?? null;
  if (answer !== undefined) place(run, walk, answer);
  const calls = callsOf(run, message);
  if (calls.length === 0) return;
  place(run, walk, callsPiece(run, message, calls, answer === undefined));
  for (const call of calls) {
    const id = call.block.tool_use_id;
    if (call.result === undefined || walk.answered.has(id)) continue;
    walk.answered.add(id);
    place(run, walk, resultPiece(run, id, call.result, call.native?.timestamp, true));
  }
}

/** The message in the chain that is this piece. */
function inChain(run: Run, walk: Walk, piece: Piece): string | undefined {
  if (walk.chain === undefined) return undefined;
  const id = chainId(run, walk.chain, piece.role, piece.digest);
  return run.given.lookup.has(id) && piece.isHere?.(id) !== false ? id : undefined;
}

/** Takes the piece for the next message of the view that replaced the timeline, if that says the same. */
function followsBase(run: Run, walk: Walk, piece: Piece): boolean {
  const list = walk.inBase ? run.state.base?.list : undefined;
  const tag = list === undefined ? '' : tagOf(piece);
  const first = list?.[walk.ids.length];
  if (list === undefined || first === undefined || first.tag !== tag) return false;
  walk.chain = undefined;
  arrive(run, walk, piece, first.id, false);
  // Calls that were said one by one (in a document) are one piece here.
  const others = list[walk.ids.length]?.tag === tag ? piece.known() : [];
  if (others.length > 1) for (const id of others.slice(1)) arrive(run, walk, piece, id, false);
  return true;
}

/** The message said right after the last one of the walk, if it is this piece: words that occur often are told apart by it. */
function nextTo(run: Run, walk: Walk, piece: Piece): string | undefined {
  const last = walk.ids.at(-1);
  if (last === undefined) return undefined;
  const id = chainId(run, last, piece.role, piece.digest);
  return run.given.lookup.has(id) && piece.isHere?.(id) !== false ? id : undefined;
}

function place(run: Run, walk: Walk, piece: Piece): void {
  const here = inChain(run, walk, piece);
  if (here !== undefined) return arrive(run, walk, piece, here, true);
  if (followsBase(run, walk, piece)) return;
  const near = nextTo(run, walk, piece);
  if (near !== undefined) {
    walk.chain = undefined;
    return arrive(run, walk, piece, near, false);
  }
  // The model's word on a summary is always the same, so only where it stands tells which one it is.
  const isWord = walk.hasSummary && walk.ids.at(-1) === walk.anchor && piece.role === 'assistant';
  const known = isWord ? [] : piece.known();
  if (known.length > 0) {
    walk.chain = undefined;
    for (const id of known) arrive(run, walk, piece, id, false);
    return;
  }
  const after = walk.ids.at(-1);
  const liveOnly = piece.isSummary || piece.isLiveOnly === true || walk.hasSummary;
  if (walk.chain !== undefined && !liveOnly) {
    const id = chainId(run, walk.chain, piece.role, piece.digest);
    piece.say(id, after === undefined ? null : tailOf(run, after), false);
    return arrive(run, walk, piece, id, true);
  }
  walk.chain = undefined;
  const parent = after === undefined ? walk.leaf : tailOf(run, after);
  const id = chainId(run, parent, piece.role, piece.digest);
  if (run.given.lookup.has(id)) run.knew = true;
  else piece.say(id, parent, liveOnly);
  arrive(run, walk, piece, id, false);
}

function arrive(run: Run, walk: Walk, piece: Piece, id: string, isLinear: boolean): void {
  if (!run.said) run.knew = true;
  piece.recognise(id);
  if (piece.isSummary && !isLinear) {
    walk.hasSummary = true;
    walk.anchor = id;
  } else if (walk.hasSummary && walk.ids.at(-1) === walk.anchor && piece.role === 'assistant') {
    walk.anchor = id;
  }
  walk.ids.push(id);
  if (walk.tags.length < listLimit) walk.tags.push(tagOf(piece));
  if (walk.inBase && run.state.base?.list[walk.ids.length - 1]?.id !== id) walk.inBase = false;
  if (isLinear) walk.chain = id;
  // The view that replaced the timeline earlier: what follows it hangs on its anchor.
  const { base } = run.state;
  if (base !== null && walk.ids.length === base.count && hashOf(walk.ids) === base.hash) walk.chain = base.at;
}

function tagOf(piece: Piece): string {
  return sha256Hex(`${piece.role}\n${piece.digest}`).slice(0, 8);
}

function hashOf(ids: readonly string[]): string {
  return sha256Hex(ids.join('\n')).slice(0, 32);
}

function finish(run: Run, walk: Walk): void {
  const { state } = run;
  const last = walk.ids.at(-1);
  if (last === undefined) {
    state.leaf = null;
    state.chain = null;
    state.told = null;
    if (run.scope === '') run.given.sink.live({ op: 'leaf', id: null });
    return;
  }
  if (walk.chain !== undefined) {
    state.chain = walk.chain;
    state.leaf = walk.chain === null ? null : tailOf(run, walk.chain);
    return;
  }
  const at = walk.anchor ?? tailOf(run, last);
  const shown = walk.ids.flatMap((id) => {
    const tail = find(run, `t:${id}`);
    return tail === undefined ? [id] : [id, tail];
  });
  if (run.scope === '') run.given.sink.live({ op: 'replace', at, with: shown });
  const list = walk.ids.length > listLimit ? [] : walk.ids.map((id, index) => ({ id, tag: walk.tags[index] ?? '' }));
  state.base = { at, count: walk.ids.length, hash: hashOf(walk.ids), list };
  state.leaf = at;
  state.chain = at;
}
