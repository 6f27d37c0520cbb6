/** How a written call is shown in Codex's own transcript. */

import type { Call } from '../shared/conversation.ts';
import type { JsonObject } from '../../model/json.ts';
import { stringAt } from '../../model/json.ts';
import { printedText } from './content.ts';
import { addedText, parsePatch, unifiedDiff } from './patch.ts';
import { vocabulary } from './vocabulary.ts';

/** A call to be shown. */
export interface Shown {
  readonly call: Call;
  /** The native call id, which is the item's too. */
  readonly id: string;
  readonly cwd: string;
  /** Who made calls that Codex has no words for: the tool the session comes from. */
  readonly server: string;
}

/** Codex cuts what a command printed to so many characters in its own display items (0.169). */
const printedLimit = 64 << 10;

/** The display item of a call: a command, a change of files, a picture looked at, else a call of a foreign tool. */
export function displayOf(shown: Shown): JsonObject {
  return commandOf(shown) ?? fileChangeOf(shown) ?? imageViewOf(shown) ?? foreignCallOf(shown);
}

function commandOf({ call, id, cwd }: Shown): JsonObject | undefined {
  for (const word of vocabulary) {
    if (word.verb !== 'shell' || word.name !== call.name) continue;
    const common = word.read(call.input);
    if (common?.verb !== 'shell') continue;
    return {
      type: 'CommandExecution',
      id,
      process_id: null,
      command: ['/bin/bash', '-lc', common.command],
      cwd: fileUrl(common.cwd?.startsWith('/') === true ? common.cwd : cwd),
      parsed_cmd: [{ type: 'unknown', cmd: common.command }],
      source: 'agent',
      status: statusOf(call),
      aggregated_output: cut(printedText(call.result.text)),
      exit_code: call.result.exitCode ?? (call.result.isError ? 1 : 0),
      duration: durationOf(call),
    };
  }
  return undefined;
}

function fileChangeOf({ call, id, cwd }: Shown): JsonObject | undefined {
  if (call.name !== 'apply_patch') return undefined;
  const patches = parsePatch(stringAt(call.input, 'input') ?? stringAt(call.input, 'patch') ?? '');
  if (patches === undefined || patches.length === 0) return undefined;
  const changes = patches.map((patch): [string, JsonObject] => {
    const path = patch.path.startsWith('/') ? patch.path : `${cwd}/${patch.path}`;
    if (patch.kind === 'add') return [path, { type: 'add', content: addedText(patch) }];
    if (patch.kind === 'delete') return [path, { type: 'delete', content: '' }];
    return [path, { type: 'update', unified_diff: unifiedDiff(patch), move_path: patch.moveTo ?? null }];
  });
  const printed = cut(printedText(call.result.text));
  const { isError } = call.result;
  return {
    type: 'FileChange',
    id,
    changes: Object.fromEntries(changes),
    status: statusOf(call),
    stdout: isError ? '' : printed,
    stderr: isError ? printed : '',
  };
}

function imageViewOf({ call, id, cwd }: Shown): JsonObject | undefined {
  const path = call.name === 'view_image' ? stringAt(call.input, 'path') : undefined;
  if (path === undefined || path === '' || call.result.isError) return undefined;
  return { type: 'ImageView', id, path: fileUrl(path.startsWith('/') ? path : `${cwd}/${path}`) };
}

function foreignCallOf({ call, id, server }: Shown): JsonObject {
  const own = /^mcp__(.+?)(?:__|\.)(.+)$/.exec(call.name);
  const { isError, text } = call.result;
  return {
    type: 'McpToolCall',
    id,
    server: own?.[1] ?? server,
    tool: own?.[2] ?? call.name,
    arguments: isShallow(call.input) ? call.input : {},
    status: statusOf(call),
    result: { content: [{ type: 'text', text: cut(text) }], ...(isError ? { isError: true } : {}) },
    duration: durationOf(call),
  };
}

/** Codex's JSON reader gives up at 128 levels and then drops the line. */
function isShallow(value: unknown, left = 100): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((inner) => isShallow(inner, left - 1));
}

function statusOf(call: Call): string {
  return call.result.isError ? 'failed' : 'completed';
}

function durationOf(call: Call): JsonObject {
  const milliseconds = Math.max(0, call.result.durationMs ?? 0);
  return { secs: Math.floor(milliseconds / 1000), nanos: Math.round((milliseconds % 1000) * 1_000_000) };
}

function cut(text: string): string {
  return text.length <= printedLimit ? text : text.slice(0, printedLimit).toWellFormed();
}

/** `/w/a b.txt` → `file:///w/a%20b.txt`. */
function fileUrl(path: string): string {
  return `file://${path.toWellFormed().split('/').map(encodeURIComponent).join('/')}`;
}
