/** The Anthropic Messages API: `POST /v1/messages` (JSON or server-sent events), `/v1/messages/count_tokens`. */

import type { ServerResponse } from 'node:http';
import { type HistoryItem, type Spoken, userItem } from './history.ts';
import { type Fields, fields, roughTokens, rows, string } from './json.ts';
import type { Protocol, WireRequest, WireStep } from './protocol.ts';

/** Anthropic Messages, as Claude Code speaks it. */
export const protocol: Protocol = {
  wantsReply: ({ method, path }) => method === 'POST' && path === '/v1/messages',
  offered: (body) => rows(fields(body)['tools']).map(({ name }) => string(name)),
  history,
  violations,
  reply,
  plain: ({ path, body }) => {
    if (path === '/v1/messages/count_tokens') return { input_tokens: roughTokens(body) };
    if (path === '/v1/models') return { data: [], has_more: false };
    return path === '/' || path === '/api/hello' ? {} : undefined;
  },
};

type Message = { readonly role: string; readonly blocks: readonly Fields[] };

/** Messages may carry a string instead of blocks. Mid-conversation `system` messages are context. */
function messagesOf(body: unknown): readonly Message[] {
  return rows(fields(body)['messages']).map(({ role, content }) => ({
    role: string(role),
    blocks: typeof content === 'string' ? [{ type: 'text', text: content }] : rows(content),
  }));
}

function history(body: unknown, spoken: Spoken): readonly HistoryItem[] {
  return messagesOf(body).flatMap(({ role, blocks }) => blocks.flatMap((block) => blockItems(role, block, spoken)));
}

function blockItems(role: string, block: Fields, spoken: Spoken): readonly HistoryItem[] {
  switch (block['type']) {
    case 'text': {
      const text = string(block['text']);
      if (role === 'assistant') return [{ kind: 'assistant', text }];
      return [role === 'user' ? userItem(text, spoken) : { kind: 'context', text }];
    }
    case 'image':
      return [{ kind: 'image' }];
    case 'tool_use':
      return [{ kind: 'call', id: string(block['id']), name: string(block['name']), input: block['input'] }];
    case 'tool_result':
      return resultItems(block, spoken);
    default:
      return [];
  }
}

function resultItems(block: Fields, spoken: Spoken): readonly HistoryItem[] {
  const content = block['content'];
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : rows(content);
  const text = parts.flatMap((part: Fields) => (part['type'] === 'text' ? [spoken(string(part['text']))] : []));
  const images = parts.filter((part: Fields) => part['type'] === 'image');
  return [
    {
      kind: 'result',
      id: string(block['tool_use_id']),
      text: text.join('\n'),
      ...(block['is_error'] === true ? { isError: true } : {}),
    },
    ...images.map((): HistoryItem => ({ kind: 'image' })),
  ];
}

const knownBlocks: ReadonlySet<unknown> = new Set([
  'text',
  'image',
  'document',
  'tool_use',
  'tool_result',
  'thinking',
  'redacted_thinking',
]);

/** Rules of the public API contract. */
function violations(body: unknown): readonly string[] {
  const found: string[] = [];
  const messages = messagesOf(body).filter(({ role }) => role !== 'system');
  if (messages[0] !== undefined && messages[0].role !== 'user')
    found.push('messages.0: first message is not of the user');

  const everUsed = new Set<string>();
  let open: readonly string[] = [];
  for (const [at, { role, blocks }] of messages.entries()) {
    if (blocks.length === 0) found.push(`messages.${at}: empty content`);
    const results = blocks
      .filter((block) => block['type'] === 'tool_result')
      .map((block) => string(block['tool_use_id']));
    for (const id of open)
      if (!results.includes(id)) found.push(`messages.${at}: tool_use ${id} has no tool_result here`);
    for (const id of results) if (!open.includes(id)) found.push(`messages.${at}: tool_result ${id} answers nothing`);
    if (new Set(results).size < results.length) found.push(`messages.${at}: two results for one call`);

    const calls = blocks.filter((block) => block['type'] === 'tool_use').map((block) => string(block['id']));
    for (const id of calls) {
      if (everUsed.has(id)) found.push(`messages.${at}: tool_use id ${id} used before`);
      everUsed.add(id);
    }
    open = calls;
    blocks.forEach((block, place) => found.push(...blockFaults(`messages.${at}.content.${place}`, role, block)));
  }
  if (open.length > 0) found.push(`messages: the last calls ${open.join(', ')} are not answered`);
  return found;
}

function blockFaults(at: string, role: string, block: Fields): readonly string[] {
  const found: string[] = [];
  const type = block['type'];
  if (!knownBlocks.has(type)) found.push(`${at}: unknown block type ${String(type)}`);
  if (type === 'text' && string(block['text']).trim() === '') found.push(`${at}: text is empty`);
  if (type === 'tool_use') {
    if (!/^[A-Za-z0-9_-]+$/.test(string(block['id']))) found.push(`${at}: bad tool_use id ${String(block['id'])}`);
    if (!/^[A-Za-z0-9_-]{1,200}$/.test(string(block['name'])))
      found.push(`${at}: bad tool name ${String(block['name'])}`);
    if (fields(block['input']) !== block['input']) found.push(`${at}: input is not an object`);
  }
  if (type === 'thinking' || type === 'redacted_thinking') {
    if (role !== 'assistant') found.push(`${at}: thinking outside an assistant message`);
    if (type === 'thinking' && string(block['signature']) === '') found.push(`${at}: thinking without a signature`);
  }
  return found;
}

function reply({ body }: WireRequest, steps: readonly WireStep[], response: ServerResponse, stalls: boolean): void {
  const blocks = steps.map(wireBlock);
  const calls = steps.some((step) => step.type === 'call');
  const stopReason = calls ? 'tool_use' : 'end_turn';
  const inputTokens = roughTokens(fields(body)['messages']);
  const usage = {
    input_tokens: 7,
    cache_creation_input_tokens: Math.min(300, inputTokens),
    cache_read_input_tokens: Math.max(0, inputTokens - 300),
    output_tokens: roughTokens(blocks),
    service_tier: 'standard',
  };
  const message = {
    id: `msg_${steps[0]?.id ?? 'none'}`,
    type: 'message',
    role: 'assistant',
    model: fields(body)['model'],
    content: blocks,
    stop_reason: stopReason,
    stop_sequence: null,
    usage,
  };
  if (fields(body)['stream'] !== true) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(message));
    return;
  }

  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const send = (event: { readonly type: string } & Fields) =>
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  send({
    type: 'message_start',
    message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
  });
  blocks.forEach((block, index) => {
    send({ type: 'content_block_start', index, content_block: emptied(block) });
    for (const delta of deltas(block)) send({ type: 'content_block_delta', index, delta });
    if (!stalls || index < blocks.length - 1) send({ type: 'content_block_stop', index });
  });
  if (stalls) return;
  send({ type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage });
  send({ type: 'message_stop' });
  response.end();
}

type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

function wireBlock(step: WireStep): Block {
  switch (step.type) {
    case 'text':
      return { type: 'text', text: step.text };
    case 'thinking':
      return { type: 'thinking', thinking: step.text, signature: signatureOf(step.text) };
    case 'call':
      return { type: 'tool_use', id: `toolu_01${step.id}`, name: step.call.name, input: step.call.input };
    default:
      return step satisfies never;
  }
}

function signatureOf(text: string): string {
  return Buffer.from(`signature of the scripted model: ${text}`).toString('base64');
}

function emptied(block: Block): Block {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '' };
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool_use':
      return { ...block, input: {} };
    default:
      return block satisfies never;
  }
}

function deltas(block: Block): readonly Fields[] {
  switch (block.type) {
    case 'text':
      return halves(block.text).map((text) => ({ type: 'text_delta', text }));
    case 'thinking':
      return [
        ...halves(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block.signature },
      ];
    case 'tool_use':
      return halves(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json }));
    default:
      return block satisfies never;
  }
}

/** Two pieces, so that the client's joining is exercised; no character is cut in two. */
function halves(text: string): readonly string[] {
  const characters = [...text];
  const middle = Math.ceil(characters.length / 2);
  return [characters.slice(0, middle), characters.slice(middle)]
    .map((piece) => piece.join(''))
    .filter((piece) => piece !== '');
}
