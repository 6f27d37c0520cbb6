/** A written call and its result as response items. */

import type { Call } from '../shared/conversation.ts';
import { sha256Hex } from '../../model/ids.ts';
import type { JsonObject } from '../../model/json.ts';

/** Calls whose input is free text, not JSON. */
const customTools: ReadonlySet<string> = new Set(['apply_patch', 'exec']);

/**
 * A call as a model of Codex makes it: a script or patch as free text, a search by the provider, anything else a function.
 * Codex passes names it does not know to the model as they are. `lost` is told when the input cannot be written.
 */
export function callItem(call: Call, id: string, origin: string, lost: () => void): JsonObject {
  if (isHosted(call, origin)) return { type: 'web_search_call', status: 'completed', action: call.input };
  if (isCustom(call)) {
    return { type: 'custom_tool_call', status: 'completed', call_id: id, name: call.name, input: call.input['input'] };
  }
  const dot = origin === 'codex' ? call.name.lastIndexOf('.') : -1;
  const name =
    dot > 0 ? { name: call.name.slice(dot + 1), namespace: call.name.slice(0, dot) } : { name: nameFor(call.name) };
  return { type: 'function_call', ...name, arguments: argumentsOf(call.input, lost), call_id: id };
}

/** What the call gave. `images` are data URLs or addresses. */
export function resultItem(call: Call, id: string, images: readonly string[]): JsonObject {
  const { text } = call.result;
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

/** A name in the alphabet the API takes. */
function nameFor(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
  return plain === '' ? 'unnamed' : plain;
}

function argumentsOf(input: JsonObject, lost: () => void): string {
  try {
    return JSON.stringify(input).toWellFormed();
  } catch {
    // Nested beyond the stack: nothing could have executed it either.
    lost();
    return '{}';
  }
}
