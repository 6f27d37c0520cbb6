/**
 * An MCP server over standard input and output with one tool that no other program knows. `argv[2]`: a file that is made
 * once a client has asked for the tools.
 */

import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fields, string } from './model-server/json.ts';

const tool = {
  name: 'prune',
  description: 'Prunes a tree of the orchard.',
  inputSchema: {
    type: 'object',
    properties: { tree: { type: 'string' }, cuts: { type: 'object' } },
    required: ['tree'],
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = fields(JSON.parse(line));
  if (id === undefined) return;
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: answer(string(method), fields(params)) })}\n`);
  if (method === 'tools/list') writeFileSync(process.argv[2] ?? '', '');
});

function answer(method: string, params: ReturnType<typeof fields>): unknown {
  if (method === 'initialize') {
    const serverInfo = { name: 'grove', version: '1.0.0' };
    return { protocolVersion: params['protocolVersion'], capabilities: { tools: {} }, serverInfo };
  }
  if (method === 'tools/list') return { tools: [tool] };
  if (method !== 'tools/call') return {};
  const tree = string(fields(params['arguments'])['tree']);
  return { content: [{ type: 'text', text: `The ${tree} has lost three twigs.` }] };
}
