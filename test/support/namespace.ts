/** Programs that run as on a machine of their own: what they mount, and limits they set, are gone with them. Linux. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { sfsPath } from './command-line.ts';
import type { DaemonPlace } from './daemon.ts';
import { until } from './daemon.ts';

const words = ['--map-root-user', '--mount'] as const;

/** Can one be made here? Where not (another system, a container that forbids it) a test takes the next best thing. */
export const hasNamespaces = spawnSync('unshare', [...words, 'true']).status === 0;

/** A shell in a namespace of its own for users and mounts, with the environment of a daemon's place. */
export interface Namespace {
  /** Runs a command of the shell to its end; what it printed. Throws with that when it fails. */
  run(command: string): Promise<string>;
  /** Runs `sfs` there. */
  sfs(...args: readonly string[]): Promise<string>;
  /** Starts `sfsd` there; its process id. It ends with the test. */
  sfsd(): Promise<number>;
}

/** Starts one; it ends with the test. */
export function namespace(t: Pick<TestContext, 'after'>, place: DaemonPlace): Namespace {
  const child = spawn('unshare', [...words, 'sh'], {
    cwd: place.project,
    env: {
      HOME: place.home,
      PATH: [dirname(process.execPath), '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(':'),
      SFS_HOME: place.store,
      NO_COLOR: '1',
    },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = new Promise((resolve) => child.on('close', resolve));
  const started: number[] = [];
  const { machine } = place.context;
  t.after(async () => {
    for (const pid of started)
      await until('sfsd to end', () => {
        if (machine.isRunning(pid)) process.kill(pid, 'SIGKILL');
        return !machine.isRunning(pid);
      });
    child.stdin.end();
    await gone;
  });
  let commands = 0;
  const run = async (command: string): Promise<string> => {
    commands += 1;
    const out = join(place.folder, `said-${commands}`);
    child.stdin.write(`{ ${command}\n} > ${out} 2>&1 < /dev/null; echo $? > ${out}.new; mv ${out}.new ${out}.status\n`);
    await until(`"${command}" to end`, () => existsSync(`${out}.status`), 60_000);
    const [said, status] = [readFileSync(out, 'utf8'), readFileSync(`${out}.status`, 'utf8').trim()];
    for (const path of [out, `${out}.status`]) rmSync(path);
    if (status !== '0') throw new Error(`${command} ended with ${status}: ${said}`);
    return said;
  };
  return {
    run,
    sfs: (...args) => run(`node ${sfsPath} ${args.join(' ')}`),
    sfsd: async () => {
      const pid = Number(await run(`node ${join(sfsPath, '..', 'sfsd.cjs')} > /dev/null 2>&1 & echo $!`));
      started.push(pid);
      return pid;
    },
  };
}
