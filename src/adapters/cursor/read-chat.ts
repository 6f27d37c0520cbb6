/** Reads what a chat of the editor says of itself: the record `{"chat":{…},"last":"…"}`. */

import type { SessionFacts } from '../../model/facts.ts';
import { listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import type { Disposition, Given } from '../adapter.ts';
import { folderOf, isoOf, pathOfUri, startedBy } from './native.ts';
import { firstPart } from './read-message.ts';

/** What is known of the chat. */
export interface ChatState {
  /** When the last message was said. */
  time: string | null;
  chatModel: string | null;
  /** The message Cursor ends with, and the leaf that was told for it. */
  last: string | null;
  told: string | null;
}

/** Newest version of a chat's record that was seen (3.23). */
const newestVersion = 18;

/** Decodes the record. `last`: the message Cursor ends with. */
export function readChat(
  chat: Record<string, unknown>,
  last: string | null,
  state: ChatState,
  given: Given,
): Disposition {
  const { sink, file } = given;
  state.last = last;
  const model = stringAt(objectAt(chat, 'modelConfig'), 'modelName');
  if (model !== undefined && model !== 'default') state.chatModel = model;
  const created = isoOf(numberAt(chat, 'createdAt') ?? numberAt(chat, 'lastSendTime'));
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
