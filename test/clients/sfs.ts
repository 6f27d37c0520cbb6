/** The command line of SessionFS as the matrix uses it: `import`, `list --json`, `resume --json`. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fields, rows, string } from './model-server/json.ts';
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
};

/** Why sfs cannot be run, in one sentence; `undefined` when it can. */
export function sfsObstacle(program: string): string | undefined {
  return existsSync(program) ? undefined : `${program} does not exist; build sfs first (npm run build)`;
}

/** Captures everything in the world. Throws when `sfs` fails. */
export async function importAll(world: World): Promise<void> {
  await sfs(world, ['import']);
}

/** All captured sessions. Throws when `sfs` fails, or prints rows without the fields it promises. */
export async function list(world: World): Promise<readonly Listed[]> {
  const printed = parsed(await sfs(world, ['list', '--json']), 'sfs list --json');
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

/** Ids of what was said in a session: its whole timeline without what the tool injected. Throws when `sfs` fails. */
export async function spokenIds(world: World, sessionId: string): Promise<ReadonlySet<string>> {
  const shown = fields(parsed(await sfs(world, ['show', sessionId, '--messages', '--json']), 'sfs show --json'));
  const spoken = rows(shown['messages']).filter(
    ({ role, is_meta }) => is_meta !== true && (role === 'user' || role === 'assistant' || role === 'tool'),
  );
  return new Set(spoken.map(({ msg_id }) => string(msg_id)));
}

/** Places the session in the target tool without starting it. Throws when `sfs` fails. */
export async function resume(world: World, sessionId: string, target: string): Promise<Resumed> {
  const words = ['resume', sessionId, '--in', target, '--project', world.project, '--no-launch', '--json'];
  const printed = fields(parsed(await sfs(world, words), 'sfs resume --json'));
  return {
    native_id: string(printed['native_id']),
    tool: string(printed['tool']),
    files: strings(printed['files']),
    cwd: string(printed['cwd']),
    command: strings(printed['command']),
  };
}

async function sfs(world: World, words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await world.run([process.execPath, world.sfs, ...words]);
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
