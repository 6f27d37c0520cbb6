/** Messages appended to the log one by one: the ordinary way, and the CLI's re-appending of what it said before. */

import type { Block } from '../../model/block.ts';
import { contentId } from '../../model/ids.ts';
import { callsOf, callsPiece, resultId, resultPiece } from './call-pieces.ts';
import type { CallContent } from './call-pieces.ts';
import { answerDigest, dataBlock, thinkingOf, tidyAnswer } from './content.ts';
import { textOfParts } from './native.ts';
import type { NativeMessage } from './native.ts';
import { answerPiece, sayThinking, spokenPiece, tellContext } from './pieces.ts';
import type { Piece } from './pieces.ts';
import { chainId, find, name, recentLimit, remember, send, sendAside, tailOf, timeAt } from './timeline.ts';
import type { Run } from './timeline.ts';
import { userContent, userDigest } from './user-content.ts';
import type { UserContent } from './user-content.ts';

/** Is it a note of the user interface, never sent to a model? */
export function isNote(message: NativeMessage): boolean {
  return message.type === 'info' || message.type === 'error' || message.type === 'warning';
}

/** Is it an answer of a model? Forks of the CLI write `qwen`. */
export function isAnswer(message: NativeMessage): boolean {
  return message.type === 'gemini' || message.type === 'qwen';
}

/**
 * One message at the end of the log, or a newer form of a recent one. `pairwise`: each call is followed by its own
 * result, for documents in which one message gathers calls of several rounds while it grows.
 */
export function append(run: Run, message: NativeMessage, pairwise: boolean): void {
  const { state } = run;
  timeAt(run, message.timestamp);
  if (state.cleared) {
    state.cleared = false;
    state.leaf = null;
    state.chain = null;
  }
  const wasAfterNote = state.afterNote;
  state.afterNote = isNote(message);
  if (isNote(message)) appendNote(run, message);
  else if (message.type === 'user') appendUser(run, message, wasAfterNote);
  else if (isAnswer(message)) appendAnswer(run, message, pairwise, wasAfterNote);
  else run.given.sink.loss(`unknown:${message.type === '' ? 'message' : message.type}`);
}

function appendNote(run: Run, message: NativeMessage): void {
  const text = textOfParts(message.parts);
  const content: Block[] = [
    ...(text.trim() === '' ? [] : [{ type: 'text', text }]),
    ...message.parts.flatMap(dataBlock),
  ];
  if (content.length === 0 || run.state.recent.includes(message.id)) return;
  // A note is never re-issued, so its native id is stable; the hash keeps two that say the same apart.
  const id = contentId(run.scope + message.id, 'system', content);
  sendAside(run, id, {
    role: 'system',
    content,
    timestamp: timeAt(run, message.timestamp),
    isMeta: true,
    metadata: { level: message.type },
  });
  remember(run.state, message.id);
}

function appendUser(run: Run, message: NativeMessage, wasAfterNote: boolean): void {
  const { state } = run;
  const content = userContent(message.parts);
  tellContext(run, content);
  if (startsAgain(run, message, content, wasAfterNote)) return;
  const isNewer = state.recent.includes(message.id);
  remember(state, message.id);
  state.open = null;
  state.response = null;
  for (const [index, result] of content.results.entries()) {
    const id = resultId(run, message, result, index);
    const piece = resultPiece(run, id, result, message.timestamp, false);
    if (state.waiting.some((call) => call.id === id)) put(run, piece, false);
    else if (move(run, piece) || find(run, `r:${id}`) !== undefined) run.knew = true;
    else put(run, piece, false);
    answered(run, id);
  }
  const spoken = spokenPiece(run, message, content.items, message.id, content.hooks);
  if (spoken === undefined) {
    sayHooks(run, message, content);
    return;
  }
  if (!isNewer) put(run, spoken, find(run, `n:${message.id}`) !== undefined);
  else if (spoken.known().length > 0) run.knew = true;
  else revise(run, find(run, `n:${message.id}`), spoken);
}

function appendAnswer(run: Run, message: NativeMessage, pairwise: boolean, wasAfterNote: boolean): void {
  const { state } = run;
  const text = tidyAnswer(textOfParts(message.parts));
  const begins =
    wasAfterNote && state.first !== null && state.first === answerDigest(text) && !state.recent.includes(message.id);
  if (state.restart || begins) {
    if (message.model === undefined && saysNothingNew(run, message, text)) {
      state.restart = true;
      run.knew = true;
      return;
    }
    state.restart = false;
  }
  const isNewer = state.recent.includes(message.id);
  remember(state, message.id);
  const wasKnown = !isNewer && find(run, `n:${message.id}`) !== undefined;
  const isReopened = isNewer && state.open?.native !== message.id;
  if (state.open?.native !== message.id) {
    state.open = { native: message.id, text: null, textId: null, hasThought: false, hasUsage: isNewer, calls: [] };
  }
  // Answers in a row are sent as one; what the model said at another time has tokens of its own.
  if (!isNewer && (message.tokens !== undefined || state.response === null)) state.response = message.id;
  const { open } = state;
  const answer = answerPiece(run, message);
  if (answer !== undefined) {
    if (open.text === answer.digest) run.knew = true;
    else if (open.textId !== null) revise(run, open.textId, answer);
    else if (isNewer && answer.known().length > 0) run.knew = true;
    else {
      open.textId = put(run, answer, wasKnown);
      open.hasUsage = true;
    }
    open.text = answer.digest;
  } else if (!open.hasThought && !isNewer && thinkingOf(message).length > 0) {
    sayThinking(run, message);
    open.hasThought = true;
    open.hasUsage = true;
  }
  appendCalls(run, message, { isReopened, wasKnown, pairwise });
}

interface How {
  /** A newer form of an answer after which others came. */
  readonly isReopened: boolean;
  readonly wasKnown: boolean;
  readonly pairwise: boolean;
}

function appendCalls(run: Run, message: NativeMessage, how: How): void {
  const { state } = run;
  const { open } = state;
  if (open === null) return;
  const calls = callsOf(run, message);
  const fresh = calls.filter((call) => !isSaid(run, call, how));
  if (fresh.length < calls.length) run.knew = true;
  for (const together of how.pairwise ? fresh.map((call) => [call]) : [fresh]) {
    if (together.length === 0) continue;
    put(run, callsPiece(run, message, together, !open.hasUsage), how.wasKnown);
    open.hasUsage = true;
    for (const call of together) open.calls.push(call.block.tool_use_id);
    for (const call of together) appendResult(run, call, how.wasKnown);
  }
  open.calls.splice(0, Math.max(0, open.calls.length - recentLimit));
  for (const call of calls) if (!fresh.includes(call)) appendResult(run, call, false);
}

/** Did this answer make the call already? In a new answer every call is new, even under an id that was used before. */
function isSaid(run: Run, call: CallContent, how: How): boolean {
  const id = call.block.tool_use_id;
  const said = run.state.open?.calls ?? [];
  if (said.includes(id)) return true;
  return (how.isReopened || said.length >= recentLimit) && find(run, `c:${id}`) !== undefined;
}

/** The result the CLI recorded with the call; a late one is said when it comes. */
function appendResult(run: Run, call: CallContent, wasKnown: boolean): void {
  if (call.result === undefined) return;
  const id = call.block.tool_use_id;
  const piece = resultPiece(run, id, call.result, call.native?.timestamp, false);
  if (wasKnown) put(run, piece, true);
  else if (run.state.waiting.some((waiting) => waiting.id === id)) put(run, piece, false);
  else run.knew = true;
  answered(run, id);
}

function answered(run: Run, id: string): void {
  const { waiting } = run.state;
  const at = waiting.findIndex((call) => call.id === id);
  if (at >= 0) waiting.splice(at, 1);
}

/** Moves to a piece that stands here already, or says it. `wasKnown`: it may stand elsewhere, for its native id is known. */
function put(run: Run, piece: Piece, wasKnown: boolean): string {
  const { state } = run;
  const id = chainId(run, state.chain, piece.role, piece.digest);
  if (run.given.lookup.has(id)) {
    moveTo(run, piece, id);
    return id;
  }
  const elsewhere = wasKnown ? piece.known().at(-1) : undefined;
  if (elsewhere !== undefined) {
    moveTo(run, piece, elsewhere);
    return elsewhere;
  }
  state.leaf = piece.say(id, state.leaf, false);
  state.chain = id;
  return id;
}

/** Moves to the piece if it stands right here. */
function move(run: Run, piece: Piece): boolean {
  const id = chainId(run, run.state.chain, piece.role, piece.digest);
  if (!run.given.lookup.has(id)) return false;
  moveTo(run, piece, id);
  return true;
}

function moveTo(run: Run, piece: Piece, id: string): void {
  run.state.leaf = tailOf(run, id);
  run.state.chain = id;
  piece.recognise(id);
  run.knew = true;
}

/** A later form of a message: the sink keeps it as a revision. */
function revise(run: Run, id: string | undefined, piece: Piece): void {
  const earlier = id === undefined ? undefined : run.given.lookup.message(id);
  if (id === undefined || earlier === undefined) put(run, piece, false);
  else piece.say(id, earlier.parent_msg_id, earlier.metadata?.live_only === true);
}

function sayHooks(run: Run, message: NativeMessage, content: UserContent): void {
  const blocks = content.hooks.filter((text) => text.trim() !== '').map((text): Block => ({ type: 'text', text }));
  if (blocks.length === 0) return;
  const id = contentId(run.scope + message.id, 'developer', blocks);
  if (run.given.lookup.has(id)) run.knew = true;
  else
    send(run, id, run.state.leaf, {
      role: 'developer',
      content: blocks,
      timestamp: timeAt(run, message.timestamp),
      isMeta: true,
      metadata: { hook: true },
    });
  run.state.leaf = id;
}

/**
 * After a cancelled call the CLI appends its whole history again under new ids, its first turn merged with the session
 * context, and then states it as a checkpoint (0.61.0; fixture 0.61.0-interactive). The copies say nothing new.
 */
function startsAgain(run: Run, message: NativeMessage, content: UserContent, wasAfterNote: boolean): boolean {
  const { state } = run;
  if (!state.restart) {
    if (content.items.length === 0 || state.recent.length === 0 || state.recent.includes(message.id)) return false;
    const begins =
      content.session !== undefined ||
      (wasAfterNote && state.first !== null && state.first === userDigest(content.items));
    if (!begins) return false;
  }
  const says = content.items.length === 0 ? undefined : itemsKnown(run, content);
  const isCopy =
    (content.items.length === 0 || says !== undefined) &&
    content.results.every((result) => result.id !== undefined && find(run, `r:${result.id}`) !== undefined);
  state.restart = isCopy;
  if (!isCopy) return false;
  if (says !== undefined && find(run, `n:${message.id}`) === undefined) name(run, `n:${message.id}`, says);
  run.knew = true;
  return true;
}

/** The first message that says these parts, all at once or one by one. */
function itemsKnown(run: Run, content: UserContent): string | undefined {
  const whole = find(run, `k:${userDigest(content.items)}`);
  if (whole !== undefined || content.items.length === 1) return whole;
  const each = content.items.map((item) => find(run, `k:${userDigest([item])}`));
  return each.every((id) => id !== undefined) ? each[0] : undefined;
}

function saysNothingNew(run: Run, message: NativeMessage, text: string): boolean {
  if (text !== '' && find(run, `k:${answerDigest(text)}`) === undefined) return false;
  return callsOf(run, message).every((call) => find(run, `c:${call.block.tool_use_id}`) !== undefined);
}
