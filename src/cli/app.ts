/** The commands, and how errors become words and exit codes. */

import { buildApplication, buildRouteMap, run, text_en } from '@stricli/core';
import { SessionFsError, messageOf } from '../errors.ts';
import { version } from '../version.ts';
import { checkpoint } from './commands/checkpoint.ts';
import { config } from './commands/config.ts';
import { deleteCommand, restoreCommand } from './commands/delete.ts';
import { exportCommand } from './commands/export.ts';
import { fork } from './commands/fork.ts';
import { importCommand } from './commands/import.ts';
import { list } from './commands/list.ts';
import { alias, rename, tag } from './commands/registers.ts';
import { reparse } from './commands/reparse.ts';
import { resumeCommand } from './commands/resume.ts';
import { show } from './commands/show.ts';
import { tools } from './commands/tools.ts';
import { trash } from './commands/trash.ts';
import type { CliContext } from './context.ts';
import { printable } from './render/text.ts';

/** Every command by the name people type. */
export const routes = buildRouteMap({
  routes: {
    list,
    show,
    resume: resumeCommand,
    import: importCommand,
    export: exportCommand,
    reparse,
    fork,
    checkpoint,
    rename,
    tag,
    alias,
    delete: deleteCommand,
    restore: restoreCommand,
    trash,
    tools,
    config,
  },
  docs: {
    brief: 'Capture, find, and resume AI coding agent sessions across tools',
    fullDescription: 'Start with: sfs import, then sfs list, then sfs resume @last --in codex',
  },
});

const wrongUsage = 2;

const app = buildApplication(routes, {
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
});

/** Runs one command line; the exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 refused. */
export async function main(argv: readonly string[], context: CliContext): Promise<number> {
  await run(app, argv.length === 0 ? ['--help'] : argv, context);
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
