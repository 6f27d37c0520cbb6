/** Reads Cursor's chats: the records that `load` makes of their rows. The README says what becomes what. */

import type { Block } from '../../model/block.ts';
import type { SessionFacts } from '../../model/facts.ts';
import { isObject, listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import type { Message, MessageMetadata } from '../../model/message.ts';
import type { DecoderState, Disposition, FileContext, Given, Reader, SourceFile } from '../adapter.ts';
import { timeOf } from '../shared/time.ts';
import { callOf } from './calls.ts';
import type { NativeCall } from './calls.ts';
import { answerBlocks, attachedPassages, filesNamed, imageBlocks, promptText, usageOf } from './content.ts';
import { discover, fileOf, sourceAt, sourcesIn } from './discover.ts';
import { load } from './load.ts';
import { fromDatabase, readTranscript } from './read-transcript.ts';
import { transcriptOf } from './transcripts.ts';
import { readStore } from './read-store.ts';
import { folderOf, pathOfUri, startedBy } from './native.ts';

/** The reader of Cursor's chats. */
export const reader: Reader = { discover, sourceAt, sourcesIn, fileOf, load, opaque: [], start, decode, settle, holds };

/** What is known while a chat is read. A type, not an interface: it is a `DecoderState`. */
type State = {
  /** When the last message was said. */
  time: string | null;
  /** The model of the last answer that names one, and that of the chat. */
  model: string | null;
  chatModel: string | null;
  /** The answer that messages belong to: its id, whether it has made a call, and how Cursor names it. */
  response: string | null;
  hasCalled: boolean;
  answer: string | null;
  /** The message Cursor ends with, and the leaf that was told for it. */
  last: string | null;
  told: string | null;
  /** Of a transcript. */
  leaf: string | null;
  isKnown: boolean;
};

/** Newest version of a chat's record that was seen (3.23). */
const newestVersion = 18;

function start(_file: FileContext): DecoderState {
  const state: State = {
    time: null,
    model: null,
    chatModel: null,
    response: null,
    hasCalled: false,
    answer: null,
    last: null,
    told: null,
    leaf: null,
    isKnown: false,
  };
  return state;
}

function decode(record: unknown, state: DecoderState, given: Given): Disposition {
  // A state of ours was made by `start`, and JSON keeps its shape.
  const known = state as State;
  if (transcriptOf(given.file.key) !== undefined) return readTranscript(record, known, given);
  if (given.file.key === 'store') return readStore(record, known, given);
  const bubble = stringAt(record, 'bubble');
  if (bubble !== undefined && bubble !== '') return readBubble(record, bubble, known, given);
  const chat = objectAt(record, 'chat');
  if (chat !== undefined) return readChat(chat, stringAt(record, 'last') ?? null, known, given);
  given.sink.loss('unknown:record');
  return 'unknown';
}

function settle(state: DecoderState, given: Given): void {
  const known = state as State; // As in `decode`.
  if (given.file.agentId !== undefined) return;
  const leaf = known.leaf ?? messageAt(known.last, given);
  if (leaf === null || leaf === known.told) return;
  given.sink.live({ op: 'leaf', id: leaf });
  known.told = leaf;
}

/** A transcript beside a database has nothing of its own. */
function holds(_file: SourceFile, state: DecoderState): boolean {
  return !(state as State).isKnown; // As in `decode`.
}

function readChat(chat: Record<string, unknown>, last: string | null, state: State, given: Given): Disposition {
  const { sink, file } = given;
  state.last = last;
  const model = stringAt(objectAt(chat, 'modelConfig'), 'modelName');
  if (model !== undefined && model !== 'default') state.chatModel = model;
  const created = timeAt(numberAt(chat, 'createdAt') ?? numberAt(chat, 'lastSendTime'));
  state.time ??= created ?? null;
  if ((numberAt(chat, '_v') ?? 0) > newestVersion) sink.loss('newer-version:chat');
  if (objectAt(chat, 'latestConversationSummary') !== undefined && state.told === null)
    sink.loss('conversation-summary');
  const files = listAt(chat, 'newlyCreatedFiles').flatMap((one) => pathOfUri(objectAt(one, 'uri')) ?? []);
  if (files.length > 0) sink.fact({ files: files.map((path) => ({ path, role: 'created' })) });
  if (file.agentId === undefined) sink.fact(factsOf(chat, created));
  else {
    const call = callThatStarted(chat, file.agentId, given);
    if (call !== undefined) sink.fact({ agentCalls: { [file.agentId]: call } });
  }
  return 'fact';
}

function factsOf(chat: Record<string, unknown>, created: string | undefined): SessionFacts {
  const title = stringAt(chat, 'name') ?? stringAt(chat, 'chatTitle') ?? stringAt(chat, 'subtitle');
  const cwd = folderOf(chat);
  const branch =
    stringAt(objectAt(chat, 'activeBranch'), 'branchName') ??
    stringAt(chat, 'committedToBranch') ??
    stringAt(chat, 'createdOnBranch') ??
    stringAt(listAt(listAt(chat, 'trackedGitRepos')[0], 'branches')[0], 'branchName');
  return {
    interface: 'ide',
    ...(title === undefined || title.trim() === '' ? {} : { title: { text: title, by: 'model' } }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(branch === undefined ? {} : { git: { branch } }),
    ...(created === undefined ? {} : { createdAt: created }),
  };
}

/** The id of the call that started a sub-agent: it says it, or (before 2.0) its own id ends with it. */
function callThatStarted(chat: unknown, agentId: string, given: Given): string | undefined {
  const stated = startedBy(chat)?.call ?? (agentId.startsWith('task-') ? agentId.slice('task-'.length) : undefined);
  return stated === undefined ? undefined : (given.lookup.id(`call:${firstPart(stated)}`) ?? stated);
}

function readBubble(record: unknown, name: string, state: State, given: Given): Disposition {
  const { sink } = given;
  const bubbleId = idIn(name, given);
  const parent = messageAt(stringAt(record, 'after') ?? null, given);
  const bubble = objectAt(record, 'value');
  if (bubble === undefined) {
    sink.loss(isObject(record) && record['unreadable'] === true ? 'unreadable-message' : 'missing-message');
    passOver(bubbleId, parent, given);
    return 'state';
  }
  if ((numberAt(bubble, '_v') ?? 0) > 3) sink.loss('newer-version:message');
  const said = isPersons(bubble)
    ? readPrompt(record, bubble, bubbleId, parent, state, given)
    : readAnswer(record, bubble, bubbleId, parent, state, given);
  if (said) return 'message';
  passOver(bubbleId, parent, given);
  return 'state';
}

function isPersons(bubble: Record<string, unknown>): boolean {
  return bubble['type'] === 1 || bubble['type'] === 'user';
}

function readPrompt(
  record: unknown,
  bubble: Record<string, unknown>,
  bubbleId: string,
  parent: string | null,
  state: State,
  given: Given,
): boolean {
  const text = promptText(bubble);
  const images = imageBlocks(listAt(record, 'images'));
  const missing = listAt(bubble, 'images').length - images.length;
  for (let left = missing; left > 0; left -= 1) given.sink.loss('image-file-missing');
  for (let left = attachedPassages(bubble); left > 0; left -= 1) given.sink.loss('attached-passage');
  tellFiles(bubble, given);
  const content: Block[] = [...(text.trim() === '' ? [] : [{ type: 'text', text } as const]), ...images];
  if (content.length === 0) return false;
  if (!given.lookup.has(bubbleId)) Object.assign(state, { response: null, hasCalled: false, answer: null });
  const turn = turnOf(bubble);
  send({ id: bubbleId, parent, role: 'user', content, ...turn }, record, bubble, state, given);
  stands(bubbleId, bubbleId, given);
  return true;
}

function readAnswer(
  record: unknown,
  bubble: Record<string, unknown>,
  bubbleId: string,
  parent: string | null,
  state: State,
  given: Given,
): boolean {
  // A notice of the editor's own.
  if (objectAt(bubble, 'serviceStatusUpdate') !== undefined) return false;
  const call = callOf(bubble, bubbleId);
  const content: Block[] = [...answerBlocks(bubble), ...(call === undefined ? [] : [call.block])];
  tellFiles(bubble, given);
  if (content.length === 0) return readError(record, bubble, bubbleId, parent, state, given);
  const response = responseOf(bubbleId, call, state, given);
  const model = modelOf(bubble, state);
  const usage = usageOf(bubble);
  const metadata: MessageMetadata = { response_id: response };
  const common = { ...turnOf(bubble), ...(model === null ? {} : { model }) };
  send(
    {
      id: bubbleId,
      parent,
      role: 'assistant',
      content,
      metadata,
      ...common,
      ...(usage === undefined ? {} : { usage }),
    },
    record,
    bubble,
    state,
    given,
  );
  if (call !== undefined) {
    given.sink.key(`call:${firstPart(call.block.tool_use_id)}`, call.block.tool_use_id);
    if (call.files.length > 0) given.sink.fact({ files: call.files });
  }
  if (call?.result === undefined) stands(bubbleId, bubbleId, given);
  else {
    const id = `${bubbleId}:result`;
    send(
      { id, parent: bubbleId, role: 'tool', content: [call.result], ...turnOf(bubble) },
      record,
      bubble,
      state,
      given,
    );
    stands(bubbleId, id, given);
  }
  return true;
}

/** An answer that failed says so in words of its own. */
function readError(
  record: unknown,
  bubble: Record<string, unknown>,
  bubbleId: string,
  parent: string | null,
  state: State,
  given: Given,
): boolean {
  const details = objectAt(bubble, 'errorDetails');
  const text = stringAt(details, 'message') ?? stringAt(details, 'detail') ?? stringAt(details, 'title');
  if (text === undefined || text.trim() === '') return false;
  const content: Block[] = [{ type: 'text', text }];
  const metadata = { level: 'error' };
  send({ id: bubbleId, parent, role: 'system', content, is_meta: true, metadata }, record, bubble, state, given);
  stands(bubbleId, bubbleId, given);
  return true;
}

/** A message without its place in time. */
type Draft = Omit<Message, 'msg_id' | 'parent_msg_id' | 'timestamp'> & {
  readonly id: string;
  readonly parent: string | null;
};

function send(
  { id, parent, metadata, ...draft }: Draft,
  record: unknown,
  bubble: Record<string, unknown>,
  state: State,
  given: Given,
): void {
  const earlier = given.lookup.has(id) ? given.lookup.message(id) : undefined;
  const own = timeOfBubble(record, bubble);
  const time = own ?? earlier?.timestamp ?? state.time ?? given.fallbackTime;
  if (earlier === undefined) state.time = time;
  if (given.lookup.id(fromDatabase) === undefined) given.sink.key(fromDatabase, id);
  const agent = given.file.agentId;
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
    ...(agent === undefined ? {} : { is_sidechain: true, agent_id: agent }),
    ...(Object.keys(marks).length === 0 ? {} : { metadata: marks }),
  });
}

/** When it was said, where anything tells. Times of the page (since it was opened) are none. */
function timeOfBubble(record: unknown, bubble: Record<string, unknown>): string | undefined {
  return (
    timeOf(bubble['createdAt']) ??
    timeAt(numberAt(bubble, 'createdAt')) ??
    timeOf(objectAt(record, 'header')?.['createdAt']) ??
    timeAt(numberAt(objectAt(bubble, 'timingInfo'), 'clientStartTime'))
  );
}

/** ISO 8601 of milliseconds since 1970; `undefined` for what lies before 2001 or after 9999. */
function timeAt(ms: number | undefined): string | undefined {
  return ms === undefined || ms < 1e12 || ms > 253_402_300_799_999 ? undefined : new Date(Math.round(ms)).toISOString();
}

function modelOf(bubble: Record<string, unknown>, state: State): string | null {
  const named = stringAt(objectAt(bubble, 'modelInfo'), 'modelName') ?? stringAt(bubble, 'modelType');
  if (named !== undefined && named !== '' && named !== 'default') state.model = named;
  return state.model ?? state.chatModel;
}

function turnOf(bubble: Record<string, unknown>): { readonly turn_id?: string } {
  const request = stringAt(bubble, 'requestId');
  return request === undefined || request === '' ? {} : { turn_id: request };
}

/** A new answer begins with what is said after a call, and with a call of another answer. */
function responseOf(bubbleId: string, call: NativeCall | undefined, state: State, given: Given): string {
  const known = given.lookup.has(bubbleId) ? given.lookup.message(bubbleId)?.metadata?.response_id : undefined;
  if (known !== undefined) return known;
  const isNext =
    state.response === null ||
    (state.hasCalled && call === undefined) ||
    (call?.answer !== undefined && state.answer !== null && call.answer !== state.answer);
  const response = isNext ? bubbleId : (state.response ?? bubbleId);
  if (isNext) Object.assign(state, { response, hasCalled: false, answer: null });
  if (call !== undefined) {
    state.hasCalled = true;
    state.answer = call.answer ?? state.answer;
  }
  return response;
}

function tellFiles(bubble: unknown, given: Given): void {
  const files = filesNamed(bubble);
  if (files.length > 0) given.sink.fact({ files });
}

/** A message's id is the session's; a sub-agent's has that one's id in front. */
function idIn(bubbleId: string, { file }: Given): string {
  return file.agentId === undefined ? bubbleId : `${file.agentId}/${bubbleId}`;
}

/** The last message that was made of a bubble; `null`: nothing was said up to it. */
function messageAt(bubbleId: string | null, given: Given): string | null {
  return (bubbleId === null ? undefined : given.lookup.id(`b:${idIn(bubbleId, given)}`)) || null;
}

function stands(bubbleId: string, id: string, given: Given): void {
  given.sink.key(`b:${bubbleId}`, id);
}

/** Nothing was made of it: what follows hangs on what was before. */
function passOver(bubbleId: string, parent: string | null, given: Given): void {
  if (given.lookup.id(`b:${bubbleId}`) === undefined) given.sink.key(`b:${bubbleId}`, parent ?? '');
}

/** Ids of calls may be two with a line break between; chats refer to the first. */
function firstPart(callId: string): string {
  return callId.split('\n')[0] ?? callId;
}
