/** A program that takes over the terminal. */

import { spawn } from 'node:child_process';
import { SessionFsError } from '../errors.ts';

/** Runs a program on this process's terminal and waits; its exit status, 1 when a signal ended it. Throws `failed`. */
export function runInTerminal(argv: readonly string[], cwd: string): Promise<number> {
  const [command = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { cwd, stdio: 'inherit' });
    // The terminal sends Ctrl-C to both; it is the tool's to answer.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    child.on('error', (cause) =>
      reject(
        new SessionFsError(
          'failed',
          `cannot start ${command}: ${cause.message}`,
          `start it yourself: ${argv.join(' ')}`,
          cause,
        ),
      ),
    );
    child.on('close', (status) => {
      process.off('SIGINT', ignore);
      resolve(status ?? 1);
    });
  });
}
