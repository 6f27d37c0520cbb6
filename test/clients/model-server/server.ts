/** The scripted model server: one loopback HTTP server, a path prefix for each client that may talk to it. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Aside, Drive, Scratch } from '../../../src/adapters/drive.ts';
import type { ScriptTurn } from '../script.ts';
import { until } from '../until.ts';
import { protocol as anthropicMessages } from './anthropic-messages.ts';
import { choose } from './choose.ts';
import { protocol as geminiGenerate } from './gemini-generate.ts';
import type { HistoryItem } from './history.ts';
import { protocol as openaiResponses } from './openai-responses.ts';
import type { Protocol, WireRequest } from './protocol.ts';

const protocols: Readonly<Record<Drive['protocol'], Protocol>> = {
  'anthropic-messages': anthropicMessages,
  'openai-responses': openaiResponses,
  'gemini-generate': geminiGenerate,
};

/** One recorded request, numbered from 1 per client. */
export type Exchange = {
  readonly number: number;
  readonly path: string;
  readonly body: unknown;
  /** `turn`: a conversation; `plain`: no model reply wanted; else the side request's purpose. */
  readonly about: 'turn' | 'plain' | Aside['about'];
  /** Of a conversation: name of the scripted turn, number of result rounds, whether the reply ended the turn. */
  readonly turn?: string;
  readonly round?: number;
  readonly last?: boolean;
  readonly history: readonly HistoryItem[];
  readonly violations: readonly string[];
};

/** A tool's view of the server, and what it sent. */
export type ModelClient = {
  /** Base address for this client, without a trailing slash. */
  readonly url: string;
  /** Must be called before the first request: how this client's requests are read and its replies spelled. */
  readonly serve: (drive: Drive, scratch: Scratch) => void;
  /** Everything recorded so far, in order of arrival. */
  readonly exchanges: readonly Exchange[];
  /** The newest recorded request of the conversation for which `wanted` holds; waits for it. */
  readonly request: (what: string, wanted: (exchange: Exchange) => boolean, timeoutMs: number) => Promise<Exchange>;
};

/** The running server. */
export type ModelServer = {
  readonly client: (name: string) => ModelClient;
  readonly close: () => Promise<void>;
};

/** Starts on a free loopback port. Requests are also written to `folder/<client>/<number>-<about>.json`. */
export async function startModelServer(turns: readonly ScriptTurn[], folder: string): Promise<ModelServer> {
  const byName = new Map(turns.map((turn) => [turn.name, turn]));
  const clients = new Map<string, (request: WireRequest, response: ServerResponse) => void>();

  const server = createServer((incoming, response) => {
    receive(incoming).then(
      (request) => {
        const [, name = '', rest = ''] = /^\/([^/]+)(.*)$/.exec(request.path) ?? [];
        const handle = clients.get(name);
        if (handle === undefined) answerNotFound(request, response);
        else handle({ ...request, path: rest || '/' }, response);
      },
      (error: unknown) => response.writeHead(400).end(JSON.stringify({ error: { message: String(error) } })),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the model server has no port');

  const client = (name: string): ModelClient => {
    const exchanges: Exchange[] = [];
    const records = join(folder, name);
    mkdirSync(records, { recursive: true });
    return {
      url: `http://127.0.0.1:${address.port}/${name}`,
      exchanges,
      serve: (drive, scratch) => {
        clients.set(name, (request, response) => {
          const exchange = handleRequest(byName, drive, scratch, exchanges.length + 1, request, response);
          exchanges.push(exchange);
          const file = `${String(exchange.number).padStart(4, '0')}-${exchange.about}.json`;
          writeFileSync(join(records, file), JSON.stringify({ method: request.method, ...exchange }, null, 1));
        });
      },
      request: (what, wanted, timeoutMs) =>
        until(what, () => exchanges.findLast((exchange) => exchange.about === 'turn' && wanted(exchange)), timeoutMs),
    };
  };
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { client, close };
}

async function receive(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const raw = decompressed(Buffer.concat(chunks), incoming.headers['content-encoding']).toString();
  const path = new URL(incoming.url ?? '/', 'http://loopback').pathname;
  return { method: incoming.method ?? 'GET', path, body: raw === '' ? undefined : JSON.parse(raw) };
}

function decompressed(bytes: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'zstd') return zstdDecompressSync(bytes);
  if (encoding === 'gzip') return gunzipSync(bytes);
  if (encoding === 'br') return brotliDecompressSync(bytes);
  return bytes;
}

/** Answers one request and returns its record. */
function handleRequest(
  turns: ReadonlyMap<string, ScriptTurn>,
  drive: Drive,
  scratch: Scratch,
  number: number,
  request: WireRequest,
  response: ServerResponse,
): Exchange {
  const { path, body } = request;
  const protocol = protocols[drive.protocol];
  if (!protocol.wantsReply(request)) {
    const answer = protocol.plain(request);
    if (answer === undefined) answerNotFound(request, response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    return { number, path, body, about: 'plain', history: [], violations: [] };
  }
  const history = protocol.history(body, drive.spoken);
  const violations = [...protocol.violations(body), ...halfCharacters(body)];
  const aside = drive.aside(body);
  if (aside !== undefined) {
    protocol.reply(request, [{ type: 'text', text: aside.text, id: `aside${number}` }], response, false);
    return { number, path, body, about: aside.about, history, violations };
  }
  const { turn, round, last, steps, stalls } = choose(turns, history, new Set(protocol.offered(body)), drive, scratch);
  protocol.reply(request, steps, response, stalls);
  return {
    number,
    path,
    body,
    about: 'turn',
    ...(turn === undefined ? {} : { turn }),
    round,
    last,
    history,
    violations,
  };
}

/** All three services refuse a lone surrogate; JSON.stringify escapes a surrogate only when it stands alone. */
function halfCharacters(body: unknown): readonly string[] {
  const found = /(?<!\\)(?:\\\\)*(\\ud[89a-f][0-9a-f]{2})/.exec(JSON.stringify(body) ?? '');
  return found === null ? [] : [`half a character, ${found[1]}`];
}

function answerNotFound({ method, path }: WireRequest, response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { type: 'not_found_error', message: `no route ${method} ${path}` } }));
}
