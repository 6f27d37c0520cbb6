/** Tokens of a response, as Codex states them. */

import type { Disposition } from '../adapter.ts';
import { countAt, objectAt, stringAt } from '../../model/json.ts';
import type { Usage } from '../../model/message.ts';
import { countUsage } from './state.ts';
import type { Scene } from './state.ts';

/**
 * One record a response, since 0.160.
 *
 *     {"type":"token_usage_record","payload":{"response_id":"resp_…","usage":{"input_tokens":6941,"cached_input_tokens":3470,
 *      "cache_write_input_tokens":0,"output_tokens":42,"reasoning_output_tokens":7,"total_tokens":6983},"thread_token_usage":{…}}}
 */
export function decodeUsageRecord(scene: Scene): Disposition {
  const { payload } = scene.line;
  const usage = usageOf(objectAt(payload, 'usage'));
  scene.state.totalTokens = countAt(objectAt(payload, 'thread_token_usage'), 'total_tokens') ?? scene.state.totalTokens;
  if (usage !== undefined) countUsage(scene, usage, stringAt(payload, 'response_id') ?? 'response-without-id');
  return 'fact';
}

/**
 * The running total, stated again and again. What it says of the last response counts only where nothing else did.
 *
 *     {"type":"token_count","info":{"total_token_usage":{…},"last_token_usage":{…},"model_context_window":258400},"rate_limits":{…}}
 */
export function decodeTokenCount(scene: Scene): Disposition {
  const { state, line } = scene;
  const info = objectAt(line.payload, 'info');
  const total = countAt(objectAt(info, 'total_token_usage'), 'total_tokens');
  if (total === undefined || total === state.totalTokens) return 'duplicate';
  state.totalTokens = total;
  const usage = usageOf(objectAt(info, 'last_token_usage'));
  if (usage === undefined || state.model === null || state.response === null) return 'state';
  countUsage(scene, usage, '');
  return 'fact';
}

/** OpenAI's input includes what came from and went to the cache; its output includes the reasoning. */
function usageOf(usage: unknown): Usage | undefined {
  const input = countAt(usage, 'input_tokens');
  const output = countAt(usage, 'output_tokens');
  if (input === undefined || output === undefined || input + output === 0) return undefined;
  const read = countAt(usage, 'cached_input_tokens') ?? 0;
  const written = countAt(usage, 'cache_write_input_tokens') ?? 0;
  return {
    input_tokens: Math.max(0, input - read - written),
    output_tokens: output,
    cache_read_tokens: read,
    cache_write_tokens: written,
    reasoning_tokens: countAt(usage, 'reasoning_output_tokens') ?? 0,
  };
}
