/** Totals of a session, counted one message at a time. A tally is plain JSON, so counting can go on later. */

import type { ModelUsage, Stats } from './manifest.ts';
import type { Message, Usage } from './message.ts';
import { baseId, isHuman } from './message.ts';

/** How many recent responses are remembered, so that a response stated again is not counted again. */
const recentLimit = 64;

/** The running totals. Grows only with the number of models, sub-agents and tools. */
export interface Tally {
  messages: number;
  turns: number;
  toolUses: number;
  firstAt: string | null;
  lastAt: string | null;
  /** Tokens by model. */
  models: { [model: string]: ModelUsage };
  /** What recent responses stated: response id → model and usage counted. */
  recent: { id: string; model: string; usage: Usage }[];
  agents: { [agentId: string]: { messages: number; model: string | null } };
  tools: string[];
  /** Model and provider of the newest answer of the main conversation. */
  model: string | null;
  provider: string | null;
}

/** Nothing counted yet. */
export function emptyTally(): Tally {
  return {
    messages: 0,
    turns: 0,
    toolUses: 0,
    firstAt: null,
    lastAt: null,
    models: {},
    recent: [],
    agents: {},
    tools: [],
    model: null,
    provider: null,
  };
}

/** Counts one new message into the tally. A revision counts nothing but the usage it adds; `live_only` text nothing. */
export function count(tally: Tally, message: Message): void {
  if (message.metadata?.live_only === true) return;
  countUsage(tally, message);
  if (baseId(message) !== message.msg_id) return;
  tally.messages += 1;
  if (isHuman(message)) tally.turns += 1;
  if (tally.firstAt === null || message.timestamp < tally.firstAt) tally.firstAt = message.timestamp;
  if (tally.lastAt === null || message.timestamp > tally.lastAt) tally.lastAt = message.timestamp;
  for (const block of message.content) {
    if (block.type !== 'tool_use' || typeof block.name !== 'string') continue;
    tally.toolUses += 1;
    if (!tally.tools.includes(block.name)) tally.tools.push(block.name);
  }
  const agent = message.agent_id;
  if (agent !== undefined && agent !== null) {
    const seen = tally.agents[agent];
    tally.agents[agent] = { messages: (seen?.messages ?? 0) + 1, model: message.model ?? seen?.model ?? null };
  } else if (message.role === 'assistant' && message.model) {
    tally.model = message.model;
    tally.provider = message.provider ?? null;
  }
}

/** The manifest's `stats`. `cost` in US dollars, `null` when unknown. */
export function statsOf(tally: Tally, cost: number | null): Stats {
  let input = 0;
  let output = 0;
  for (const usage of Object.values(tally.models)) {
    input += usage.input_tokens;
    output += usage.output_tokens;
  }
  const duration =
    tally.firstAt !== null && tally.lastAt !== null ? Date.parse(tally.lastAt) - Date.parse(tally.firstAt) : null;
  return {
    message_count: tally.messages,
    turn_count: tally.turns,
    tool_use_count: tally.toolUses,
    total_input_tokens: input,
    total_output_tokens: output,
    estimated_cost_usd: cost,
    duration_ms: duration !== null && Number.isFinite(duration) ? Math.max(0, Math.round(duration)) : null,
  };
}

/** Tokens of one provider response. */
export interface ResponseUsage {
  /** What its messages share as `metadata.response_id`. */
  readonly response: string;
  readonly model: string | null;
  readonly provider: string | null;
  readonly usage: Usage;
}

function countUsage(tally: Tally, message: Message): void {
  const usage = message.usage;
  if (usage === undefined || usage === null) return;
  const response = message.metadata?.response_id ?? baseId(message);
  countResponse(tally, { response, model: message.model ?? null, provider: message.provider ?? null, usage });
}

/** One provider response counts once: where it is stated again with more output (streaming), the difference counts. */
export function countResponse(tally: Tally, stated: ResponseUsage): void {
  const { usage } = stated;
  const before = tally.recent.find((entry) => entry.id === stated.response);
  if (before !== undefined && usage.output_tokens <= before.usage.output_tokens) return;
  const model = before?.model ?? stated.model ?? 'unknown';
  const sum = tally.models[model];
  const added = (field: keyof Usage): number => (sum?.[field] ?? 0) + usage[field] - (before?.usage[field] ?? 0);
  tally.models[model] = {
    provider: stated.provider ?? sum?.provider ?? null,
    responses: (sum?.responses ?? 0) + (before === undefined ? 1 : 0),
    input_tokens: added('input_tokens'),
    output_tokens: added('output_tokens'),
    cache_read_tokens: added('cache_read_tokens'),
    cache_write_tokens: added('cache_write_tokens'),
    reasoning_tokens: added('reasoning_tokens'),
  };
  if (before !== undefined) before.usage = usage;
  else {
    tally.recent.push({ id: stated.response, model, usage });
    if (tally.recent.length > recentLimit) tally.recent.shift();
  }
}
