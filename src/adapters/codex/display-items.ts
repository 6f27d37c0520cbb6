/** `item_completed`: what paginated files show. Commands that ran inside a call of `exec` (code mode) stand here alone. */

import type { Disposition } from '../adapter.ts';
import type { ToolResultBlock } from '../../model/block.ts';
import { asJsonObject, booleanAt, listAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import type { JsonObject } from '../../model/json.ts';
import { linkAgent, pathOf, tellChanges, tellReads } from './facts.ts';
import { sayAside } from './state.ts';
import type { Scene } from './state.ts';
import { commandLine } from './vocabulary.ts';

/** Decodes one display item (its own `type` says which). */
export function decodeDisplay(scene: Scene): Disposition {
  const item = objectAt(scene.line.payload, 'item') ?? {};
  const type = stringAt(item, 'type') ?? 'none';
  const decode = Object.hasOwn(displays, type) ? displays[type as keyof typeof displays] : undefined;
  if (decode !== undefined) return decode(scene, item);
  scene.given.sink.loss(`unknown:item_completed/${type}`);
  return 'unknown';
}

type Decode = (scene: Scene, item: Record<string, unknown>) => Disposition;

const again: Decode = () => 'duplicate';
const bookkeeping: Decode = () => 'state';

const displays = {
  // Said by response items too.
  UserMessage: again,
  AgentMessage: again,
  Reasoning: again,
  Plan: again,
  HookPrompt: again,
  WebSearch: again,
  ImageGeneration: again,
  FunctionCallOutput: again,
  ContextCompaction: again,
  // Done by calls; inside `exec` only here.
  CommandExecution: decodeCommand,
  FileChange: decodeFileChange,
  McpToolCall: decodeMcpCall,
  DynamicToolCall: decodeDynamicCall,
  ImageView: decodeImageView,
  SubAgentActivity: decodeSubAgent,
  CollabAgentToolCall: decodeCollab,
  EnteredReviewMode: bookkeeping,
  ExitedReviewMode: bookkeeping,
  Sleep: bookkeeping,
} as const satisfies Record<string, Decode>;

/**
 * A command. One that a person typed (`source: "user_shell"`) stands in a response item too.
 *
 *     {"type":"CommandExecution","id":"exec-c060…","command":["/bin/bash","-lc","ls"],"cwd":"file:///w","parsed_cmd":[…],
 *      "source":"unified_exec_startup","status":"completed","aggregated_output":"…","exit_code":0,"duration":{"secs":0,"nanos":14582}}
 */
function decodeCommand(scene: Scene, item: Record<string, unknown>): Disposition {
  tellReads(scene, item);
  const command = commandLine(listAt(item, 'command')) ?? '';
  const cwd = stringAt(item, 'cwd');
  const exitCode = numberAt(item, 'exit_code');
  return nested(
    scene,
    item,
    'exec_command',
    { cmd: command, ...(cwd === undefined ? {} : { workdir: pathOf(cwd) }) },
    {
      content: stringAt(item, 'aggregated_output') ?? '',
      ...(exitCode === undefined ? {} : { exit_code: Math.trunc(exitCode) }),
      ...(stringAt(item, 'status') === 'completed' ? {} : { is_error: true }),
    },
  );
}

/** {"type":"FileChange","id":"exec-793f…","changes":{"/w/a.txt":{"type":"add","content":"…"}},"status":"completed","stdout":"…","stderr":""} */
function decodeFileChange(scene: Scene, item: Record<string, unknown>): Disposition {
  tellChanges(scene, item);
  const printed = `${stringAt(item, 'stdout') ?? ''}${stringAt(item, 'stderr') ?? ''}`;
  return nested(
    scene,
    item,
    'apply_patch',
    { changes: asJsonObject(item['changes']) },
    {
      content: printed,
      ...(stringAt(item, 'status') === 'completed' ? {} : { is_error: true }),
    },
  );
}

/** {"type":"McpToolCall","id":"exec-…","server":"docs","tool":"lookup","arguments":{…},"status":"completed","result":{"content":[…]}} */
function decodeMcpCall(scene: Scene, item: Record<string, unknown>): Disposition {
  const error = objectAt(item, 'error');
  const result = objectAt(item, 'result');
  const texts = listAt(result, 'content').map((part) => stringAt(part, 'text') ?? '');
  const failed = error !== undefined || booleanAt(result, 'isError') === true || stringAt(item, 'status') === 'failed';
  const name = `mcp__${stringAt(item, 'server') ?? ''}.${stringAt(item, 'tool') ?? 'unnamed'}`;
  return nested(scene, item, name, asJsonObject(item['arguments']), {
    content: error === undefined ? texts.join('\n') : (stringAt(error, 'message') ?? JSON.stringify(error)),
    ...(failed ? { is_error: true } : {}),
  });
}

/** {"type":"DynamicToolCall","id":"exec-…","tool":"my_tool","arguments":{…},"content_items":[{"type":"inputText","text":"…"}],"success":true} */
function decodeDynamicCall(scene: Scene, item: Record<string, unknown>): Disposition {
  const texts = listAt(item, 'content_items').map((part) => stringAt(part, 'text') ?? '');
  return nested(scene, item, stringAt(item, 'tool') ?? 'unnamed', asJsonObject(item['arguments']), {
    content: texts.join('\n'),
    ...(booleanAt(item, 'success') === false ? { is_error: true } : {}),
  });
}

/** {"type":"ImageView","id":"call_…","path":"file:///w/pixel.png"} */
function decodeImageView(scene: Scene, item: Record<string, unknown>): Disposition {
  const path = pathOf(stringAt(item, 'path') ?? '');
  if (path !== '' && !scene.state.inherited) scene.given.sink.fact({ files: [{ path, role: 'read' }] });
  return nested(scene, item, 'view_image', { path }, { content: '' });
}

/** {"type":"SubAgentActivity","id":"call_…","kind":"started","agent_thread_id":"01a2…","agent_path":"/root/helper_one"} */
function decodeSubAgent(scene: Scene, item: Record<string, unknown>): Disposition {
  if (stringAt(item, 'kind') === 'started') linkAgent(scene, stringAt(item, 'agent_thread_id'), stringAt(item, 'id'));
  return 'fact';
}

/** {"type":"CollabAgentToolCall","id":"call_…","tool":"spawnAgent","receiver_thread_ids":["01a2…"],…} */
function decodeCollab(scene: Scene, item: Record<string, unknown>): Disposition {
  if (!/^spawn/i.test(stringAt(item, 'tool') ?? '')) return 'duplicate';
  for (const receiver of listAt(item, 'receiver_thread_ids')) {
    if (typeof receiver === 'string') linkAgent(scene, receiver, stringAt(item, 'id'));
  }
  return 'fact';
}

/**
 * A call that a script of code mode made: the model sees only what the script printed. It hangs, with its result, on the
 * call of `exec` beside the chain, so that the timeline has it and the live view has not. A direct call says it again.
 */
function nested(
  scene: Scene,
  item: Record<string, unknown>,
  name: string,
  input: JsonObject,
  result: Omit<ToolResultBlock, 'type' | 'tool_use_id'>,
): Disposition {
  const id = stringAt(item, 'id');
  if (id === undefined || !id.startsWith('exec-')) return 'duplicate';
  const turnId = stringAt(scene.line.payload, 'turn_id');
  const metadata = { inside: 'exec' };
  const call = sayAside(
    scene,
    { role: 'assistant', content: [{ type: 'tool_use', tool_use_id: id, name, input }], turnId, metadata },
    scene.state.exec ?? scene.state.leaf,
  );
  sayAside(
    scene,
    { role: 'tool', content: [{ type: 'tool_result', tool_use_id: id, ...result }], turnId, metadata },
    call.msg_id,
  );
  return 'message';
}
