/** What a command is handed: the streams it writes to, and the rooms below, loaded only when it asks for them. */

import type { CommandContext } from '@stricli/core';
import type { Context } from '../actions/context.ts';
import type { Site } from '../actions/site.ts';
import { siteOf } from '../actions/site.ts';
import type { Machine } from '../io/machine.ts';

/** Where a command's words go. */
export interface Output {
  /** Standard output: what was asked for. */
  print(text: string): void;
  /** Standard error: progress and remarks. */
  remark(text: string): void;
  /** Is standard output a terminal? */
  readonly isTerminal: boolean;
  /** Is standard error a terminal? */
  readonly isRemarkTerminal: boolean;
  /** Can a person answer? */
  readonly canAsk: boolean;
  /** Columns of the terminal; 100 when it is none. */
  readonly columns: number;
  readonly useColour: boolean;
}

/** The context of every command. */
export interface CliContext extends CommandContext, Site {
  readonly process: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'> & { exitCode: number | null };
  readonly output: Output;
  /** With configuration and adapters. Throws `invalid-config`. */
  full(): Promise<Context>;
}

/** Builds it for a process. */
export function cliContext(process: NodeJS.Process, machine: Machine): CliContext {
  const isTerminal = process.stdout.isTTY === true;
  const noColour = machine.env['NO_COLOR'];
  return {
    process: { stdout: process.stdout, stderr: process.stderr, env: process.env, exitCode: null },
    ...siteOf(machine),
    output: {
      print: (text) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
      remark: (text) => void process.stderr.write(text),
      isTerminal,
      isRemarkTerminal: process.stderr.isTTY === true,
      canAsk: isTerminal && process.stdin.isTTY === true,
      columns: isTerminal ? Math.max(20, process.stdout.columns) : 100,
      useColour: isTerminal && (noColour === undefined || noColour === '') && machine.env['TERM'] !== 'dumb',
    },
    full: async () => {
      const [{ contextOf }, { adapters }] = await Promise.all([
        import('../actions/context.ts'),
        import('../actions/adapters.ts'),
      ]);
      return contextOf(machine, adapters);
    },
  };
}
