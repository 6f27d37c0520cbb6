/** `sfs up` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';

interface Flags {
  readonly quiet: boolean;
}

/** Sessions shown before what comes in. */
const shownSessions = 10;

export const up = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'Capture while it runs, and show what comes in',
    fullDescription:
      'The same as the daemon, in this terminal, until Ctrl-C. On a terminal it first captures what is there and lists the newest.',
  },
  parameters: {
    flags: { quiet: { kind: 'boolean', brief: 'Show only what comes in from now on', default: false } },
    aliases: { q: 'quiet' },
  },
  async func({ quiet }) {
    const [{ runDaemon }, { liveView }] = await Promise.all([import('../run-daemon.ts'), import('../render/live.ts')]);
    if (this.output.isTerminal && !quiet) await showWhatIsThere(this);
    const view = liveView(this.output, () => this.machine.now());
    await runDaemon(this, view).finally(view.clear);
  },
});

/** Captures all there is, as `sfs import` does, and lists the newest. */
async function showWhatIsThere(context: CliContext): Promise<void> {
  const [{ importSessions }, { listSessions }, { importLines, problemLine, progressLine }, { sessionTable }] =
    await Promise.all([
      import('../../actions/import.ts'),
      import('../../actions/list.ts'),
      import('../render/import.ts'),
      import('../render/session-table.ts'),
    ]);
  const { output, machine } = context;
  const progress = progressLine(output);
  const result = await importSessions(await context.full(), {}, progress.show).finally(progress.clear);
  for (const problem of result.problems) output.remark(problemLine(problem));
  for (const line of importLines(result, machine.homeDir)) output.print(line);
  const { sessions, more } = await listSessions(context, { limit: shownSessions, minMessages: 1 });
  if (sessions.length === 0) return;
  const view = { now: machine.now(), width: output.columns, useColour: output.useColour };
  output.print(`\n${sessionTable(sessions, view).join('\n')}`);
  if (more) output.print(`\nOnly ${sessions.length} are shown; all of them: sfs list --all`);
  output.print('\nGo on with one, in another terminal: sfs resume ID\n');
}
