/** The command line of SessionFS as the matrix uses it: `import`, `list --json`, `resume --json`. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Fields, fields, rows, string } from './model-server/json.ts';
import type { World } from './world.ts';

/** The repository's own `sfs`; run by the harness's Node. */
export const ownSfs = fileURLToPath(new URL('../../bin/sfs.cjs', import.meta.url));

/** One row of `sfs list --json`, as far as the matrix looks at it. */
export type Listed = {
  readonly session_id: string;
  readonly native_id: string;
  readonly tool: string;
  readonly title: string;
  readonly project: string;
  readonly message_count: number;
  readonly parent_session_id: string | undefined;
  readonly ghost: boolean;
};

/** What `sfs resume --json` prints, as far as the matrix looks at it. */
export type Resumed = {
  readonly native_id: string;
  readonly tool: string;
  readonly files: readonly string[];
  readonly cwd: string;
  readonly command: readonly string[];
  /** What a budget left out, and the tokens that remain. */
  readonly budget: {
    readonly after: number;
    readonly outputs: number;
    readonly turns: number;
    readonly messages: number;
  };
};

/** Why sfs cannot be run, in one sentence; `undefined` when it can. */
export function sfsObstacle(program: string): string | undefined {
  return existsSync(program) ? undefined : `${program} does not exist; build sfs first (npm run build)`;
}

/** Captures everything in the world. Throws when `sfs` fails. */
export async function importAll(world: World, store = world.store): Promise<void> {
  await sfs(world, ['import'], store);
}

/** Keeps where a session is. Throws when `sfs` fails. */
export async function checkpoint(world: World, session: string, name: string): Promise<void> {
  await sfs(world, ['checkpoint', 'create', session, name]);
}

/** Forks a session, at a checkpoint or behind a message, and returns the fork's id. Throws when `sfs` fails. */
export async function fork(
  world: World,
  session: string,
  where: { readonly checkpoint: string } | { readonly message: string },
): Promise<string> {
  const at = 'checkpoint' in where ? ['--from-checkpoint', where.checkpoint] : ['--at', where.message];
  const words = ['fork', session, ...at, '--name', 'Another way', '--json'];
  return string(fields(parsed(await sfs(world, words), 'sfs fork --json'))['session_id']);
}

/** All captured sessions. Throws when `sfs` fails, or prints rows without the fields it promises. */
export async function list(world: World, store = world.store): Promise<readonly Listed[]> {
  const printed = parsed(await sfs(world, ['list', '--json'], store), 'sfs list --json');
  if (!Array.isArray(printed)) throw new Error('sfs list --json printed no array');
  return rows(printed).map((row) => {
    const { session_id, native_id, tool, title, project, message_count, parent_session_id, ghost } = row;
    if (string(session_id) === '' || string(tool) === '' || typeof message_count !== 'number') {
      throw new Error(`sfs list --json printed a row without its fields: ${JSON.stringify(row)}`);
    }
    return {
      session_id: string(session_id),
      native_id: string(native_id),
      tool: string(tool),
      title: string(title),
      project: string(project),
      message_count,
      parent_session_id: string(parent_session_id) || undefined,
      ghost: ghost === true,
    };
  });
}

/** One message of `sfs show --messages --json`, as far as the matrix looks at it. */
export type Said = {
  readonly id: string;
  readonly role: string;
  /** Its texts, joined. */
  readonly text: string;
  readonly live: boolean;
  readonly stopReason: string;
};

/** What was said in a session: its whole timeline without what the tool injected. Throws when `sfs` fails. */
export async function spoken(world: World, sessionId: string, store = world.store): Promise<readonly Said[]> {
  return (await shownMessages(world, sessionId, store))
    .filter(({ role, is_meta }) => is_meta !== true && (role === 'user' || role === 'assistant' || role === 'tool'))
    .map(({ msg_id, role, content, live, stop_reason }) => ({
      id: string(msg_id),
      role: string(role),
      text: rows(content)
        .map(({ text }) => string(text))
        .join('\n'),
      live: live === true,
      stopReason: string(stop_reason),
    }));
}

/** The whole timeline as `sfs show --messages --json` prints it. Throws when `sfs` fails. */
export async function shownMessages(world: World, sessionId: string, store = world.store): Promise<readonly Fields[]> {
  const words = ['show', sessionId, '--messages', '--json'];
  return rows(fields(parsed(await sfs(world, words, store), 'sfs show --json'))['messages']);
}

/** What each model used, as `sfs show --cost --json` prints it. Throws when `sfs` fails. */
export async function shownCost(world: World, sessionId: string): Promise<readonly Fields[]> {
  return rows(fields(parsed(await sfs(world, ['show', sessionId, '--cost', '--json']), 'sfs show --json'))['cost']);
}

/** Ids of what was said. */
export async function spokenIds(world: World, sessionId: string): Promise<ReadonlySet<string>> {
  return new Set((await spoken(world, sessionId)).map(({ id }) => id));
}

/** Places the session in the target tool without starting it. `budget`: tokens. Throws when `sfs` fails. */
export async function resume(
  world: World,
  sessionId: string,
  target: string,
  { budget, store = world.store }: { readonly budget?: number; readonly store?: string } = {},
): Promise<Resumed> {
  const fitted = budget === undefined ? [] : ['--budget', String(budget)];
  const words = ['resume', sessionId, '--in', target, '--project', world.project, ...fitted, '--no-launch', '--json'];
  const printed = fields(parsed(await sfs(world, words, store), 'sfs resume --json'));
  const { estimate_after, left_out } = fields(printed['budget']);
  const { outputs, turns, messages } = fields(left_out);
  return {
    budget: {
      after: Number(estimate_after),
      outputs: Number(outputs),
      turns: Number(turns),
      messages: Number(messages),
    },
    native_id: string(printed['native_id']),
    tool: string(printed['tool']),
    files: strings(printed['files']),
    cwd: string(printed['cwd']),
    command: strings(printed['command']),
  };
}

/** What `sfs resume` says where it has to refuse. Throws when it does not. */
export async function refusedResume(world: World, sessionId: string, target: string): Promise<string> {
  const words = ['resume', sessionId, '--in', target, '--project', world.project, '--no-launch'];
  const { status, stdout, stderr } = await world.run([process.execPath, world.sfs, ...words]);
  if (status === 0) throw new Error(`sfs ${words.join(' ')} did not refuse: ${stdout.trim().slice(-1500)}`);
  return stderr.trim();
}

async function sfs(world: World, words: readonly string[], store = world.store): Promise<string> {
  const { status, stdout, stderr } = await world.run([
    'env',
    `SFS_HOME=${store}`,
    process.execPath,
    world.sfs,
    ...words,
  ]);
  if (status !== 0)
    throw new Error(`sfs ${words.join(' ')} ended with status ${status}: ${(stderr || stdout).trim().slice(-1500)}`);
  return stdout;
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${what} printed no JSON: ${text.slice(0, 300)}`, { cause: error });
  }
}

/** Files may be given as paths or as objects with a `path`. */
function strings(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.map((each) => (typeof each === 'string' ? each : string(fields(each)['path'])))
    : [];
}
