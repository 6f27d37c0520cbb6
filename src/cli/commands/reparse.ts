/** `sfs reparse` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, sessionParameter } from '../flags.ts';

interface Flags {
  readonly from?: string;
  readonly all: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export const reparse = buildCommand<Flags, [string?], CliContext>({
  docs: {
    brief: 'Derive messages again from the native bytes that were kept',
    fullDescription:
      'For sessions that an earlier version captured; the tool’s own files are not needed. Messages stay: one that reads otherwise now gets a newer form, one that was missed is added. Titles, tags, aliases and checkpoints stay.',
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...sessionParameter, optional: true }] },
    flags: {
      from: { kind: 'parsed', parse: String, brief: 'All sessions of this tool', placeholder: 'tool', optional: true },
      all: { kind: 'boolean', brief: 'All sessions', default: false },
      dryRun: { kind: 'boolean', brief: 'Only say what would change', default: false },
      json: jsonFlag,
    },
  },
  async func({ from, all, dryRun, json }, session) {
    const [{ reparseSessions }, { reparseLines }] = await Promise.all([
      import('../../actions/reparse.ts'),
      import('../render/reparse.ts'),
    ]);
    const { output } = this;
    const done = await reparseSessions(
      await this.full(),
      { ...(session === undefined ? {} : { session }), ...(from === undefined ? {} : { from }), all, dryRun },
      (count, total) => {
        if (output.isRemarkTerminal && total > 1)
          output.remark(`\r\u001B[K${count === total ? '' : `${count} of ${total} sessions`}`);
      },
    );
    if (json) output.print(JSON.stringify(done, null, 2));
    else for (const line of reparseLines(done, dryRun)) output.print(line);
    if (done.some(({ outcome }) => outcome === 'failed')) this.process.exitCode = 1;
  },
});
