/** Programs run as on a machine of their own: what they mount and which limits they set is gone with them. Linux. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './daemon.ts';

const unshare = ['--map-root-user', '--mount', '--fork', '--kill-child'] as const;

/** Can one be made here? Where not (another system, a container that forbids it), a test takes the nearest thing that it can. */
export const hasNamespaces = spawnSync('unshare', [...unshare, 'true']).status === 0;

/** A shell in a namespace of its own for users and mounts. */
export interface Namespace {
  /** Runs a command of the shell to its end; what it printed. Throws with that when it fails. */
  run(command: string): Promise<string>;
}

/** Starts one; it and everything started in it ends with the test. `folder` keeps what commands print. */
export function namespace(
  t: Pick<TestContext, 'after'>,
  folder: string,
  env: Readonly<Record<string, string>>,
): Namespace {
  const child = spawn('unshare', [...unshare, 'sh'], { env: { ...env }, stdio: ['pipe', 'ignore', 'ignore'] });
  const gone = new Promise((resolve) => child.on('close', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  let commands = 0;
  return {
    run: async (command) => {
      commands += 1;
      const out = join(folder, `namespace-${commands}`);
      child.stdin.write(
        `{ ${command}\n} > ${out} 2>&1 < /dev/null; echo $? > ${out}.status.new; mv ${out}.status.new ${out}.status\n`,
      );
      await until(`"${command}" to end`, () => existsSync(`${out}.status`), 60_000);
      const [said, status] = [readFileSync(out, 'utf8'), readFileSync(`${out}.status`, 'utf8').trim()];
      for (const path of [out, `${out}.status`]) rmSync(path);
      if (status !== '0') throw new Error(`${command} ended with ${status}: ${said}`);
      return said;
    },
  };
}
