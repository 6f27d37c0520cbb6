/** From the text of the four files to the model. Strict about what we rely on, lenient about the rest. */

import { SessionFsError } from '../errors.ts';
import type { Block } from '../model/block.ts';
import { isObject, objectAt, stringAt } from '../model/json.ts';
import type { LiveOp } from '../model/live.ts';
import type { Manifest, Tools, Workspace } from '../model/manifest.ts';
import { sfsVersion } from '../model/manifest.ts';
import type { Message, Role } from '../model/message.ts';
import { fitTo } from './fit.ts';
import type { LeftOut, WholeSchema } from './fit.ts';
import { decodeLine } from './line.ts';
import manifestSchema from './schema/manifest.schema.json' with { type: 'json' };
import messageSchema from './schema/message.schema.json' with { type: 'json' };
import toolsSchema from './schema/tools.schema.json' with { type: 'json' };
import workspaceSchema from './schema/workspace.schema.json' with { type: 'json' };

const roles: ReadonlySet<string> = new Set(['user', 'assistant', 'system', 'developer', 'tool'] satisfies Role[]);

const nothing: LeftOut = () => undefined;

/**
 * The manifest; throws `newer-format` or `invalid-session` naming `path` and the field. Fields of other names come below
 * `metadata`; what does not fit the schema is left out and told.
 */
export function decodeManifest(text: string, path: string, leftOut: LeftOut = nothing): Manifest {
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
  const time = zoned(stringAt(value, 'created_at'));
  if (time === undefined) throw invalid(path, 'has no time in "created_at"');
  for (const [field, found] of [
    ['session_id', stringAt(value, 'session_id')],
    ['source.tool', stringAt(objectAt(value, 'source'), 'tool')],
  ])
    if (found === undefined || found === '') throw invalid(path, `has no text in "${field}"`);
  const updated = value['updated_at'] == null ? {} : { updated_at: zoned(stringAt(value, 'updated_at')) ?? '' };
  const known = withOthersBelow({ ...value, created_at: time, ...updated }, manifestSchema.properties);
  const fitted = fitTo(manifestSchema, known, leftOut);
  if (fitted === undefined) throw invalid(path, 'is no manifest');
  // It fits the schema, and the schema is that of the type.
  return fitted as Manifest;
}

/** The object with the fields that have no place of their own below `metadata`, where what is there already stays. */
function withOthersBelow(
  value: Record<string, unknown>,
  places: { readonly [name: string]: unknown },
): Record<string, unknown> {
  const others = Object.entries(value).filter(([name, field]) => !Object.hasOwn(places, name) && field != null);
  if (Object.keys(value).every((name) => Object.hasOwn(places, name))) return value;
  const own = Object.fromEntries(Object.entries(value).filter(([name]) => Object.hasOwn(places, name)));
  return { ...own, metadata: { ...Object.fromEntries(others), ...objectAt(value, 'metadata') } };
}

/** A time with its zone; one without is taken for UTC. `undefined` when it is none. */
function zoned(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const full = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?$/.test(text) ? `${text.replace(' ', 'T')}Z` : text;
  return fitTo({ type: 'string', format: 'date-time' }, full, nothing) === undefined ? undefined : full;
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
 * One message of another writer, who was less strict: what is no proper block is kept whole under the type `malformed`, a
 * message without a time gets `time`, fields of other names come below `metadata`, and what else does not fit the schema is
 * left out. `repairs` is told what was wrong. `undefined` when there is nothing to keep.
 */
export function decodeForeignMessage(text: string, time: string, repairs: (name: string) => void): Message | undefined {
  const value = decodeLine(text);
  if (!isObject(value) || !Array.isArray(value['content'])) return undefined;
  const content = value['content'].map((block: unknown) => foreignBlock(block, repairs));
  const timestamp = zoned(stringAt(value, 'timestamp'));
  if (timestamp === undefined) repairs('message-without-time');
  const known = withOthersBelow({ ...value, content, timestamp: timestamp ?? time }, messageSchema.properties);
  const fitted = fitTo(messageSchema, known, () => repairs('malformed-field'));
  if (fitted === undefined) return undefined;
  // It fits the schema, which leaves the parent out where the type has `null`.
  const message = fitted as Message;
  return { ...message, parent_msg_id: message.parent_msg_id ?? null };
}

const blockSchema = { ...messageSchema.$defs.block, $defs: messageSchema.$defs };

function foreignBlock(block: unknown, repairs: (name: string) => void): unknown {
  const fields: string[] = [];
  const fitted = fitTo(blockSchema, block, (path) => fields.push(path));
  if (!isObject(fitted) || !isWellFormed(fitted)) {
    repairs('malformed-block');
    return { type: 'malformed', block };
  }
  for (const _ of fields) repairs('malformed-field');
  return lacksResultText(fitted) ? { ...fitted, content: '' } : fitted;
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

/** The workspace; `undefined` when the text is not one. What does not fit the schema is left out and told. */
export function decodeWorkspace(text: string | undefined, leftOut: LeftOut = nothing): Workspace | undefined {
  // It fits the schema, and the schema is that of the type.
  return decodeWhole(workspaceSchema, text, leftOut) as Workspace | undefined;
}

/** The tools; `undefined` when the text is no object. What does not fit the schema is left out and told. */
export function decodeTools(text: string | undefined, leftOut: LeftOut = nothing): Tools | undefined {
  // It fits the schema, and the schema is that of the type.
  return decodeWhole(toolsSchema, text, leftOut) as Tools | undefined;
}

function decodeWhole(schema: WholeSchema, text: string | undefined, leftOut: LeftOut): unknown {
  if (text === undefined) return undefined;
  const fitted = fitTo(schema, decodeLine(text), leftOut);
  if (fitted === undefined) leftOut('/');
  return fitted;
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
      return (
        typeof stringAt(block['source'], 'type') === 'string' && typeof stringAt(block['source'], 'data') === 'string'
      );
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
