/** `sfs import` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';

interface Flags {
  readonly from?: string;
  readonly json: boolean;
}

export const importCommand = buildCommand<Flags, [string?], CliContext>({
  docs: {
    brief: 'Capture sessions into the store',
    fullDescription:
      'Without PATH: every tool of this machine. PATH is a tool’s folder, a session file, a .sfs directory, its .tar.gz, or another store (a ~/.sessionfs of 0.1.0 too). Only what is new is read; nothing captured is ever lost.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          placeholder: 'path',
          brief: 'A tool’s folder, a session file, a .sfs directory or .tar.gz, a store',
          optional: true,
        },
      ],
    },
    flags: {
      from: { kind: 'parsed', parse: String, brief: 'Only this tool', placeholder: 'tool', optional: true },
      json: { kind: 'boolean', brief: 'What came in, as JSON', default: false },
    },
  },
  async func(flags, path) {
    const [{ importSessions }, { importLines, problemLine, progressLine }] = await Promise.all([
      import('../../actions/import.ts'),
      import('../render/import.ts'),
    ]);
    const context = await this.full();
    const { output } = this;
    const progress = progressLine(output);
    const result = await importSessions(
      context,
      { ...(flags.from === undefined ? {} : { from: flags.from }), ...(path === undefined ? {} : { path }) },
      progress.show,
    ).finally(progress.clear);
    for (const problem of result.problems) output.remark(problemLine(problem));
    if (flags.json) output.print(JSON.stringify(result, null, 2));
    else for (const line of importLines(result, this.machine.homeDir)) output.print(line);
    if (result.sessions.some(({ outcome }) => outcome === 'failed')) this.process.exitCode = 1;
  },
});
