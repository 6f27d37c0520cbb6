/**
 * Where reading stands in a session's timeline, and how new messages are put there. Ids are a chain: a hash of what was said after what, for the CLI
 * gives the same turn a new id whenever it sets its history anew.
 */

import type { Block } from '../../model/block.ts';
import { hashedId } from '../../model/ids.ts';
import type { Message, MessageMetadata, Role, Usage } from '../../model/message.ts';
import type { Given } from '../adapter.ts';
import { providerOf } from './content.ts';

/** What the decoder remembers between records. Plain JSON, bounded. */
export type State = {
  /** Time of the newest record that had one. */
  time: string | null;
  /** The message the next one hangs on. */
  leaf: string | null;
  /** The newest message that takes part in the chain of ids: thinking alone, notes and expansions do not. */
  chain: string | null;
  /** The leaf the live view was last told. */
  told: string | null;
  /** Native ids of the newest messages of this file's active list. */
  recent: string[];
  /** The response the last answer is part of, until somebody else speaks. */
  response: string | null;
  /** The answer that may come again with calls. */
  open: OpenAnswer | null;
  /** Calls said and not answered, newest last; `id` is ours where the CLI gave none. */
  waiting: { id: string; name: string; unnamed: boolean }[];
  /**
   * The view that replaced the timeline: its anchor, length, the hash of its ids, and while it is short enough each
   * message with a tag of what it says.
   */
  base: { at: string; count: number; hash: string; list: { id: string; tag: string }[] } | null;
  /** The CLI appends its whole history again, under new ids, before it states it as a checkpoint. */
  restart: boolean;
  /** What names the first message of the active list, where no session context comes before it. */
  first: string | null;
  afterNote: boolean;
  /** The CLI started on this file with nothing but context, and states the history next; what is said instead begins anew. */
  cleared: boolean;
  hasStarted: boolean;
  hasCwd: boolean;
};

/** An answer whose calls are still to come. */
export type OpenAnswer = {
  native: string;
  text: string | null;
  textId: string | null;
  hasThought: boolean;
  hasUsage: boolean;
  calls: string[];
};

/** The decoding of one record. */
export interface Run {
  readonly state: State;
  readonly given: Given;
  /** Before every key: the sub-agent's, or nothing. */
  readonly scope: string;
  said: boolean;
  knew: boolean;
}

/** How many native ids, calls without a result, and calls of one answer are remembered. */
export const recentLimit = 64;

/** The state before the first record. */
export function startState(): State {
  return {
    time: null,
    leaf: null,
    chain: null,
    told: null,
    recent: [],
    response: null,
    open: null,
    waiting: [],
    base: null,
    restart: false,
    first: null,
    afterNote: false,
    cleared: false,
    hasStarted: false,
    hasCwd: false,
  };
}

/** The time of a record, remembered for those without. */
export function timeAt(run: Run, stated: string | undefined): string {
  if (stated !== undefined) run.state.time = stated;
  return run.state.time ?? run.given.fallbackTime;
}

/** Notes that a native message is in the file's active list. */
export function remember(state: State, native: string): void {
  const { recent } = state;
  if (recent.at(-1) === native) return;
  recent.push(native);
  if (recent.length > recentLimit) recent.splice(0, recentLimit / 2);
}

/** Notes a call without a result. */
export function expectResult(state: State, call: State['waiting'][number]): void {
  state.waiting.push({ ...call, name: call.name.slice(0, 64) });
  if (state.waiting.length > recentLimit) state.waiting.shift();
}

/** The id of something said after `chain`: as `contentId`, of the digest that names what was said. */
export function chainId(run: Run, chain: string | null, role: Role, digest: string): string {
  return hashedId(`${chain ?? run.scope}\n${role}\n${digest}`);
}

/** The message a key stands for. */
export function find(run: Run, key: string): string | undefined {
  return run.given.lookup.id(run.scope + key);
}

/** Lets a key stand for a message. */
export function name(run: Run, key: string, id: string): void {
  run.given.sink.key(run.scope + key, id);
}

/** The last message that belongs to this one without being part of the chain (an expansion), or the message itself. */
export function tailOf(run: Run, id: string): string {
  return find(run, `t:${id}`) ?? id;
}

/** What a new message says, beyond its place. */
export interface Draft {
  readonly role: Role;
  readonly content: readonly Block[];
  readonly timestamp: string;
  readonly model?: string | undefined;
  readonly usage?: Usage | undefined;
  readonly isMeta?: boolean;
  readonly metadata?: MessageMetadata;
}

/** Sends a new message to the sink. */
export function send(run: Run, id: string, parent: string | null, draft: Draft): void {
  const agent = run.given.file.agentId;
  const message: Message = {
    msg_id: id,
    parent_msg_id: parent,
    role: draft.role,
    content: draft.content,
    timestamp: draft.timestamp,
    ...(draft.model === undefined ? {} : { model: draft.model }),
    ...(draft.role === 'assistant' ? { provider: providerOf(draft.model ?? '') } : {}),
    ...(draft.usage === undefined ? {} : { usage: draft.usage }),
    ...(draft.isMeta === true ? { is_meta: true } : {}),
    ...(agent === undefined ? {} : { is_sidechain: true, agent_id: agent }),
    ...(draft.metadata === undefined ? {} : { metadata: draft.metadata }),
  };
  run.given.sink.message(message);
  run.said = true;
}

/** Puts something at the end of the timeline that takes no part in the chain (a note, thinking alone, an expansion); gives its id. */
export function sendAside(run: Run, id: string, draft: Draft): string {
  if (run.given.lookup.has(id)) run.knew = true;
  else send(run, id, run.state.leaf, draft);
  run.state.leaf = id;
  return id;
}
