/** A daemon of our own, and what the kernel says of it. Linux. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonStatus } from '../src/daemon/status.ts';
import { daemonArgv } from '../src/io/detached.ts';

/** A daemon that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
}

/** Starts `sfsd` and waits until it watches. */
export async function started(env: Readonly<Record<string, string>>, store: string): Promise<Running> {
  const [program = '', ...args] = daemonArgv();
  const child = spawn(program, args, { env: { ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
  const pid = child.pid ?? 0;
  while (statusIn(store)?.pid !== pid || statusIn(store)?.state !== 'watching') {
    if (child.exitCode !== null) throw new Error(`sfsd ended with ${child.exitCode}`);
    await wait(2);
  }
  return { child, pid };
}

/** Ends it as a person does. */
export async function ended({ child }: Running): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** Waits until the first search and all it found is done; its status then. */
export async function captured(store: string, withinMs: number): Promise<DaemonStatus> {
  for (const until = performance.now() + withinMs; performance.now() < until; await wait(20)) {
    const status = statusIn(store);
    if (status?.state === 'watching' && status.last_search_at !== null && status.pending === 0) return status;
  }
  throw new Error(`the daemon had not captured everything within ${withinMs} ms`);
}

function statusIn(store: string): DaemonStatus | undefined {
  const path = join(store, 'daemon.json');
  // The file is only ever replaced whole.
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as DaemonStatus) : undefined;
}

/** Bytes that a process has read of files, cached or not. */
export function readBytes(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** Processor time of a process, in steps of 10 ms. */
export function processorMs(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process, now or the most it ever had. */
export function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024;
}

/** Lets the event loop go on for so many milliseconds. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
