/** One transcript row on its way into the tree: where it hangs and how it becomes a message. */

import type { Block } from '../../model/block.ts';
import { contentId } from '../../model/ids.ts';
import type { Message, MessageMetadata, Role, StopReason, Usage } from '../../model/message.ts';
import type { Disposition, Given } from '../adapter.ts';
import { nativeId } from './native.ts';
import type { Row } from './native.ts';
import { inlineLimit, pushBounded } from './state.ts';
import type { Batch, ReadState } from './state.ts';
import { advance, batchOfRow, isRecent, joinBatch, parentPoint, pointOf, setAbove, setPoint } from './tree.ts';

/** A row with everything decoders ask about it. */
export interface Reading {
  readonly state: ReadState;
  readonly given: Given;
  /** The row's own id; `undefined` when it has none we can follow. */
  readonly uuid: string | undefined;
  /** What it says it hangs on, unchecked. */
  readonly link: unknown;
  readonly time: string;
  /** A sub-agent's row. */
  readonly side: boolean;
  readonly agentId: string | undefined;
  /** Was a row with this id read shortly before? */
  readonly again: boolean;
}

/** Looks at a row's envelope. */
export function contextOf(row: Row, uuid: string | undefined, time: string, state: ReadState, given: Given): Reading {
  const side = given.file.agentId !== undefined || row['isSidechain'] === true;
  const agentId = side
    ? (given.file.agentId ?? nativeId(row['agentId']) ?? inlineAgent(row, uuid, state, given))
    : undefined;
  return {
    state,
    given,
    uuid,
    link: row['parentUuid'],
    time,
    side,
    agentId,
    again: uuid !== undefined && isRecent(uuid, state),
  };
}

/** Up to 1.x a sub-agent's rows stood in the main file without its id: its first row names it. */
function inlineAgent(row: Row, uuid: string | undefined, state: ReadState, given: Given): string | undefined {
  const link = nativeId(row['parentUuid']);
  const agent = state.inline.find(([id]) => id === link)?.[1] ?? agentOf(link, state, given) ?? uuid;
  if (uuid !== undefined && agent !== undefined) pushBounded(state.inline, [uuid, agent], inlineLimit);
  return agent;
}

/** Whose row this was, where it is past those remembered: other sub-agents wrote many rows since. */
function agentOf(link: string | undefined, state: ReadState, given: Given): string | undefined {
  const point = link === undefined ? undefined : pointOf(link, state, given);
  return point === undefined || point === '' ? undefined : (given.lookup.message(point)?.agent_id ?? undefined);
}

/** What only answers of a model state. */
export interface Answered {
  readonly model: string | undefined;
  readonly provider: string | undefined;
  readonly stop_reason: StopReason | undefined;
  readonly usage: Usage | undefined;
}

/** What a message is made of besides its place. */
export interface Said {
  readonly role: Role;
  /** At least one block. */
  readonly content: readonly Block[];
  readonly meta?: boolean;
  readonly metadata?: MessageMetadata | undefined;
  readonly fields?: Answered;
}

/** The message a row hangs on, with the other branches of calls made at once taken into account. */
export function hangingPoint(reading: Reading, batch: Batch | undefined): string {
  if (batch !== undefined && batch.tail !== '') return batch.tail;
  return parentPoint(reading.link, reading.time, reading.state, reading.given, reading.side);
}

/** Emits a message under `parent` and moves the main line on to it. `id` is the row's unless the row yields several. */
export function say(said: Said, parent: string, reading: Reading, id = reading.uuid): string {
  const { state, given } = reading;
  if (reading.again && reading.uuid !== undefined) return sayAgain(said, parent, reading, reading.uuid, id);
  const message = messageOf(said, parent, reading, id);
  given.sink.message(message);
  if (reading.uuid === undefined) {
    if (!reading.side) advance(message.msg_id, message.msg_id, parent, state);
    return message.msg_id;
  }
  setPoint(reading.uuid, message.msg_id, state, given);
  setAbove(reading.uuid, message.msg_id, parent, state);
  if (!reading.side) advance(reading.uuid, message.msg_id, parent, state);
  return message.msg_id;
}

/** A row that was read before: its message may have a new form, but stays where it hangs. */
function sayAgain(said: Said, parent: string, reading: Reading, uuid: string, id: string | undefined): string {
  const { state, given } = reading;
  const message = messageOf(
    said,
    (id === undefined || id === uuid ? state.above[uuid] : undefined) ?? parent,
    reading,
    id,
  );
  given.sink.message(message);
  if (!reading.side) advance(uuid, state.points[uuid] ?? message.msg_id, state.above[uuid] ?? parent, state);
  return message.msg_id;
}

/** Emits a message that nothing hangs on: people see it, the model does not. What hangs on its row hangs on `parent`. */
export function sayBeside(said: Said, parent: string, reading: Reading): void {
  reading.given.sink.message(messageOf(said, parent, reading, reading.uuid));
  passThrough(parent, reading);
}

/** Emits the tool's context before the message of the same row; the id of that message's parent. */
export function sayBefore(said: Said, parent: string, reading: Reading): string {
  const id = reading.uuid === undefined ? undefined : `${reading.uuid}:context`;
  const message = messageOf(said, parent, reading, id);
  reading.given.sink.message(message);
  return message.msg_id;
}

/** A row that says nothing: what hangs on it hangs on `parent`. */
export function passThrough(parent: string, reading: Reading): void {
  const { state, given, uuid } = reading;
  if (uuid === undefined || reading.again) return;
  setPoint(uuid, parent, state, given);
  if (!reading.side) advance(uuid, parent, parent, state);
}

/** A row that says nothing, within the response it hangs on. */
export function linkThrough(_row: Row, reading: Reading): Disposition {
  const batch = batchOfRow(reading.link, reading.side, reading.state);
  const parent = hangingPoint(reading, batch);
  passThrough(parent, reading);
  join(batch, parent, reading);
  return 'state';
}

/** Puts the row at the end of a response. */
export function join(batch: Batch | undefined, tail: string, reading: Reading): void {
  if (batch === undefined || reading.uuid === undefined || reading.again) return;
  joinBatch(batch, reading.uuid, tail, reading.state);
}

/** Built field by field: this runs for every message of an import. */
function messageOf(said: Said, parent: string, reading: Reading, id: string | undefined): Message {
  const { turn } = reading.state;
  const { fields } = said;
  const parentId = parent === '' ? null : parent;
  const message: { -readonly [K in keyof Message]: Message[K] } = {
    msg_id: id ?? contentId(parentId, said.role, said.content),
    parent_msg_id: parentId,
    role: said.role,
    content: said.content,
    timestamp: reading.time,
  };
  if (turn !== '') message.turn_id = turn;
  if (fields !== undefined) {
    if (fields.model !== undefined) message.model = fields.model;
    if (fields.provider !== undefined) message.provider = fields.provider;
    if (fields.stop_reason !== undefined) message.stop_reason = fields.stop_reason;
    if (fields.usage !== undefined) message.usage = fields.usage;
  }
  if (reading.side) message.is_sidechain = true;
  if (said.meta === true) message.is_meta = true;
  if (reading.agentId !== undefined) message.agent_id = reading.agentId;
  if (said.metadata !== undefined) message.metadata = said.metadata;
  return message;
}
