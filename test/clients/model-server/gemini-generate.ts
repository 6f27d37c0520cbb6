/** The Gemini API: `…:generateContent`, `…:streamGenerateContent` (server-sent events), `…:countTokens`. */

import type { ServerResponse } from 'node:http';
import { type HistoryItem, type Spoken, userItem } from './history.ts';
import { type Fields, fields, roughTokens, rows, string } from './json.ts';
import type { Protocol, WireRequest, WireStep } from './protocol.ts';

/** Gemini generateContent, as Gemini CLI speaks it. */
export const protocol: Protocol = {
  wantsReply: ({ method, path }) => method === 'POST' && /:(?:g|streamG)enerateContent$/.test(path),
  offered: (body) =>
    rows(fields(body)['tools'])
      .flatMap(({ functionDeclarations }) => rows(functionDeclarations))
      .map(({ name }) => string(name)),
  history,
  violations,
  reply,
  plain: ({ method, path, body }) => {
    if (path.endsWith(':countTokens')) return { totalTokens: roughTokens(body) };
    if (/:(?:batchE|e)mbedContents?$/.test(path)) return { embedding: { values: [0, 0] } };
    return method === 'GET' && path.endsWith('/models') ? { models: [{ name: 'models/gemini-2.5-pro' }] } : undefined;
  },
};

type Content = { readonly role: string; readonly parts: readonly Fields[] };

function contentsOf(body: unknown): readonly Content[] {
  return rows(fields(body)['contents']).map(({ role, parts }) => ({
    role: string(role) || 'user',
    parts: rows(parts),
  }));
}

function history(body: unknown, spoken: Spoken): readonly HistoryItem[] {
  const contents = contentsOf(body);
  return contents.flatMap(({ role, parts }, at) => {
    const answers = of('functionResponse', contents[at + 1]?.parts ?? []).map(({ id }) => string(id));
    return parts.flatMap((part, place) => {
      const earlier = of('functionCall', parts.slice(0, place)).length;
      return partItems(role, part, answers[earlier] ?? '', spoken);
    });
  });
}

/** The calls, or the responses, among some parts. */
function of(kind: 'functionCall' | 'functionResponse', parts: readonly Fields[]): readonly Fields[] {
  return parts.filter((part) => part[kind] !== undefined).map((part) => fields(part[kind]));
}

/** `answer`: the id of the response at the same place; some versions send calls without ids (0.38.2). */
function partItems(role: string, part: Fields, answer: string, spoken: Spoken): readonly HistoryItem[] {
  if (part['functionCall'] !== undefined) {
    const call = fields(part['functionCall']);
    return [{ kind: 'call', id: string(call['id']) || answer, name: string(call['name']), input: call['args'] }];
  }
  if (part['functionResponse'] !== undefined) return responseItems(fields(part['functionResponse']));
  if (part['inlineData'] !== undefined) return [{ kind: 'image' }];
  const text = string(part['text']);
  if (part['thought'] === true || text === '') return [];
  return [role === 'model' ? { kind: 'assistant', text } : userItem(text, spoken)];
}

/** `response` is `{output}` or `{error}`; images may hang on `parts`. */
function responseItems(answer: Fields): readonly HistoryItem[] {
  const { output, error } = fields(answer['response']);
  const said = output ?? error ?? answer['response'];
  const text = typeof said === 'string' ? said : JSON.stringify(said ?? '');
  const images = rows(answer['parts']).filter((part) => part['inlineData'] !== undefined);
  return [
    { kind: 'result', id: string(answer['id']), text, ...(error === undefined ? {} : { isError: true }) },
    ...images.map((): HistoryItem => ({ kind: 'image' })),
  ];
}

/** Rules of the public API contract. */
function violations(body: unknown): readonly string[] {
  const found: string[] = [];
  const contents = contentsOf(body);
  if (contents[0] !== undefined && contents[0].role !== 'user') found.push('contents.0: first turn is not of the user');
  const responsesAt = (at: number) =>
    (contents[at]?.parts ?? []).filter((part) => part['functionResponse'] !== undefined);

  for (const [at, { role, parts }] of contents.entries()) {
    if (parts.length === 0) found.push(`contents.${at}: no parts`);
    if (role !== 'user' && role !== 'model') found.push(`contents.${at}: bad role ${role}`);
    parts.forEach((part, place) => found.push(...partFaults(`contents.${at}.parts.${place}`, role, part)));

    const calls = parts.filter((part) => part['functionCall'] !== undefined).length;
    if (calls > 0 && responsesAt(at + 1).length !== calls) {
      found.push(`contents.${at}: ${calls} calls, ${responsesAt(at + 1).length} responses in the next turn`);
    }
    if (calls > 0 && contents[at - 1]?.role === 'model') found.push(`contents.${at}: calls after a turn of the model`);
    const before = contents[at - 1]?.parts.filter((part) => part['functionCall'] !== undefined).length ?? 0;
    if (before === 0 && responsesAt(at).length > 0) found.push(`contents.${at}: responses without calls before them`);
  }
  return found;
}

function partFaults(at: string, role: string, part: Fields): readonly string[] {
  const found: string[] = [];
  if (Object.keys(part).length === 0) found.push(`${at}: empty part`);
  if (part['text'] === '' && part['thoughtSignature'] === undefined) found.push(`${at}: text is empty`);
  for (const kind of ['functionCall', 'functionResponse']) {
    if (part[kind] === undefined) continue;
    const name = string(fields(part[kind])['name']);
    if (!/^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$/.test(name)) found.push(`${at}: bad function name ${name}`);
    if ((kind === 'functionCall') !== (role === 'model')) found.push(`${at}: ${kind} in a turn of role ${role}`);
  }
  return found;
}

function reply(
  { path, body }: WireRequest,
  steps: readonly WireStep[],
  response: ServerResponse,
  stalls: boolean,
): void {
  const inputTokens = roughTokens(fields(body)['contents']);
  const outputTokens = steps.length * 10;
  const chunk = (parts: readonly Fields[], last: boolean) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(last ? { finishReason: 'STOP' } : {}) }],
    usageMetadata: {
      promptTokenCount: inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: inputTokens + outputTokens,
    },
    modelVersion: 'scripted',
    responseId: `resp_${steps[0]?.id ?? 'none'}`,
  });
  if (!path.endsWith(':streamGenerateContent')) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(chunk(steps.map(wirePart), true)));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const pieces = groupCalls(steps);
  pieces.forEach((piece, at) => {
    const data = JSON.stringify(chunk(piece.map(wirePart), !stalls && at === pieces.length - 1));
    // A line separator in the text would end the client's line.
    response.write(`data: ${data.replaceAll('\u2028', '\\u2028')}\r\n\r\n`);
  });
  if (!stalls) response.end();
}

/** Parallel calls come in one chunk, everything else in a chunk of its own. */
function groupCalls(steps: readonly WireStep[]): readonly (readonly WireStep[])[] {
  const calls = steps.filter((step) => step.type === 'call');
  const others = steps.filter((step) => step.type !== 'call').map((step) => [step]);
  return calls.length > 0 ? [...others, calls] : others;
}

function wirePart(step: WireStep): Fields {
  switch (step.type) {
    case 'text':
      return { text: step.text };
    case 'thinking':
      return { text: step.text, thought: true, thoughtSignature: Buffer.from(`signed ${step.id}`).toString('base64') };
    case 'call':
      return { functionCall: { name: step.call.name, args: step.call.input } };
    default:
      return step satisfies never;
  }
}
