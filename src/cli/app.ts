/** Runs a command line; how errors become words and exit codes. */

import { buildApplication, run, text_en } from '@stricli/core';
import type { PartialApplicationConfiguration, RouteMap } from '@stricli/core';
import { SessionFsError, messageOf } from '../errors.ts';
import { version } from '../version.ts';
import type { CliContext } from './context.ts';
import { printable } from './render/text.ts';

const wrongUsage = 2;

const configuration: PartialApplicationConfiguration = {
  name: 'sfs',
  versionInfo: { currentVersion: version },
  scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
  documentation: { caseStyle: 'convert-camel-to-kebab', useAliasInUsageLine: false },
  determineExitCode: (cause) => (cause instanceof SessionFsError ? cause.exit : 1),
  localization: {
    text: {
      ...text_en,
      exceptionWhileParsingArguments: (cause) => `sfs: ${messageOf(cause)}\nhint: see the options: sfs --help`,
      exceptionWhileRunningCommand: errorText,
      exceptionWhileLoadingCommandContext: errorText,
      exceptionWhileLoadingCommandFunction: errorText,
      noCommandRegisteredForInput: ({ input, corrections }) =>
        `sfs: there is no command ${JSON.stringify(input)}\nhint: ${corrections.length === 0 ? 'see all commands: sfs --help' : `did you mean ${corrections.join(' or ')}?`}`,
    },
  },
};

/** Runs one command line; the exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 refused. */
export async function main(
  routes: RouteMap<CliContext>,
  argv: readonly string[],
  context: CliContext,
): Promise<number> {
  await run(buildApplication(routes, configuration), argv.length === 0 ? ['--help'] : argv, context);
  const status = context.process.exitCode ?? 0;
  // Negative codes are the parser's own: an unknown command or option.
  return status < 0 ? wrongUsage : status;
}

/** What happened to what, and what to type next. Anything that is not ours is a fault of the program and says so. */
function errorText(cause: unknown): string {
  if (cause instanceof SessionFsError)
    return printable(`sfs: ${cause.message}${cause.hint === undefined ? '' : `\nhint: ${cause.hint}`}`);
  const detail = cause instanceof Error && process.env['SFS_DEBUG'] !== undefined ? `\n${cause.stack ?? ''}` : '';
  return `sfs: unexpected fault: ${messageOf(cause)}${detail}\nhint: run it again with SFS_DEBUG=1 and report what it prints`;
}
