/** Runs one program to its end in a scrubbed environment. */

import { spawn } from 'node:child_process';

/** What a finished program left. `status` is `undefined` when a signal ended it. */
export type Finished = {
  readonly argv: readonly string[];
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

/** Exactly these variables and nothing of ours; `stdin` is empty unless given. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin?: string;
  readonly timeoutMs?: number;
};

const running = new Set<number>();

/** Ends the process groups of all programs that still run, for an interrupted run. */
export function endPrograms(): void {
  for (const pid of running) killGroup(pid);
  running.clear();
}

/** Runs `argv` in its own process group, which is killed after `timeoutMs` (default 3 minutes). Throws then, or when it cannot start. */
export function runProgram(
  argv: readonly string[],
  { env, cwd, stdin = '', timeoutMs = 180_000 }: Surroundings,
): Promise<Finished> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { env, cwd, stdio: 'pipe', detached: true });
    if (child.pid !== undefined) running.add(child.pid);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    // A program that ends without reading its input closes the pipe; its status tells.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    child.stdin.end(stdin);
    const alarm = setTimeout(() => {
      if (child.pid !== undefined) killGroup(child.pid);
      reject(
        new Error(
          `${argv.join(' ')} did not end within ${timeoutMs / 1000} s\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
        ),
      );
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(alarm);
      reject(new Error(`cannot run ${program}: ${error.message}`));
    });
    child.on('exit', () => running.delete(child.pid ?? 0));
    child.on('close', (status) => {
      clearTimeout(alarm);
      resolve({ argv, status: status ?? undefined, stdout, stderr });
    });
  });
}

/** A group that has just ended by itself is fine. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
