/** Checks of the daemon, and of what the system gives it. */

import { join } from 'node:path';
import { version } from '../../version.ts';
import { homeOf, isEnabled } from '../tools.ts';
import type { Check, Examination } from './check.ts';
import { fail, mended, ok, warn } from './check.ts';

/** What is known of the daemon; the room of the daemon tells it. */
export interface DaemonFacts {
  /** The process that holds the store; `undefined` when none does. */
  readonly pid: number | undefined;
  /** What it, or the one before, said last. */
  readonly status:
    | {
        readonly version: string;
        readonly state: 'starting' | 'watching' | 'stopped';
        readonly trouble: string | null;
        readonly config_problem: string | null;
        readonly tools: readonly { readonly tool: string; readonly problem: string | null }[];
        readonly problems: readonly { readonly path: string; readonly problem: string }[];
      }
    | undefined;
  /** Takes away the lock of one that is gone; `false` when there is none. Without `fix`: would it? */
  sweepLock(fix: boolean): boolean;
}

/** All of them. */
export async function daemonChecks(examination: Examination, daemon: DaemonFacts): Promise<Check[]> {
  return [...(await daemonCheck(examination, daemon)), ...watchesCheck(examination)];
}

async function daemonCheck(examination: Examination, { pid, status, sweepLock }: DaemonFacts): Promise<Check[]> {
  const name = 'daemon';
  if (pid === undefined) {
    const lock = sweepLock(false)
      ? [
          await mended(examination, warn(name, 'its lock is left by one that was killed', ''), () => {
            sweepLock(true);
            return 'removed its lock';
          }),
        ]
      : [];
    if (status !== undefined && status.state !== 'stopped')
      return [...lock, warn(name, 'it was killed, and runs no more', 'start it: sfs daemon start')];
    return [...lock, ok(name, 'it is not running: sessions come in with sfs import, or sfs daemon start')];
  }
  if (status === undefined) return [warn(name, `process ${pid} says nothing of itself`, 'sfs daemon restart')];
  if (status.trouble !== null) return [fail(name, `it cannot capture: ${status.trouble}`, 'sfs daemon status')];
  if (status.config_problem !== null)
    return [warn(name, `an older configuration is in force: ${status.config_problem}`, 'sfs config show')];
  if (status.version !== version)
    return [warn(name, `it is of version ${status.version}, and this is ${version}`, 'sfs daemon restart')];
  const partly = status.tools.find(({ problem }) => problem !== null);
  if (partly !== undefined) return [warn(name, `${partly.tool}: ${partly.problem}`, 'sfs daemon status')];
  const last = status.problems.at(-1);
  if (last !== undefined) return [warn(name, `lately: ${last.path}: ${last.problem}`, 'sfs daemon status')];
  return [ok(name, `running, process ${pid}`)];
}

/** A watch for each folder; other programs take from the same number. */
const share = 0.5;
/** More folders are not counted: the daemon does not watch more either. */
const mostFolders = 16_384;

function watchesCheck(examination: Examination): Check[] {
  const { machine } = examination;
  const limit = Number(readOr(() => machine.readText('/proc/sys/fs/inotify/max_user_watches')) ?? Number.NaN);
  if (!Number.isFinite(limit)) return [];
  const roots = examination.adapters
    .filter((adapter) => isEnabled(examination, adapter))
    .flatMap((adapter) => {
      const home = homeOf(examination, adapter);
      return [...adapter.home.watch.map((part) => join(home, part)), ...(adapter.home.beside?.(machine, home) ?? [])];
    });
  let folders = 0;
  const count = (folder: string): void => {
    if (folders >= mostFolders || readOr(() => machine.stat(folder)?.kind) !== 'directory') return;
    folders += 1;
    for (const { name, kind } of readOr(() => machine.list(folder)) ?? [])
      if (kind === 'directory') count(join(folder, name));
  };
  for (const root of roots) count(root);
  const detail = `${folders} folders to watch, and the system gives ${limit} to this account`;
  return [
    folders > limit * share
      ? warn('watches', `${detail}, for all its programs`, 'raise it: sudo sysctl fs.inotify.max_user_watches=524288')
      : ok('watches', detail),
  ];
}

/** What may not be read is another check's. */
function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
