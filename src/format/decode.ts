/** From the text of the four files to the model. Strict about what we rely on, lenient about the rest. */

import { SessionFsError } from '../errors.ts';
import type { Block } from '../model/block.ts';
import { isObject, objectAt, stringAt } from '../model/json.ts';
import type { LiveOp } from '../model/live.ts';
import type { Manifest, Tools, Workspace } from '../model/manifest.ts';
import { sfsVersion } from '../model/manifest.ts';
import type { Message, Role } from '../model/message.ts';
import { decodeLine } from './line.ts';

const roles: ReadonlySet<string> = new Set(['user', 'assistant', 'system', 'developer', 'tool'] satisfies Role[]);

/** The manifest; throws `newer-format` or `invalid-session` naming `path` and the field. */
export function decodeManifest(text: string, path: string): Manifest {
  const value = decodeLine(text);
  if (!isObject(value)) throw invalid(path, 'is not a JSON object');
  const version = stringAt(value, 'sfs_version');
  if (version === undefined) throw invalid(path, 'has no "sfs_version"');
  if (version !== sfsVersion) {
    throw isNewer(version)
      ? new SessionFsError(
          'newer-format',
          `${path} is of format ${version}; this version reads ${sfsVersion}`,
          'update SessionFS: npm install -g sessionfs@latest',
        )
      : invalid(path, `states sfs_version ${JSON.stringify(version)}, which never existed`);
  }
  for (const field of ['session_id', 'created_at']) {
    if (stringAt(value, field) === undefined) throw invalid(path, `has no text in "${field}"`);
  }
  if (stringAt(objectAt(value, 'source'), 'tool') === undefined) throw invalid(path, 'has no text in "source.tool"');
  // The fields every caller relies on are checked above; the others are optional and read leniently.
  return value as unknown as Manifest;
}

/** One message; `undefined` when the line is not one (it is then left where it is and counted by the caller). */
export function decodeMessage(text: string): Message | undefined {
  const value = decodeLine(text);
  if (!isObject(value) || typeof value['msg_id'] !== 'string' || typeof value['timestamp'] !== 'string')
    return undefined;
  if (typeof value['role'] !== 'string' || !roles.has(value['role']) || !Array.isArray(value['content']))
    return undefined;
  if (!value['content'].every((block) => isObject(block) && isWellFormed(block))) return undefined;
  const parent = value['parent_msg_id'];
  // Checked: id, role, time and the blocks. What is optional stays as the writer put it.
  const message = value as unknown as Message;
  const content = value['content'].some(lacksResultText) ? value['content'].map(withResultText) : message.content;
  const parentId = typeof parent === 'string' ? parent : null;
  return content === message.content && parent === parentId
    ? message
    : { ...message, content, parent_msg_id: parentId };
}

/**
 * One message of another writer, who was less strict: what is no proper block is kept whole under the type `malformed`, and
 * a message without a time gets `time`. `repairs` is told what was wrong. `undefined` when there is nothing to keep.
 */
export function decodeForeignMessage(text: string, time: string, repairs: (name: string) => void): Message | undefined {
  const proper = decodeMessage(text);
  if (proper !== undefined) return proper.content.length === 0 ? undefined : proper;
  const value = decodeLine(text);
  if (!isObject(value) || !Array.isArray(value['content']) || value['content'].length === 0) return undefined;
  const content = value['content'].map((block: unknown): unknown => {
    if (isObject(block) && isWellFormed(block)) return block;
    repairs('malformed-block');
    return { type: 'malformed', block };
  });
  const isTimed = typeof value['timestamp'] === 'string';
  if (!isTimed) repairs('message-without-time');
  return decodeMessage(JSON.stringify({ ...value, content, timestamp: isTimed ? value['timestamp'] : time }));
}

/** A result may leave its text out; everybody here relies on it. */
function lacksResultText(block: { readonly type?: unknown; readonly content?: unknown }): boolean {
  return block.type === 'tool_result' && block.content === undefined;
}

function withResultText(block: Block): Block {
  return lacksResultText(block) ? { ...block, content: '' } : block;
}

/** One live view operation; `undefined` when the line is none this version knows. */
export function decodeLiveOp(text: string): LiveOp | undefined {
  const value = decodeLine(text);
  if (!isObject(value)) return undefined;
  const { op, id, at } = value;
  if ((op === 'leaf' || op === 'rewind') && (typeof id === 'string' || id === null)) return { op, id };
  if (op === 'replace' && typeof at === 'string' && Array.isArray(value['with'])) {
    return { op, at, with: value['with'].filter((item) => typeof item === 'string') };
  }
  return undefined;
}

/** The workspace; `undefined` when the text is not one. */
export function decodeWorkspace(text: string | undefined): Workspace | undefined {
  const value = text === undefined ? undefined : decodeLine(text);
  // Only the required field is relied on.
  return isObject(value) && typeof value['root_path'] === 'string' ? (value as unknown as Workspace) : undefined;
}

/** The tools; `undefined` when the text is no object. */
export function decodeTools(text: string | undefined): Tools | undefined {
  const value = text === undefined ? undefined : decodeLine(text);
  return isObject(value) ? (value as Tools) : undefined;
}

/** The fields a known block must have; other kinds need only a type. */
function isWellFormed(block: Record<string, unknown>): boolean {
  switch (block['type']) {
    case 'text':
    case 'thinking':
    case 'summary':
      return typeof block['text'] === 'string';
    case 'tool_use':
      return typeof block['tool_use_id'] === 'string' && typeof block['name'] === 'string' && isObject(block['input']);
    case 'tool_result':
      return (
        typeof block['tool_use_id'] === 'string' &&
        (block['content'] === undefined || typeof block['content'] === 'string')
      );
    case 'image':
      return isObject(block['source']) && typeof block['source']['type'] === 'string';
    default:
      return typeof block['type'] === 'string';
  }
}

function isNewer(version: string): boolean {
  const parts = version.split('.').map(Number);
  const ours = sfsVersion.split('.').map(Number);
  for (const [index, part] of parts.entries()) {
    if (!Number.isInteger(part)) return false;
    const own = ours[index] ?? 0;
    if (part !== own) return part > own;
  }
  return false;
}

function invalid(path: string, what: string): SessionFsError {
  return new SessionFsError(
    'invalid-session',
    `${path} ${what}`,
    'import the session again from its source, or restore the file from a copy',
  );
}
