/** What a command is handed: the streams it writes to, and the rooms below, loaded only when it asks for them. */

import type { CommandContext } from '@stricli/core';
import type { Context } from '../actions/context.ts';
import type { Site } from '../actions/site.ts';
import { siteOf } from '../actions/site.ts';
import type { Machine } from '../io/machine.ts';
import type { TextStream } from '../io/streams.ts';

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
  /** What the parser of the command line needs of a process. */
  readonly process: {
    readonly stdout: TextStream;
    readonly stderr: TextStream;
    readonly env: Readonly<Partial<Record<string, string>>>;
    exitCode: number | null;
  };
  readonly output: Output;
  /** With configuration and adapters. Throws `invalid-config`. */
  full(): Promise<Context>;
}

/** Builds it for a machine and the two streams of a process. */
export function cliContext(
  machine: Machine,
  { out, err }: { readonly out: TextStream; readonly err: TextStream },
): CliContext {
  const { isTerminal } = out;
  const noColour = machine.env['NO_COLOR'];
  return {
    process: { stdout: out, stderr: err, env: process.env, exitCode: null },
    ...siteOf(machine),
    output: {
      print: (text) => out.write(text.endsWith('\n') ? text : `${text}\n`),
      remark: (text) => err.write(text),
      isTerminal,
      isRemarkTerminal: err.isTerminal,
      canAsk: isTerminal && process.stdin.isTTY,
      columns: Math.max(20, out.columns ?? 100),
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
