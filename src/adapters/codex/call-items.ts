/** A written call and its result as response items. */

import type { Call } from '../shared/conversation.ts';
import { sha256Hex } from '../../model/ids.ts';
import type { JsonObject } from '../../model/json.ts';

/** Calls whose input is free text, not JSON. */
const customTools: ReadonlySet<string> = new Set(['apply_patch', 'exec']);

/**
 * A call as a model of Codex makes it: a script or patch as free text, a search by the provider, anything else a function.
 * Codex passes names it does not know to the model as they are.
 */
export function callItem(call: Call, id: string, origin: string): JsonObject {
  if (isHosted(call, origin)) return { type: 'web_search_call', status: 'completed', action: call.input };
  if (isCustom(call)) {
    return { type: 'custom_tool_call', status: 'completed', call_id: id, name: call.name, input: call.input['input'] };
  }
  const { name, namespace } = nameFor(call.name, origin);
  const named = namespace === undefined ? { name } : { name, namespace };
  return { type: 'function_call', ...named, arguments: JSON.stringify(call.input), call_id: id };
}

/** Does the call get another name? */
export function isRenamed(call: Call, origin: string): boolean {
  if (isHosted(call, origin) || isCustom(call)) return false;
  const { name, namespace } = nameFor(call.name, origin);
  return call.name !== (namespace === undefined ? name : `${namespace}.${name}`);
}

/** What the call gave: its text, and `images` as data URLs or addresses. */
export function resultItem(call: Call, id: string, text: string, images: readonly string[]): JsonObject {
  const words = text === '' ? [] : [{ type: 'input_text', text }];
  const pictures = images.map((url) => ({ type: 'input_image', image_url: url }));
  return {
    type: isCustom(call) ? 'custom_tool_call_output' : 'function_call_output',
    call_id: id,
    output: pictures.length === 0 ? text : [...words, ...pictures],
  };
}

/** A search that the provider made while it answered: it has no result in the file. */
export function isHosted(call: Call, origin: string): boolean {
  return call.name === 'web_search' && call.result.from === undefined && origin === 'codex';
}

/** The id of a call in the alphabet and length that the API takes; `thread` keeps made-up ones apart. */
export function callIdFor(id: string, thread: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : `call_${sha256Hex(`${thread}\n${id}`).slice(0, 24)}`;
}

function isCustom(call: Call): boolean {
  return customTools.has(call.name) && typeof call.input['input'] === 'string' && Object.keys(call.input).length === 1;
}

/** A name in the alphabet the API takes. Codex keeps the name of an MCP server's tool apart from the server's. */
function nameFor(name: string, origin: string): { readonly name: string; readonly namespace: string | undefined } {
  const [, namespace, own] =
    origin === 'codex' ? (/^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})$/.exec(name) ?? []) : [];
  if (own !== undefined) return { name: own, namespace };
  const plain = name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
  return { name: plain === '' ? 'unnamed' : plain, namespace: undefined };
}
