/** The OpenAI Responses API: `POST /v1/responses` as server-sent events, `/v1/models`. */

import type { ServerResponse } from 'node:http';
import { type HistoryItem, type Spoken, userItem } from './history.ts';
import { type Fields, fields, roughTokens, rows, string } from './json.ts';
import type { Protocol, WireRequest, WireStep } from './protocol.ts';

/** OpenAI Responses, as Codex speaks it. */
export const protocol: Protocol = {
  wantsReply: ({ method, path }) => method === 'POST' && path === '/v1/responses',
  offered: (body) => rows(fields(body)['tools']).flatMap(offeredNames),
  history,
  violations,
  reply,
  plain: ({ path }) => (path === '/v1/models' ? { object: 'list', data: [], models: [] } : undefined),
};

const callTypes: ReadonlySet<string> = new Set(['function_call', 'custom_tool_call', 'local_shell_call']);
const resultTypes: ReadonlySet<string> = new Set([
  'function_call_output',
  'custom_tool_call_output',
  'local_shell_call_output',
]);

/** A tool, or a namespace of tools. */
function offeredNames(tool: Fields): readonly string[] {
  const name = string(tool['name']) || string(tool['type']);
  return tool['type'] === 'namespace' ? rows(tool['tools']).map((each) => `${name}.${string(each['name'])}`) : [name];
}

function inputOf(body: unknown): readonly Fields[] {
  const input = fields(body)['input'];
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : rows(input);
}

function history(body: unknown, spoken: Spoken): readonly HistoryItem[] {
  return inputOf(body).flatMap((item) => itemsOf(item, spoken));
}

function itemsOf(item: Fields, spoken: Spoken): readonly HistoryItem[] {
  const type = string(item['type']) || 'message';
  if (type === 'message') return messageItems(item, spoken);
  if (type === 'agent_message') return contentParts(item['content']).map(({ text }) => userItem(text, spoken));
  if (callTypes.has(type)) {
    const input = type === 'function_call' ? parsed(item['arguments']) : (item['input'] ?? item['action']);
    return [{ kind: 'call', id: string(item['call_id']), name: string(item['name']) || type, input }];
  }
  if (resultTypes.has(type)) {
    const parts = contentParts(item['output']);
    const text = parts.flatMap((part) => (part.image ? [] : [part.text])).join('\n');
    const images = parts.filter((part) => part.image).map((): HistoryItem => ({ kind: 'image' }));
    return [{ kind: 'result', id: string(item['call_id']), text }, ...images];
  }
  return [];
}

function messageItems(item: Fields, spoken: Spoken): readonly HistoryItem[] {
  return contentParts(item['content']).map(({ text, image }): HistoryItem => {
    if (image) return { kind: 'image' };
    if (item['role'] === 'assistant') return { kind: 'assistant', text };
    return item['role'] === 'user' ? userItem(text, spoken) : { kind: 'context', text };
  });
}

/** Content and outputs are a string, a list of parts, or (old files) an object with `content`. */
function contentParts(content: unknown): readonly { readonly text: string; readonly image: boolean }[] {
  if (typeof content === 'string') return [{ text: content, image: false }];
  if (!Array.isArray(content)) return contentParts(fields(content)['content'] ?? []);
  return rows(content).map((part) => ({ text: string(part['text']), image: part['type'] === 'input_image' }));
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(string(text));
  } catch {
    return text;
  }
}

/** Rules of the public API contract for stateless requests. */
function violations(body: unknown): readonly string[] {
  const found: string[] = [];
  const called = new Map<string, number>();
  const answered = new Set<string>();
  for (const [at, item] of inputOf(body).entries()) {
    const type = string(item['type']) || 'message';
    const id = string(item['call_id']);
    if (callTypes.has(type)) {
      if (called.has(id)) found.push(`input.${at}: call_id ${id} used before`);
      called.set(id, at);
      found.push(...callFaults(`input.${at}`, type, item));
    }
    if (resultTypes.has(type)) {
      if (!called.has(id)) found.push(`input.${at}: output ${id} answers no call`);
      if (answered.has(id)) found.push(`input.${at}: second output for call ${id}`);
      answered.add(id);
    }
    if (type === 'message' && contentParts(item['content']).length === 0) found.push(`input.${at}: message is empty`);
    if (type === 'reasoning' && fields(body)['store'] !== true && string(item['encrypted_content']) === '') {
      found.push(`input.${at}: reasoning without encrypted_content`);
    }
  }
  for (const [id, at] of called) if (!answered.has(id)) found.push(`input.${at}: call ${id} has no output`);
  return found;
}

function callFaults(at: string, type: string, item: Fields): readonly string[] {
  const found: string[] = [];
  const id = string(item['call_id']);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) found.push(`${at}: bad call_id ${id}`);
  if (type !== 'local_shell_call' && !/^[A-Za-z0-9_-]{1,64}$/.test(string(item['name']))) {
    found.push(`${at}: bad name ${String(item['name'])}`);
  }
  if (type === 'function_call' && fields(parsed(item['arguments'])) !== parsed(item['arguments'])) {
    const input = parsed(item['arguments']);
    if (typeof input !== 'object' || input === null) found.push(`${at}: arguments are not a JSON object`);
  }
  return found;
}

function reply({ body }: WireRequest, steps: readonly WireStep[], response: ServerResponse, stalls: boolean): void {
  const output = steps.map(wireItem);
  const inputTokens = roughTokens(fields(body)['input']);
  const outputTokens = roughTokens(output);
  const completed = {
    id: `resp_${steps[0]?.id ?? 'none'}`,
    object: 'response',
    status: 'completed',
    output,
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + outputTokens,
    },
  };
  if (fields(body)['stream'] !== true) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completed));
    return;
  }

  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, event: Fields) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...event })}\n\n`);
  send('response.created', { response: { id: completed.id } });
  output.forEach((item, output_index) => {
    send('response.output_item.added', { output_index, item: opened(item) });
    if (item['type'] === 'message') {
      const delta = string(rows(item['content'])[0]?.['text']);
      send('response.output_text.delta', { item_id: item['id'], output_index, content_index: 0, delta });
    }
    if (item['type'] === 'reasoning') {
      const place = { item_id: item['id'], output_index, summary_index: 0 };
      send('response.reasoning_summary_part.added', place);
      send('response.reasoning_summary_text.delta', { ...place, delta: string(rows(item['summary'])[0]?.['text']) });
    }
    if (!stalls || output_index < output.length - 1) send('response.output_item.done', { output_index, item });
  });
  if (stalls) return;
  send('response.completed', { response: completed });
  response.end();
}

function wireItem(step: WireStep): Fields {
  switch (step.type) {
    case 'text':
      return {
        type: 'message',
        id: `msg_${step.id}`,
        status: 'completed',
        role: 'assistant',
        // The client ends a response at half a character.
        content: [{ type: 'output_text', text: step.text.toWellFormed(), annotations: [] }],
      };
    case 'thinking':
      return {
        type: 'reasoning',
        id: `rs_${step.id}`,
        summary: [{ type: 'summary_text', text: step.text }],
        encrypted_content: Buffer.from(`encrypted by the scripted model: ${step.text}`).toString('base64'),
      };
    case 'call':
      return callItem(step);
    default:
      return step satisfies never;
  }
}

function callItem({ call, id }: Extract<WireStep, { type: 'call' }>): Fields {
  const common = { status: 'completed', call_id: `call_${id}`, name: call.name };
  if (typeof call.input === 'string')
    return { type: 'custom_tool_call', id: `ctc_${id}`, ...common, input: call.input };
  const namespace = call.namespace === undefined ? {} : { namespace: call.namespace };
  return { type: 'function_call', id: `fc_${id}`, ...common, ...namespace, arguments: JSON.stringify(call.input) };
}

/** An item as it is announced, before its content has come. */
function opened(item: Fields): Fields {
  if (item['type'] === 'message') return { ...item, status: 'in_progress', content: [] };
  if (item['type'] === 'reasoning') return { ...item, summary: [], encrypted_content: null };
  return item;
}
