/**
 * What Cursor writes, looked at leniently. Values of its key-value tables are JSON as text, as UTF-8 bytes, or (older builds)
 * as hexadecimal text; `NULL` is a row that was deleted.
 */

import { isObject, listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';

/** The JSON of a value; `undefined` when it is deleted or none. */
export function jsonOf(value: unknown): unknown {
  const text = textOfValue(value);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOfValue(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (typeof value !== 'string') return undefined;
  return /^(?:7b|5b)(?:[0-9a-f]{2})+$/i.test(value) ? Buffer.from(value, 'hex').toString('utf8') : value;
}

/** One message as the chat's list of them has it. */
export interface Header {
  readonly bubbleId: string;
  /** What else it says, without what repeats the message for the screen. */
  readonly rest: Record<string, unknown>;
  /** The message itself, where an old chat holds it in its list. */
  readonly inline: Record<string, unknown> | undefined;
}

/**
 * The messages of a chat in order, each id once:
 *
 *     {"_v":17,"fullConversationHeadersOnly":[{"bubbleId":"0000…311","type":1,"grouping":{…}}],…}
 *     {"conversation":[{"type":1,"bubbleId":"0000…111","text":"…"}],"capabilities":[{"type":15,"data":{"bubbleDataMap":"{…}"}}]}
 *     {"tabId":"0000…101","chatTitle":"…","bubbles":[{"type":"user","id":"0000…102","text":"…"}]}
 */
export function headersOf(chat: unknown): readonly Header[] {
  const calls = callsOf(chat);
  const headers = new Map<string, Header>();
  for (const entry of listAt(chat, 'fullConversationHeadersOnly')) {
    const bubbleId = stringAt(entry, 'bubbleId');
    if (bubbleId === undefined || bubbleId === '' || headers.has(bubbleId) || !isObject(entry)) continue;
    const { grouping: _grouping, contentHeightHint: _height, ...rest } = entry;
    headers.set(bubbleId, { bubbleId, rest, inline: undefined });
  }
  if (headers.size > 0) return [...headers.values()];
  for (const entry of [...listAt(chat, 'conversation'), ...listAt(chat, 'bubbles')]) {
    const bubbleId = stringAt(entry, 'bubbleId') ?? stringAt(entry, 'id');
    if (bubbleId === undefined || bubbleId === '' || headers.has(bubbleId) || !isObject(entry)) continue;
    const call = calls[bubbleId];
    const inline = isObject(call) && entry['toolFormerData'] === undefined ? { ...entry, toolFormerData: call } : entry;
    headers.set(bubbleId, { bubbleId, rest: {}, inline });
  }
  return [...headers.values()];
}

/** Calls of chats whose messages stand in the list: by message, as JSON in a string. */
function callsOf(chat: unknown): Record<string, unknown> {
  const calls: Record<string, unknown> = {};
  for (const capability of listAt(chat, 'capabilities')) {
    const map = objectAt(capability, 'data')?.['bubbleDataMap'];
    Object.assign(calls, isObject(map) ? map : asObject(jsonOf(map)));
  }
  return calls;
}

/** ISO 8601 of milliseconds since 1970; `undefined` for what lies before 2001 or after 9999. */
export function isoOf(ms: number | undefined): string | undefined {
  return ms !== undefined && ms >= 1e12 && ms <= 253_402_300_799_999
    ? new Date(Math.round(ms)).toISOString()
    : undefined;
}

/** What makes an object of anything. */
export function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/**
 * A chat without its messages, without keys of its encryption, and without what the editor keeps for itself (contents of
 * files, the model's side of the conversation, drafts).
 */
export function chatWithoutMessages(chat: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(chat).filter(([key]) => !leftOut.has(key)));
}

const leftOut: ReadonlySet<string> = new Set([
  'fullConversationHeadersOnly',
  'conversation',
  'bubbles',
  'conversationMap',
  'conversationState',
  'capabilities',
  'codeBlockData',
  'originalFileStates',
  'text',
  'richText',
  'blobEncryptionKey',
  'speculativeSummarizationEncryptionKey',
]);

/**
 * Until when the editor may be at work on the chat: ten minutes after it last said so. Milliseconds since 1970; 0 when it says
 * that it is not.
 */
export function underWayUntil(chat: unknown): number {
  return stringAt(chat, 'status') === 'generating' ? (numberAt(chat, 'lastUpdatedAt') ?? 0) + 600_000 : 0;
}

/** A call that has not ended: its result is still to come. */
export function isRunning(bubble: unknown): boolean {
  const status = stringAt(objectAt(bubble, 'toolFormerData'), 'status');
  return status === 'loading' || status === 'started';
}

/** The absolute local path of a URI, as an object of VS Code or as text; `undefined` for what lies on another machine. */
export function pathOfUri(uri: unknown): string | undefined {
  if (isObject(uri)) {
    if ((stringAt(uri, 'scheme') ?? 'file') !== 'file') return undefined;
    const path = stringAt(uri, 'fsPath') ?? stringAt(uri, 'path');
    return path === undefined ? undefined : withPlainDrive(path);
  }
  if (typeof uri !== 'string') return undefined;
  if (!uri.startsWith('file://')) return uri.startsWith('/') ? uri : undefined;
  try {
    return withPlainDrive(decodeURIComponent(uri.slice('file://'.length)));
  } catch {
    // No valid escape: not a path that anybody meant.
    return undefined;
  }
}

/** `/C:/x` as `c:/x`. */
function withPlainDrive(path: string): string {
  const drive = /^\/?([A-Za-z]):(.*)$/s.exec(path);
  return drive?.[1] === undefined ? path : `${drive[1].toLowerCase()}:${drive[2] ?? ''}`;
}

/** The folder a chat or its entry in an index belongs to; `undefined` where it says none, or one on another machine. */
export function folderOf(chat: unknown): string | undefined {
  return pathOfUri(objectAt(chat, 'workspaceIdentifier')?.['uri']) ?? repositoryOf(chat);
}

function repositoryOf(chat: unknown): string | undefined {
  const isRemote = stringAt(objectAt(objectAt(chat, 'workspaceIdentifier'), 'uri'), 'scheme') ?? 'file';
  return isRemote === 'file' ? stringAt(listAt(chat, 'trackedGitRepos')[0], 'repoPath') : undefined;
}

/** The chat that started this one, and the call it did so with, as far as it says. */
export function startedBy(chat: unknown): { readonly parent: string; readonly call: string | undefined } | undefined {
  const info = objectAt(chat, 'subagentInfo');
  const parent = stringAt(info, 'parentComposerId');
  return parent === undefined ? undefined : { parent, call: stringAt(info, 'toolCallId') };
}
