/** Runs the built `sfs` as a person would, with nothing of this machine's homes in reach. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Scratch } from './scratch.ts';

/** What a command printed and how it ended. */
export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** The launcher. */
export const sfsPath = join(import.meta.dirname, '..', '..', 'bin', 'sfs.cjs');

/** Runs `sfs` with arguments. `user`: as somebody who is not root, so that permissions count. `under`: a program in front. */
export function sfs(
  place: Scratch,
  args: readonly string[],
  options: {
    readonly env?: { readonly [name: string]: string };
    readonly asNobody?: boolean;
    readonly under?: readonly string[];
    readonly cwd?: string;
  } = {},
): Ran {
  const [command = process.execPath, ...before] = [...(options.under ?? []), process.execPath];
  const nobody = options.asNobody === true && process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const { status, stdout, stderr } = spawnSync(command, [...before, sfsPath, ...args], {
    encoding: 'utf8',
    cwd: options.cwd ?? place.project,
    env: {
      HOME: place.home,
      PATH: '/usr/bin:/bin',
      SFS_HOME: join(place.home, '.sessionfs'),
      NO_COLOR: '1',
      ...options.env,
    },
    maxBuffer: 1 << 28,
    ...nobody,
  });
  return { status, out: stdout, err: stderr };
}
