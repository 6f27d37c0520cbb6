/** Runs whole processes and measures them. */

import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './scratch.ts';

/** The command line as people start it. */
export const sfs = fileURLToPath(new URL('../bin/sfs.cjs', import.meta.url));

/** How a process went. */
export interface Run {
  readonly ms: number;
  readonly stdout: string;
}

/** How a process went, and what it took of the machine. */
export interface WeighedRun extends Run {
  /** Highest resident memory, bytes. */
  readonly residentBytes: number;
  /** Processor time of all its threads, in the program and in the system. */
  readonly userMs: number;
  readonly systemMs: number;
  /** Bytes read of files, cached or not, by all its threads; of Node's own files too. Not a number where the kernel does not tell. */
  readonly readBytes: number;
}

/** What becomes of what a process prints. */
interface Printing {
  /** `dropped`: nobody reads it, and `stdout` of the run is empty. */
  readonly output?: 'kept' | 'dropped';
}

/** Runs Node with these arguments. Throws with what it said when it fails. */
export function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { output = 'kept' }: Printing = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    if (output === 'dropped') child.stdout.resume();
    else child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
    child.stderr.on('data', (piece: Buffer) => stderr.push(piece));
    child.on('error', reject);
    child.on('close', (status) => {
      const ms = performance.now() - started;
      if (status === 0) resolve({ ms, stdout: Buffer.concat(stdout).toString('utf8') });
      else reject(new Error(`node ${args.join(' ')} ended with ${status}:\n${Buffer.concat(stderr).toString('utf8')}`));
    });
  });
}

let weighed = 0;

/** Like {@link runNode}; at its end the process notes what it used. */
export async function weighNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  printing: Printing = {},
): Promise<WeighedRun> {
  weighed += 1;
  const note = join(cacheFolder(), `usage-${process.pid}-${weighed}.json`);
  try {
    const run = await runNode(
      ['--import', `data:text/javascript,${encodeURIComponent(hookFor(note))}`, ...args],
      env,
      printing,
    );
    // Written by the hook: Node's own shape, and on Linux the kernel's.
    const { usage, status, io } = JSON.parse(readFileSync(note, 'utf8')) as {
      usage: NodeJS.ResourceUsage;
      status: string;
      io: string;
    };
    return {
      ...run,
      residentBytes: Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? usage.maxRSS) * 1024,
      userMs: usage.userCPUTime / 1000,
      systemMs: usage.systemCPUTime / 1000,
      readBytes: Number(/^rchar: (\d+)$/m.exec(io)?.[1]),
    };
  } finally {
    rmSync(note, { force: true });
  }
}

/** `maxRSS` begins with what the parent held when it started the process; the kernel's status is the process's own. Once, not in threads. */
function hookFor(note: string): string {
  return [
    `import{existsSync,readFileSync,writeFileSync}from'node:fs'`,
    `import{isMainThread}from'node:worker_threads'`,
    `const own=name=>existsSync('/proc/self/'+name)?readFileSync('/proc/self/'+name,'utf8'):''`,
    `if(isMainThread)process.on('exit',()=>writeFileSync(${JSON.stringify(note)},JSON.stringify({usage:process.resourceUsage(),status:own('status'),io:own('io')})))`,
  ].join(';');
}

/** Runs each of several things in turn, `rounds` times over, so that a busy moment hits all alike. Milliseconds by name. */
export async function interleaved<Name extends string>(
  rounds: number,
  runs: Readonly<Record<Name, () => Promise<Run>>>,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(runs) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) for (const name of names) times[name].push((await runs[name]()).ms);
  return times;
}
