/** A program that is asked by JSON-RPC, one JSON value a line on its standard input and output. */

import { spawn } from 'node:child_process';
import { fields } from './model-server/json.ts';
import type { Surroundings } from './run-program.ts';

/** A running program to ask. */
export type JsonRpc = {
  /** The `result` of a call. Throws with what the program says where it refuses, and when it ends before it answers. */
  readonly call: (method: string, params: unknown) => Promise<unknown>;
  /** What it has sent without being asked, in order. */
  readonly notices: readonly { readonly method: unknown; readonly params: unknown }[];
  readonly notify: (method: string) => void;
  readonly close: () => void;
};

/** Starts `argv`. */
export function startJsonRpc([program = '', ...words]: readonly string[], { env, cwd }: Surroundings): JsonRpc {
  const child = spawn(program, words, { env, cwd, stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (why: Error) => void }>();
  const notices: { method: unknown; params: unknown }[] = [];
  const end = (why: string) => {
    for (const { reject } of waiting.values()) reject(new Error(`${program}: ${why}`));
    waiting.clear();
  };
  child.on('error', ({ message }) => end(message));
  child.on('close', () => end('it ended before it answered'));
  const take = (line: string) => {
    const { id, result, error, method, params } = fields(JSON.parse(line));
    const asked = typeof id === 'number' ? waiting.get(id) : undefined;
    if (asked === undefined || typeof id !== 'number') {
      notices.push({ method, params });
      return;
    }
    waiting.delete(id);
    if (error === undefined) asked.resolve(result);
    else asked.reject(new Error(String(fields(error)['message'])));
  };
  // Not by `readline`, for which U+2028 ends a line too.
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    lines.filter((line) => line !== '').forEach(take);
  });
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let calls = 0;
  return {
    notices,
    notify: (method) => send({ method }),
    close: () => child.kill(),
    call: (method, params) =>
      new Promise((resolve, reject) => {
        calls += 1;
        waiting.set(calls, { resolve, reject });
        send({ id: calls, method, params });
      }),
  };
}
