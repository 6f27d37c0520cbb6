/** Reads the messages of the editor's chats: the records `{"bubble":"…","after":"…","header":{…},"value":{…}}`. */

import type { Block } from '../../model/block.ts';
import { isObject, listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import type { Message, MessageMetadata } from '../../model/message.ts';
import type { Disposition, Given } from '../adapter.ts';
import { timeOf } from '../shared/time.ts';
import { callOf } from './calls.ts';
import type { NativeCall } from './calls.ts';
import { answerBlocks, attachedPassages, filesNamed, imageBlocks, promptText, usageOf } from './content.ts';
import { isoOf } from './native.ts';
import { fromDatabase } from './read-transcript.ts';

/** What is known of the messages before. */
export interface MessageState {
  /** When the last message was said. */
  time: string | null;
  /** The model of the last answer that names one, and that of the chat. */
  model: string | null;
  chatModel: string | null;
  /** The answer that messages belong to: its id, whether it has made a call, and how Cursor names it. */
  response: string | null;
  hasCalled: boolean;
  answer: string | null;
}

/** One message while it is read. */
interface Reading {
  readonly record: unknown;
  readonly bubble: Record<string, unknown>;
  /** Its id in the session, and the message it hangs on. */
  readonly id: string;
  readonly parent: string | null;
  readonly state: MessageState;
  readonly given: Given;
}

/** Newest version of a message's record that was seen (3.23). */
const newestVersion = 3;

/** Decodes one record; `name` is the id Cursor has for the message. */
export function readMessage(record: unknown, name: string, state: MessageState, given: Given): Disposition {
  const id = idIn(name, given);
  const parent = messageAt(stringAt(record, 'after') ?? null, given);
  const bubble = objectAt(record, 'value');
  if (bubble === undefined) {
    given.sink.loss(isObject(record) && record['unreadable'] === true ? 'unreadable-message' : 'missing-message');
    passOver(id, parent, given);
    return 'state';
  }
  if ((numberAt(bubble, '_v') ?? 0) > newestVersion) given.sink.loss('newer-version:message');
  const reading: Reading = { record, bubble, id, parent, state, given };
  const files = filesNamed(bubble);
  const said = isPersons(bubble) ? readPrompt(reading) : readAnswer(reading);
  if (files.length > 0) given.sink.fact({ files });
  if (said) return 'message';
  passOver(id, parent, given);
  return 'state';
}

function isPersons(bubble: Record<string, unknown>): boolean {
  return bubble['type'] === 1 || bubble['type'] === 'user';
}

/** Was anything said? */
function readPrompt(reading: Reading): boolean {
  const { record, bubble, id, state, given } = reading;
  const text = promptText(bubble);
  const images = imageBlocks(listAt(record, 'images'));
  const missing = listAt(bubble, 'images').length - images.length;
  for (let left = missing; left > 0; left -= 1) given.sink.loss('image-file-missing');
  for (let left = attachedPassages(bubble); left > 0; left -= 1) given.sink.loss('attached-passage');
  const content: Block[] = [...(text.trim() === '' ? [] : [{ type: 'text', text } as const]), ...images];
  if (content.length === 0) return false;
  if (!given.lookup.has(id)) Object.assign(state, { response: null, hasCalled: false, answer: null });
  send(reading, { role: 'user', content });
  return true;
}

function readAnswer(reading: Reading): boolean {
  const { bubble, id, state, given } = reading;
  // A notice of the editor's own.
  if (objectAt(bubble, 'serviceStatusUpdate') !== undefined) return false;
  const call = callOf(bubble, id);
  const content: Block[] = [...answerBlocks(bubble), ...(call === undefined ? [] : [call.block])];
  if (content.length === 0) return readError(reading);
  const response = responseOf(reading, call);
  const model = modelOf(bubble, state);
  const usage = usageOf(bubble);
  send(reading, {
    role: 'assistant',
    content,
    metadata: { response_id: response },
    ...(model === null ? {} : { model }),
    ...(usage === undefined ? {} : { usage }),
  });
  if (call === undefined) return true;
  given.sink.key(`call:${firstPart(call.block.tool_use_id)}`, call.block.tool_use_id);
  if (call.files.length > 0) given.sink.fact({ files: call.files });
  if (call.result !== undefined)
    send({ ...reading, id: `${id}:result`, parent: id }, { role: 'tool', content: [call.result] }, id);
  return true;
}

/** An answer that failed says so in words of its own. */
function readError(reading: Reading): boolean {
  const details = objectAt(reading.bubble, 'errorDetails');
  const text = stringAt(details, 'message') ?? stringAt(details, 'detail') ?? stringAt(details, 'title');
  if (text === undefined || text.trim() === '') return false;
  send(reading, { role: 'system', content: [{ type: 'text', text }], is_meta: true, metadata: { level: 'error' } });
  return true;
}

/** A message without its place and its time. */
type Draft = Omit<Message, 'msg_id' | 'parent_msg_id' | 'timestamp' | 'turn_id'>;

/** Tells a message; what comes after `name` (itself, or the message whose result it is) hangs on it. */
function send({ record, bubble, id, parent, state, given }: Reading, { metadata, ...draft }: Draft, name = id): void {
  const earlier = given.lookup.has(id) ? given.lookup.message(id) : undefined;
  const own = timeOfBubble(record, bubble);
  const time = own ?? earlier?.timestamp ?? state.time ?? given.fallbackTime;
  if (earlier === undefined) state.time = time;
  if (given.lookup.id(fromDatabase) === undefined) given.sink.key(fromDatabase, id);
  const agent = given.file.agentId;
  const turn = stringAt(bubble, 'requestId');
  const marks: MessageMetadata = {
    ...metadata,
    ...(own === undefined ? { timestamp_estimated: true } : {}),
    ...(isObject(record) && record['orphan'] === true ? { recovered: true } : {}),
  };
  given.sink.message({
    msg_id: id,
    parent_msg_id: earlier === undefined ? parent : earlier.parent_msg_id,
    timestamp: time,
    ...draft,
    ...(turn === undefined || turn === '' ? {} : { turn_id: turn }),
    ...(agent === undefined ? {} : { is_sidechain: true, agent_id: agent }),
    ...(Object.keys(marks).length === 0 ? {} : { metadata: marks }),
  });
  given.sink.key(`b:${name}`, id);
}

/** When it was said, where anything tells. Times of the page (since it was opened) are none. */
function timeOfBubble(record: unknown, bubble: Record<string, unknown>): string | undefined {
  return (
    timeOf(bubble['createdAt']) ??
    isoOf(numberAt(bubble, 'createdAt')) ??
    timeOf(objectAt(record, 'header')?.['createdAt']) ??
    isoOf(numberAt(objectAt(bubble, 'timingInfo'), 'clientStartTime'))
  );
}

function modelOf(bubble: Record<string, unknown>, state: MessageState): string | null {
  const named = stringAt(objectAt(bubble, 'modelInfo'), 'modelName') ?? stringAt(bubble, 'modelType');
  if (named !== undefined && named !== '' && named !== 'default') state.model = named;
  return state.model ?? state.chatModel;
}

/** A new answer begins with what is said after a call, and with a call of another answer. */
function responseOf({ id, state, given }: Reading, call: NativeCall | undefined): string {
  const known = given.lookup.has(id) ? given.lookup.message(id)?.metadata?.response_id : undefined;
  if (known !== undefined) return known;
  const isNext =
    state.response === null ||
    (state.hasCalled && call === undefined) ||
    (call?.answer !== undefined && state.answer !== null && call.answer !== state.answer);
  const response = isNext ? id : (state.response ?? id);
  if (isNext) Object.assign(state, { response, hasCalled: false, answer: null });
  if (call !== undefined) {
    state.hasCalled = true;
    state.answer = call.answer ?? state.answer;
  }
  return response;
}

/** A message's id is the session's; a sub-agent's has that one's id in front. */
function idIn(name: string, { file }: Given): string {
  return file.agentId === undefined ? name : `${file.agentId}/${name}`;
}

/** The last message that was made of what Cursor names so; `null`: nothing was said up to it. */
export function messageAt(name: string | null, given: Given): string | null {
  return (name === null ? undefined : given.lookup.id(`b:${idIn(name, given)}`)) || null;
}

/** Nothing was made of it: what follows hangs on what was before. */
function passOver(id: string, parent: string | null, given: Given): void {
  if (given.lookup.id(`b:${id}`) === undefined) given.sink.key(`b:${id}`, parent ?? '');
}

/** Ids of calls may be two with a line break between; chats refer to the first. */
export function firstPart(callId: string): string {
  return callId.split('\n')[0] ?? callId;
}
