/** Calls and their results, as a message's `toolFormerData` has them. */

import type { ToolResultBlock, ToolUseBlock } from '../../model/block.ts';
import type { TouchedFile } from '../../model/facts.ts';
import { asJsonObject, isObject, numberAt, objectAt, stringAt } from '../../model/json.ts';
import { jsonOf, pathOfUri } from './native.ts';
import { vocabulary } from './vocabulary.ts';

/** One call with what it gave. */
export interface NativeCall {
  readonly block: ToolUseBlock;
  /** `undefined`: it has not ended. */
  readonly result: ToolResultBlock | undefined;
  readonly files: readonly TouchedFile[];
  /** Calls that were made by one answer share it. */
  readonly answer: string | undefined;
}

/** Names of calls that old records give by number only. */
const names: Readonly<Record<number, string>> = {
  1: 'read_semsearch_files',
  3: 'ripgrep_search',
  5: 'read_file',
  6: 'list_dir',
  7: 'edit_file',
  8: 'file_search',
  9: 'semantic_search_full',
  11: 'delete_file',
  12: 'reapply',
  15: 'run_terminal_command_v2',
  16: 'fetch_rules',
  18: 'web_search',
  19: 'mcp',
  34: 'todo_read',
  35: 'todo_write',
  38: 'edit_file_v2',
  39: 'list_dir_v2',
  40: 'read_file_v2',
  41: 'ripgrep_raw_search',
  42: 'glob_file_search',
  43: 'create_plan',
  48: 'task_v2',
  49: 'call_mcp_tool',
  51: 'ask_question',
};

/**
 * The call of a message; `undefined` when it makes none. One without a tool is a leftover that Cursor ignores too (3.x).
 *
 *     {"tool":15,"toolCallId":"toolu_synth_B","name":"run_terminal_cmd","status":"completed","rawArgs":"{…}",
 *      "params":"{\"command\":\"npm test\",…}","result":"{\"output\":\"1 passing\\n\",\"exitCodeV2\":0,…}"}
 */
export function callOf(bubble: unknown, bubbleId: string): NativeCall | undefined {
  const data = objectAt(bubble, 'toolFormerData');
  const tool = numberAt(data, 'tool');
  const name = stringAt(data, 'name') ?? (tool === undefined ? undefined : (names[tool] ?? `tool_${tool}`));
  if (data === undefined || tool === undefined || name === undefined || name === '') return undefined;
  const id = stringAt(data, 'toolCallId');
  const callId = id === undefined || id === '' ? bubbleId : id;
  const input = inputOf(data, name);
  return {
    block: { type: 'tool_use', tool_use_id: callId, name, input: asJsonObject(input) },
    result: resultOf(data, callId),
    files: filesOf(name, input),
    answer: stringAt(data, 'modelCallId') || undefined,
  };
}

/** What Cursor made of the model's arguments, else these. A question stands in these only. Cut-off JSON stays text. */
function inputOf(data: Record<string, unknown>, name: string): unknown {
  const made = argumentsOf(data['params']);
  const raw = argumentsOf(data['rawArgs']);
  if (name === 'ask_question') return raw ?? made ?? {};
  return made ?? raw ?? data['params'] ?? data['rawArgs'] ?? {};
}

function argumentsOf(value: unknown): Record<string, unknown> | undefined {
  const parsed = isObject(value) ? value : jsonOf(value);
  return isObject(parsed) ? parsed : undefined;
}

function resultOf(data: Record<string, unknown>, callId: string): ToolResultBlock | undefined {
  const status = stringAt(data, 'status');
  const result = isObject(data['result']) ? data['result'] : (jsonOf(data['result']) ?? data['result']);
  const error = data['error'];
  const failed = status === 'error' || status === 'cancelled';
  if (!failed && status !== 'completed' && (result === undefined || result === null)) return undefined;
  if (status === 'loading' || status === 'started') return undefined;
  const said =
    textOf(result) || textOf(isObject(error) || typeof error !== 'string' ? error : (jsonOf(error) ?? error));
  const exitCode = numberAt(result, 'exitCodeV2') ?? numberAt(result, 'exitCode');
  return {
    type: 'tool_result',
    tool_use_id: callId,
    content: said === '' && failed ? (status ?? '') : said,
    ...(failed ? { is_error: true } : {}),
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
  };
}

/** What was printed or read, where a result is just that; else its JSON. */
function textOf(result: unknown): string {
  if (result === undefined || result === null) return '';
  if (typeof result === 'string') return result;
  return stringAt(result, 'output') ?? stringAt(result, 'contents') ?? JSON.stringify(result);
}

const roles = { read: 'read', write: 'written', edit: 'edited' } as const;

/** The file a call is about, and what it does with it; none for a call that is about none. */
export function filesOf(name: string, input: unknown): TouchedFile[] {
  if (name === 'delete_file') {
    const path = pathIn(input);
    return path === undefined ? [] : [{ path, role: 'deleted' }];
  }
  const word = vocabulary.find((one) => one.name === name);
  if (word === undefined || (word.verb !== 'read' && word.verb !== 'write' && word.verb !== 'edit')) return [];
  const path = pathIn(input);
  return path === undefined ? [] : [{ path, role: roles[word.verb] }];
}

/** The file a call names, under any of the names Cursor has had for it. */
export function pathIn(input: unknown): string | undefined {
  for (const key of [
    'relativeWorkspacePath',
    'relative_workspace_path',
    'targetFile',
    'target_file',
    'file_path',
    'path',
  ]) {
    const path = stringAt(input, key);
    if (path !== undefined && path !== '') return path.startsWith('file://') ? pathOfUri(path) : path;
  }
  return undefined;
}
