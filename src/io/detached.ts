/** A program that goes on when this one has ended. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtin } from './builtin.ts';

/** The launcher of one of our own programs, `bin/<name>.cjs`. */
function launcherOf(name: string): string {
  const candidates = [join(import.meta.dirname, '..'), join(import.meta.dirname, '..', '..')].map((root) =>
    join(root, 'bin', `${name}.cjs`),
  );
  return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? name;
}

/**
 * How `sfsd` is started. What it allocates is mostly gone a moment later, and V8 would keep 130 MB for that; the bound is in MB, for
 * one of three parts. Only an option of Node's sets it.
 */
export function daemonArgv(): readonly string[] {
  return [process.execPath, '--max-semi-space-size=4', launcherOf('sfsd')];
}

/** A started program. */
export interface Detached {
  readonly pid: number | undefined;
  /** What it has said on its standard error. */
  said(): string;
  /** Has it ended? */
  hasEnded(): boolean;
  /** Leaves it to itself: it keeps this process no longer. */
  leave(): void;
}

/** Starts a program in a session of its own, in the root folder, without a terminal. */
export function startDetached(argv: readonly string[], env: { readonly [name: string]: string | undefined }): Detached {
  const [command = '', ...rest] = argv;
  const child = builtin('node:child_process').spawn(command, rest, {
    cwd: '/',
    detached: true,
    env: { ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  let hasEnded = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.on('error', (error) => {
    said += error.message;
    hasEnded = true;
  });
  child.on('close', () => {
    hasEnded = true;
  });
  return {
    pid: child.pid,
    said: () => said,
    hasEnded: () => hasEnded,
    leave: () => {
      child.stderr.destroy();
      child.unref();
    },
  };
}

/** Sends a signal; `false` when there is no such process any more. */
export function signal(pid: number, name: 'SIGTERM' | 'SIGHUP'): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    // Ended meanwhile.
    return false;
  }
}
