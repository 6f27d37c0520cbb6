/** Builds the machine, runs the command line, ends with its exit status. */

import type { RouteMap } from '@stricli/core';
import { systemMachine } from '../io/system.ts';
import { textStream } from '../io/streams.ts';
import { main } from './app.ts';
import type { CliContext } from './context.ts';
import { cliContext } from './context.ts';

/** Runs this process's command line with these commands. */
export function start(routes: RouteMap<CliContext>): void {
  void main(
    routes,
    process.argv.slice(2),
    cliContext(systemMachine(), { out: textStream(1), err: textStream(2) }),
  ).then((status) => {
    process.exitCode = status;
  });
}
