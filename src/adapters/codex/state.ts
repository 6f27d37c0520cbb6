/** What the decoder remembers between lines of one rollout, and how a message joins the chain. */

import type { DecoderState, FileContext, Given } from '../adapter.ts';
import type { Block } from '../../model/block.ts';
import { contentId } from '../../model/ids.ts';
import type { Message, MessageMetadata, Role, Usage } from '../../model/message.ts';
import { timeOf } from '../shared/time.ts';
import type { NativeLine } from './native.ts';

/** The decoder's memory of one file. Plain JSON, bounded. */
export interface State {
  /** Turns have a start and an end in this file (0.118 and later). */
  turns: boolean;
  /** Time of the last line that had one, as it stands there. */
  time: string | null;
  /** Ordinal of the last line that had one. */
  ordinal: number | null;
  /** The message the next one follows. */
  leaf: string | null;
  /** The leaf last told to the live view; `false`: none yet. */
  told: string | null | false;
  /** The header has been read (a second one is the parent's, in a copied prefix). */
  headed: boolean;
  /** The file is another session's, of which this one inherited a part. */
  inherited: boolean;
  /** Lines with smaller ordinals are the parent's, copied into a sub-agent's file. */
  skipBelow: number;
  turn: string | null;
  model: string | null;
  modelProvider: string | null;
  cwd: string | null;
  effort: string | null;
  /** The open response: the id of its first message. */
  response: string | null;
  /** Its tokens are known. */
  counted: boolean;
  /** A call of it has its result: the next part begins another response. */
  answered: boolean;
  /** Its messages, waiting for the tokens. */
  held: Message[];
  heldSize: number;
  /** The newest part of the open response. */
  part: string | null;
  /** `total_tokens` of the last statement, to know a repeated one. */
  totalTokens: number | null;
  /** The message with the newest call of `exec`, inside which nested commands run. */
  exec: string | null;
  /** Prompts so far, and the leaf before each of the last ones. */
  prompts: number;
  turnStarts: (string | null)[];
  /** The leaf at the start of the turn that has no prompt yet; `false`: no such turn. */
  turnStart: string | null | false;
  /** A fork whose file begins with a copy of its parent's lines (0.147 and before): the parent, until the copy ends. */
  copyOf: string | null;
  /** When the thread was made, in milliseconds. */
  madeAt: number;
}

/** One line being decoded. */
export interface Scene {
  readonly line: NativeLine;
  readonly state: State;
  readonly given: Given;
}

/** Letters of JSON text that may wait in the state. */
const heldLimit = 40_000;
/** Turn starts remembered for a rollback; older ones are looked up. */
const turnStartLimit = 64;

/** The memory before the first line. */
export function startState(_file: FileContext): State {
  return {
    turns: false,
    time: null,
    ordinal: null,
    leaf: null,
    told: false,
    headed: false,
    inherited: false,
    skipBelow: 0,
    turn: null,
    model: null,
    modelProvider: null,
    cwd: null,
    effort: null,
    response: null,
    counted: false,
    answered: false,
    held: [],
    heldSize: 0,
    part: null,
    totalTokens: null,
    exec: null,
    prompts: 0,
    turnStarts: [],
    turnStart: false,
    copyOf: null,
    madeAt: 0,
  };
}

/** The memory as the contract carries it. */
export function asDecoderState(state: State): DecoderState {
  // Every field is plain JSON; the checker wants an index signature, which messages do not have.
  return state as unknown as DecoderState;
}

/** The memory the contract handed back. */
export function stateOf(state: DecoderState): State {
  // Made by startState and changed in this folder alone.
  return state as unknown as State;
}

/** What a message says besides its place in the chain. */
export interface Saying {
  readonly role: Role;
  /** At least one block. */
  readonly content: readonly Block[];
  readonly isMeta?: boolean;
  readonly turnId?: string | undefined;
  readonly metadata?: MessageMetadata;
}

/** Appends a message to the chain and tells it. Closes an open response, whose messages come first. */
export function say(scene: Scene, saying: Saying): Message {
  closeResponse(scene);
  const message = messageOf(scene, saying, scene.state.leaf);
  scene.state.leaf = message.msg_id;
  scene.given.sink.message(message);
  return message;
}

/** Tells a message that hangs on `parent` beside the chain. */
export function sayAside(scene: Scene, saying: Saying, parent: string | null): Message {
  flush(scene);
  const message = messageOf(scene, saying, parent);
  scene.given.sink.message(message);
  return message;
}

/**
 * Appends a part of the model's present response. Its tokens are stated behind its last part, so the newest part waits for
 * them until the source is quiet; tokens that come later are told apart from it.
 */
export function respond(scene: Scene, saying: Omit<Saying, 'role'>): Message {
  const { state } = scene;
  if (state.answered || state.counted) closeResponse(scene);
  flush(scene);
  const plain = messageOf(scene, { role: 'assistant', ...saying }, state.leaf);
  state.response ??= plain.msg_id;
  const message: Message = {
    ...plain,
    ...modelOf(state),
    metadata: { ...plain.metadata, response_id: state.response },
  };
  state.leaf = message.msg_id;
  state.part = message.msg_id;
  hold(scene, message);
  return message;
}

/**
 * Appends what a call gave. It waits too where the response's tokens are not known yet (0.159 and before state them behind
 * the results). `hosted`: the provider gave it while it was answering, so the response goes on.
 */
export function sayResult(
  scene: Scene,
  content: readonly Block[],
  metadata: MessageMetadata | undefined,
  hosted = false,
): Message {
  const { state } = scene;
  const saying: Saying = { role: 'tool', content, ...(metadata === undefined ? {} : { metadata }) };
  if (state.response === null || state.counted) return say(scene, saying);
  state.answered ||= !hosted;
  const message = messageOf(scene, saying, state.leaf);
  state.leaf = message.msg_id;
  if (state.held.length > 0) hold(scene, message);
  else scene.given.sink.message(message);
  return message;
}

/** The tokens of the open response, or of one that left no message. */
export function countUsage(scene: Scene, usage: Usage, nativeResponse: string): void {
  const { state } = scene;
  if (state.response !== null && state.counted) return;
  const response = state.response ?? nativeResponse;
  state.counted = state.response !== null;
  const last = state.held.findLastIndex((message) => message.metadata?.response_id === response);
  const message = state.held[last];
  if (message !== undefined) state.held[last] = { ...message, usage };
  else scene.given.sink.usage({ response, model: state.model, provider: modelOf(state).provider ?? null, usage });
  flush(scene);
}

/** The turn was broken off: a response whose tokens never came is left as it stands. */
export function interrupt(scene: Scene): void {
  const { held } = scene.state;
  const last = held.findLastIndex((message) => message.role === 'assistant');
  const message = held[last];
  if (message !== undefined) {
    held[last] = { ...message, stop_reason: 'interrupted' };
    return;
  }
  const { part } = scene.state;
  const told = part === null ? undefined : scene.given.lookup.message(part);
  if (told !== undefined) scene.given.sink.message({ ...told, stop_reason: 'interrupted' });
}

/** The response is over: what follows belongs to another. */
export function closeResponse(scene: Scene): void {
  flush(scene);
  scene.state.response = null;
  scene.state.part = null;
  scene.state.counted = false;
  scene.state.answered = false;
}

/** Tells the messages that waited. */
export function flush(scene: Pick<Scene, 'state' | 'given'>): void {
  const { state } = scene;
  if (state.held.length === 0) return;
  for (const message of state.held) scene.given.sink.message(message);
  state.held = [];
  state.heldSize = 0;
}

/** A new turn begins: the place a rollback returns to. */
export function startTurn(scene: Scene, turn: string | undefined): void {
  closeResponse(scene);
  scene.state.turns = true;
  scene.state.turn = turn ?? null;
  scene.state.turnStart = scene.state.leaf;
}

/** A person's prompt begins here; call it before the prompt joins the chain. */
export function startPrompt(scene: Scene): void {
  const { state } = scene;
  closeResponse(scene);
  state.turnStarts.push(state.turnStart === false ? state.leaf : state.turnStart);
  if (state.turnStarts.length > turnStartLimit) state.turnStarts.shift();
  state.turnStart = false;
  state.prompts += 1;
}

function messageOf(scene: Scene, saying: Saying, parent: string | null): Message {
  const { state, given, line } = scene;
  const agentId = given.file.agentId;
  const turn = saying.turnId ?? state.turn;
  return {
    // A sub-agent has a chain of its own in the same session: its root must not be that of another.
    msg_id: contentId(parent ?? (agentId === undefined ? null : `agent:${agentId}`), saying.role, saying.content),
    parent_msg_id: parent,
    role: saying.role,
    content: saying.content,
    timestamp: timeOf(line.timestamp) ?? timeOf(state.time) ?? given.fallbackTime,
    ...(turn === null ? {} : { turn_id: turn }),
    ...(saying.isMeta === true ? { is_meta: true } : {}),
    ...(agentId === undefined ? {} : { is_sidechain: true, agent_id: agentId }),
    ...(saying.metadata === undefined ? {} : { metadata: saying.metadata }),
  };
}

/** The model and its vendor, as far as the turn's context told. */
export function modelOf(state: State): Pick<Message, 'model' | 'provider'> {
  if (state.model === null) return {};
  const provider = providerOf(state.model, state.modelProvider);
  return { model: state.model, ...(provider === undefined ? {} : { provider }) };
}

function providerOf(model: string, modelProvider: string | null): string | undefined {
  if (/(^|\/)(gpt|codex|o\d|chatgpt)/i.test(model)) return 'openai';
  if (/(^|\/)claude/i.test(model)) return 'anthropic';
  if (/(^|\/)gemini/i.test(model)) return 'google';
  return modelProvider === 'openai' ? 'openai' : undefined;
}

function hold(scene: Scene, message: Message): void {
  const { state } = scene;
  const size = willBeCounted(state) ? sizeOf(message) : Infinity;
  if (state.heldSize + size > heldLimit) {
    flush(scene);
    scene.given.sink.message(message);
    return;
  }
  state.held.push(message);
  state.heldSize += size;
}

/**
 * Will tokens be stated, or at least the end of the turn? Not where another program wrote the file (no turn has a context),
 * and not surely in the first turn of a file from before turns had a start (0.98 and before).
 */
function willBeCounted(state: State): boolean {
  return state.model !== null && (state.turns || state.totalTokens !== null);
}

/** Length as JSON text, or a little more; exact only where it matters. */
function sizeOf(message: Message): number {
  let letters = 500;
  for (const block of message.content) {
    if ('text' in block && typeof block.text === 'string') letters += block.text.length;
    else if ('content' in block && typeof block.content === 'string') letters += block.content.length;
    else if ('input' in block) letters += JSON.stringify(block.input).length;
    else letters += JSON.stringify(block).length;
  }
  // An escape takes six letters at most.
  return letters * 6 < heldLimit / 4 || letters > heldLimit ? letters * 6 : JSON.stringify(message).length;
}
