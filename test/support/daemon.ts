/** A scratch machine on which the built daemon may run; none is left behind. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { listSessions } from '../../src/actions/list.ts';
import type { DaemonStatus } from '../../src/daemon/status.ts';
import { sfs, sfsPath } from './command-line.ts';
import type { Ran } from './command-line.ts';
import type { Scratch } from './scratch.ts';
import { scratch } from './scratch.ts';

/** A scratch machine and the daemon's files on it. */
export interface DaemonPlace extends Scratch {
  readonly store: string;
  /** Runs `sfs`. */
  run(args: readonly string[], env?: { readonly [name: string]: string }): Ran;
  /** Starts `sfs` or `sfsd` and does not wait; ended after the test. */
  spawn(args: readonly string[], options?: SpawnOptions): Spawned;
  /** What the daemon last wrote of itself. */
  status(): DaemonStatus | undefined;
}

/** Which program, and what its environment has beside the usual. */
export interface SpawnOptions {
  readonly program?: 'sfs' | 'sfsd';
  readonly env?: { readonly [name: string]: string };
}

/** A program that runs beside the test. */
export interface Spawned {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** Its exit status, once it has ended; `null` when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Makes one. */
export function daemonPlace(t: Pick<TestContext, 'after'>): DaemonPlace {
  const children: ChildProcess[] = [];
  let place: Scratch | undefined;
  // Before the folders are removed, so that no daemon writes them anew.
  t.after(async () => {
    for (const child of children) await killed(child);
    if (place === undefined) return;
    const [of, pid] = [place, lockedBy(place)];
    if (pid !== undefined && pid !== process.pid) await until('the daemon has ended', () => kill(of, pid));
  });
  place = scratch(t);
  const made = place;
  const store = join(made.home, '.sessionfs');
  return {
    ...made,
    store,
    run: (args, env) => sfs(made, args, env === undefined ? {} : { env }),
    spawn: (args, { program = 'sfs', env = {} } = {}) => {
      const child = spawn(process.execPath, [join(sfsPath, '..', `${program}.cjs`), ...args], {
        cwd: made.project,
        env: { HOME: made.home, PATH: '/usr/bin:/bin', SFS_HOME: store, NO_COLOR: '1', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      children.push(child);
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      return { child, said: () => text, ended };
    },
    status: () => {
      const path = join(store, 'daemon.json');
      // The file is only ever replaced whole.
      return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as DaemonStatus) : undefined;
    },
  };
}

/** Starts the daemon and waits until it watches. */
export function start(place: DaemonPlace, env?: { readonly [name: string]: string }): void {
  const { status, err } = place.run(['daemon', 'start'], env);
  assert.equal(status, 0, err);
}

/** Waits until it has looked at everything and nothing is left to do. */
export async function isIdle(place: DaemonPlace): Promise<void> {
  await until('the first search is captured', () => {
    const status = place.status();
    return status?.last_search_at !== null && status?.pending === 0 && status.state === 'watching';
  });
}

/** How many messages the list has of a session. */
export async function counted(place: DaemonPlace, nativeId: string): Promise<number> {
  const { sessions } = await listSessions(place.context, {});
  return sessions.find(({ native_id: id }) => id === nativeId)?.message_count ?? 0;
}

/** The process that holds the store. */
export function lockedBy(place: Scratch): number | undefined {
  const path = join(place.home, '.sessionfs', 'daemon.lock');
  return existsSync(path) ? Number(readFileSync(path, 'utf8').split('/')[0]) : undefined;
}

/** Kills a process; has it ended? */
export function kill(place: Scratch, pid: number): boolean {
  const { machine } = place.context;
  if (machine.isRunning(pid)) process.kill(pid, 'SIGKILL');
  return !machine.isRunning(pid);
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** Waits for something to be so; fails with what it was waiting for. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const giveUp = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > giveUp) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

/** Code that runs in `sfs` and `sfsd` before they do: replaces functions of `node:fs`. */
export function instead(place: Scratch, code: string): { readonly NODE_OPTIONS: string } {
  const path = join(place.folder, 'instead.mjs');
  writeFileSync(
    path,
    `import fs from 'node:fs';\nimport { syncBuiltinESMExports } from 'node:module';\n${code}\nsyncBuiltinESMExports();\n`,
  );
  return { NODE_OPTIONS: `--import ${path}` };
}
