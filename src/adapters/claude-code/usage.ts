/** Tokens, stop reasons and providers of an API message. */

import { countAt, isObject, objectAt, stringAt } from '../../model/json.ts';
import type { StopReason, Usage } from '../../model/message.ts';

/** The model name of texts that the tool wrote in a model's place. */
export const syntheticModel = '<synthetic>';

/**
 * Tokens of a response; the vendor counts cache reads and writes apart from input, and thinking within output.
 *
 *     {"input_tokens":7,"cache_creation_input_tokens":300,"cache_read_input_tokens":2514,"output_tokens":51,"output_tokens_details":{"thinking_tokens":0}}
 */
export function usageOf(message: Record<string, unknown>): Usage | undefined {
  const usage = message['usage'];
  if (!isObject(usage)) return undefined;
  return {
    input_tokens: countAt(usage, 'input_tokens') ?? 0,
    output_tokens: countAt(usage, 'output_tokens') ?? 0,
    cache_read_tokens: countAt(usage, 'cache_read_input_tokens') ?? 0,
    cache_write_tokens: countAt(usage, 'cache_creation_input_tokens') ?? 0,
    reasoning_tokens: countAt(objectAt(usage, 'output_tokens_details'), 'thinking_tokens') ?? 0,
  };
}

/** The usage as one short text, to see whether it was stated before. */
export function usageKey(usage: Usage): string {
  return `${usage.input_tokens} ${usage.output_tokens} ${usage.cache_read_tokens} ${usage.cache_write_tokens} ${usage.reasoning_tokens}`;
}

const stopReasons: ReadonlySet<string> = new Set<StopReason>([
  'end_turn',
  'tool_use',
  'max_tokens',
  'interrupted',
  'stop_sequence',
]);

/** Is it one of the reasons a message may state? */
export function isStopReason(value: string): value is StopReason {
  return stopReasons.has(value);
}

/** The model that answered; `undefined` for texts of the tool itself. */
export function modelOf(message: Record<string, unknown>): string | undefined {
  const model = stringAt(message, 'model');
  return model === undefined || model === '' || model === syntheticModel ? undefined : model;
}

/** Whose model it is, by its name: a gateway may answer with anybody's. */
export function providerOf(model: string): string | undefined {
  if (model.includes('claude')) return 'anthropic';
  if (model.includes('gemini')) return 'google';
  return /\b(gpt|o\d|codex)/.test(model) ? 'openai' : undefined;
}
