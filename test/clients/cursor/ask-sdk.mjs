/**
 * Asks Cursor's own SDK what a database of `cursor-agent` holds, and lets it go on with it:
 *
 *     node ask-sdk.mjs <folder of the SDK's node_modules> <store.db> <prompt>
 *
 * The SDK reads chats through a store that its user may bring; this one hands it the blobs of the file. Its service is a server
 * on loopback that takes what the SDK sends and never answers. Prints `{"messages":[…],"request":"<hex of agent.v1.AgentRunRequest>"}`.
 */

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [folder = '', path = '', prompt = ''] = process.argv.slice(2);
const patienceMs = 60_000;

const database = new DatabaseSync(path, { readOnly: true });
const row = database.prepare("select value from meta where key = '0'").get();
const meta = JSON.parse(Buffer.from(String(row?.['value']), 'hex').toString('utf8'));

/** Resolves with the body of the first message of a run. */
const { promise: sent, resolve: take } = Promise.withResolvers();

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const isJson = request.headers['content-type'] === 'application/json';
  const url = request.url ?? '';
  const json = (value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (url === '/auth/exchange_user_api_key') return json({ accessToken: 'dummy' });
  if (url === '/v1/models') return json({ items: [{ id: 'dummy-model', displayName: 'Dummy' }] });
  // Held open: the run goes on until this program ends.
  if (url.endsWith('/RunSSE'))
    return response.writeHead(200, { 'content-type': 'application/connect+proto' }).flushHeaders();
  if (url.endsWith('/BidiAppend')) take(Buffer.concat(pieces));
  // Switches and statistics: there are none.
  return isJson
    ? response.writeHead(404).end()
    : response.writeHead(200, { 'content-type': 'application/proto' }).end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
process.env['CURSOR_BACKEND_URL'] = `http://127.0.0.1:${server.address().port}`;
process.env['CURSOR_API_KEY'] = 'dummy';

const load = createRequire(join(folder, 'package.json'));
// Its own SQLite is a native module that an install script would bring; with a store brought along nothing asks for it.
const own = load.resolve('sqlite3', { paths: [load.resolve('@cursor/sdk')] });
load.cache[own] = { id: own, filename: own, loaded: true, exports: { Database: Object } };
const { Agent, composeLocalAgentStore } = load('@cursor/sdk');

const agent = {
  agentId: meta.agentId,
  cwd: process.cwd(),
  status: 'idle',
  name: meta.name,
  createdAt: meta.createdAt,
  updatedAt: meta.createdAt,
  latestCheckpoint: { schemaVersion: 1, rootBlobId: meta.latestRootBlobId },
};
const byId = new Map([[agent.agentId, agent]]);
const runs = new Map();
const events = [];
const blobs = new Map(
  database
    .prepare('select id, data from blobs')
    .all()
    .map(({ id, data }) => [id, data]),
);
const keep = async ({ blobId, data }) => void blobs.set(blobId, data);
const nothing = async () => undefined;
const store = composeLocalAgentStore({
  agents: {
    get: async ({ agentId }) => byId.get(agentId) ?? null,
    create: async ({ agent: made }) => (byId.set(made.agentId, made), made),
    update: async ({ agent: made }) => (byId.set(made.agentId, made), made),
    delete: nothing,
    list: async () => ({ items: [...byId.values()] }),
  },
  checkpoints: {
    get: async ({ blobId }) => blobs.get(blobId) ?? null,
    create: keep,
    update: keep,
    delete: nothing,
    list: async () => ({ items: [...blobs.keys()] }),
  },
  runs: {
    get: async ({ runId }) => runs.get(runId) ?? null,
    create: async ({ run }) => (runs.set(run.runId, run), run),
    update: async ({ run }) => (runs.set(run.runId, run), run),
    delete: nothing,
    list: async () => ({ items: [...runs.values()] }),
  },
  runEvents: {
    append: async (input) => {
      const event = { payload: null, payloadRef: null, idempotencyKey: null, ...input, seq: events.length };
      events.push({ ...event, offset: String(event.seq), createdAt: Date.now() });
      return events.at(-1);
    },
    list: async ({ runId, afterOffset }) => ({
      items: events.filter((event) => event.runId === runId && event.seq > Number(afterOffset ?? -1)),
    }),
    delete: nothing,
  },
});

const messages = await Agent.messages.list(agent.agentId, { runtime: 'local', store });
const resumed = await Agent.resume(agent.agentId, { apiKey: 'dummy', model: { id: 'dummy-model' }, local: { store } });
await resumed.send(prompt);
const late = setTimeout(() => {
  console.error(`the SDK sent no run within ${patienceMs / 1000} s`);
  process.exit(1);
}, patienceMs);
const request = await sent;
clearTimeout(late);
process.stdout.write(JSON.stringify({ messages, request: request.toString('hex') }), () => process.exit(0));
