/** Makes Codex list a thread: its picker reads the state database only, and only Codex writes that. */

import type { Placed, Registration, WriteGiven } from '../adapter.ts';
import type { Machine } from '../../io/machine.ts';
import { isObject, objectAt, stringAt } from '../../model/json.ts';
import { stateDatabase } from './names.ts';

/** How long `codex app-server` may take, in milliseconds. It starts in about half a second (0.169). */
const timeoutMs = 20_000;

/**
 * Asks Codex's own server to look at the thread, which enters it into the database, and to give it its name. The rollout
 * stays as it is (0.118 to 0.169).
 */
export async function register(machine: Machine, placed: Placed, given: WriteGiven): Promise<Registration> {
  const hint = `codex resume ${placed.nativeId}`;
  const program = machine.which('codex');
  if (program === undefined)
    return { listed: false, why: 'codex is not in PATH, and only it can enter a thread into its list', hint };
  const requests = [
    request('start', 'initialize', {
      clientInfo: { name: 'sessionfs', title: null, version: '0' },
      capabilities: { experimentalApi: true },
    }),
    JSON.stringify({ jsonrpc: '2.0', method: 'initialized' }),
    request('read', 'thread/read', { threadId: placed.nativeId }),
    ...(placed.title === undefined
      ? []
      : [request('name', 'thread/name/set', { threadId: placed.nativeId, name: placed.title })]),
  ];
  const last = placed.title === undefined ? 'read' : 'name';
  const { stdout, stderr } = await machine.run([program, 'app-server'], {
    cwd: given.cwd,
    env: { ...machine.env, CODEX_HOME: given.home },
    timeoutMs,
    input: `${requests.join('\n')}\n`,
    until: `"id":"sessionfs-${last}"`,
  });
  const problem = problemIn(stdout, last);
  if (problem === undefined && isListed(machine, given, placed.nativeId) !== false)
    return { listed: true, how: 'codex app-server' };
  return {
    listed: false,
    why: problem ?? (stderr.trim().split('\n').at(-1) || 'Codex did not enter it into its list'),
    hint,
  };
}

function request(id: string, method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id: `sessionfs-${id}`, method, params });
}

/** Why the last answer is not there; `undefined` when it is. */
function problemIn(stdout: string, last: string): string | undefined {
  for (const line of stdout.split('\n')) {
    const answer = parse(line);
    if (!isObject(answer) || answer['id'] !== `sessionfs-${last}`) continue;
    const error = objectAt(answer, 'error');
    return error === undefined ? undefined : (stringAt(error, 'message') ?? 'codex app-server refused');
  }
  return 'codex app-server did not answer';
}

/** Is there a row? `undefined` when the database cannot be asked. */
function isListed(machine: Machine, given: WriteGiven, nativeId: string): boolean | undefined {
  const database = stateDatabase(machine, given.home);
  const rows =
    database === undefined ? undefined : machine.query(database, 'select id from threads where id = ?', [nativeId]);
  return rows === undefined ? undefined : rows.length > 0;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that was cut off when the server was stopped.
    return undefined;
  }
}
