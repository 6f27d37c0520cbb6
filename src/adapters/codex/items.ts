/** `response_item`: what the model sees. Which kind of item is what, and its calls and results. */

import type { Disposition } from '../adapter.ts';
import type { ToolUseBlock } from '../../model/block.ts';
import { asJsonObject, stringAt } from '../../model/json.ts';
import type { JsonObject } from '../../model/json.ts';
import { blocksOf, imageOf, resultBlock, resultBlocks } from './content.ts';
import { decodeAgentMessage, decodeMessage, decodeReasoning, losing, turnOf } from './messages.ts';
import { outputParts } from './native.ts';
import { respond, say, sayResult } from './state.ts';
import type { Scene } from './state.ts';

/** Decodes one response item (the payload's own `type` says which). */
export function decodeItem(scene: Scene): Disposition {
  const type = stringAt(scene.line.payload, 'type') ?? 'none';
  const decode = Object.hasOwn(items, type) ? items[type as keyof typeof items] : undefined;
  if (decode !== undefined) return decode(scene);
  scene.given.sink.loss(`unknown:response_item/${type}`);
  return 'unknown';
}

type Decode = (scene: Scene) => Disposition;

const bookkeeping: Decode = () => 'state';

const items = {
  message: decodeMessage,
  reasoning: decodeReasoning,
  function_call: decodeFunctionCall,
  custom_tool_call: decodeCustomCall,
  local_shell_call: decodeLocalShell,
  tool_search_call: decodeToolSearch,
  web_search_call: decodeWebSearch,
  image_generation_call: decodeImageGeneration,
  function_call_output: decodeOutput,
  custom_tool_call_output: decodeOutput,
  tool_search_output: decodeToolSearchOutput,
  agent_message: decodeAgentMessage,
  // The list of tools, the model's own packed history, and settings: written anew by Codex, unreadable to others.
  additional_tools: bookkeeping,
  compaction: bookkeeping,
  compaction_summary: bookkeeping,
  context_compaction: bookkeeping,
  compaction_trigger: bookkeeping,
  configuration_update: bookkeeping,
  ghost_snapshot: bookkeeping,
} as const satisfies Record<string, Decode>;

/** {"type":"function_call","name":"lookup","namespace":"mcp__docs","arguments":"{\"q\":\"tapir\"}","call_id":"call_…"} */
function decodeFunctionCall(scene: Scene): Disposition {
  const item = scene.line.payload;
  const namespace = stringAt(item, 'namespace');
  const name = stringAt(item, 'name') ?? 'unnamed';
  return call(
    scene,
    namespace === undefined || namespace === '' ? name : `${namespace}.${name}`,
    argumentsOf(item['arguments']),
  );
}

/** Arguments are JSON text; what is none is kept as it is. */
function argumentsOf(value: unknown): JsonObject {
  if (typeof value !== 'string') return asJsonObject(value);
  try {
    return asJsonObject(JSON.parse(value) as unknown);
  } catch {
    // The model wrote broken JSON; Codex answered it with an error. Its words are kept.
    return { input: value };
  }
}

/** {"type":"custom_tool_call","name":"apply_patch","input":"*** Begin Patch\n…","call_id":"call_…"} */
function decodeCustomCall(scene: Scene): Disposition {
  const item = scene.line.payload;
  const name = stringAt(item, 'name') ?? 'unnamed';
  const disposition = call(scene, name, asJsonObject(item['input']));
  if (name === 'exec') scene.state.exec = scene.state.leaf;
  return disposition;
}

/** {"type":"local_shell_call","call_id":"call_…","action":{"type":"exec","command":["ls"],"working_directory":"/w"}} */
function decodeLocalShell(scene: Scene): Disposition {
  return call(scene, 'local_shell', asJsonObject(scene.line.payload['action']));
}

/** {"type":"tool_search_call","call_id":"call_…","execution":"client","arguments":{"query":"lookup"}} */
function decodeToolSearch(scene: Scene): Disposition {
  return call(scene, 'tool_search', argumentsOf(scene.line.payload['arguments']));
}

/** The provider searched by itself; what it found is not recorded. {"type":"web_search_call","id":"ws_…","action":{…}} */
function decodeWebSearch(scene: Scene): Disposition {
  return call(scene, 'web_search', asJsonObject(scene.line.payload['action']));
}

function call(scene: Scene, name: string, input: JsonObject): Disposition {
  const item = scene.line.payload;
  const block: ToolUseBlock = { type: 'tool_use', tool_use_id: callIdOf(scene), name, input };
  respond(scene, { content: [block], turnId: turnOf(item) });
  return 'message';
}

/** A search may have none (the provider made it, and nothing answers it): then the message it hangs on names it. */
function callIdOf({ line, state, given }: Scene): string {
  const before = state.leaf ?? given.file.key;
  return stringAt(line.payload, 'call_id') ?? stringAt(line.payload, 'id') ?? `call-${before.replace(/^msg_/, '')}`;
}

/** The provider made a picture: a call and its result in one. {"type":"image_generation_call","id":"ig_…","result":"iVBORw0…"} */
function decodeImageGeneration(scene: Scene): Disposition {
  const item = scene.line.payload;
  const prompt = stringAt(item, 'revised_prompt');
  const id = callIdOf(scene);
  call(scene, 'image_generation', prompt === undefined ? {} : { revised_prompt: prompt });
  const data = stringAt(item, 'result');
  if (data === undefined || data === '') return 'message';
  const image = imageOf(`data:image/png;base64,${data}`);
  sayResult(scene, [resultBlock(id, ''), image], { result_images: { '1': id } }, true);
  return 'message';
}

/**
 * What a call gave. Without a call id it is context that Codex put in (goals).
 *
 *     {"type":"function_call_output","call_id":"call_…","output":"Chunk ID: 6b8888\nWall time: …\nOutput:\n…"}
 *     {"type":"custom_tool_call_output","call_id":"call_…","output":[{"type":"input_text","text":"…"},{"type":"input_image",…}]}
 */
function decodeOutput(scene: Scene): Disposition {
  const item = scene.line.payload;
  const id = stringAt(item, 'call_id');
  const parts = outputParts(item['output']);
  if (id === undefined) {
    const content = blocksOf(parts, losing(scene));
    if (content.length === 0) return 'state';
    say(scene, { role: 'developer', content, isMeta: true, turnId: turnOf(item) });
    return 'message';
  }
  const content = resultBlocks(id, parts, losing(scene));
  const images = content.slice(1).map((_, index) => [String(index + 1), id] as const);
  sayResult(scene, content, images.length === 0 ? undefined : { result_images: Object.fromEntries(images) });
  return 'message';
}

/** {"type":"tool_search_output","call_id":"call_…","status":"completed","tools":[…]} */
function decodeToolSearchOutput(scene: Scene): Disposition {
  const item = scene.line.payload;
  sayResult(scene, [resultBlock(callIdOf(scene), JSON.stringify(item['tools'] ?? item['output'] ?? []))], undefined);
  return 'message';
}
