/** `sfs audit` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, wholeNumber } from '../flags.ts';

interface Flags {
  readonly since?: string;
  readonly event?: string;
  readonly session?: string;
  readonly limit?: number;
  readonly json: boolean;
}

const defaultRows = 50;

export const audit = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'What was done with sessions, newest first',
    fullDescription: `Who captured, resumed, exported, deleted what, and when; never what was said. The ${defaultRows} newest; --json gives all. It is audit.log in the store, a JSON object a line, of at most 16 MiB.`,
  },
  parameters: {
    flags: {
      since: { kind: 'parsed', parse: String, brief: 'Since 7d, 12h, 30m ago or a date', optional: true },
      event: { kind: 'parsed', parse: String, brief: 'Only this: capture, resume, delete, …', optional: true },
      session: { kind: 'parsed', parse: String, brief: 'Only of this id, or its beginning', optional: true },
      limit: { kind: 'parsed', parse: wholeNumber, brief: 'At most so many', optional: true },
      json: jsonFlag,
    },
    aliases: { n: 'limit' },
  },
  async func({ since, event, session, limit, json }) {
    const [{ readAudit }, { sinceOf }] = await Promise.all([
      import('../../actions/audit.ts'),
      import('../../actions/list.ts'),
    ]);
    const lines = readAudit(this, {
      ...(since === undefined ? {} : { since: sinceOf(since, this.machine.now()) }),
      ...(event === undefined ? {} : { event }),
      ...(session === undefined ? {} : { session }),
      ...(limit === undefined ? (json ? {} : { limit: defaultRows }) : { limit }),
    });
    if (json) return this.output.print(JSON.stringify(lines, null, 2));
    if (lines.length === 0) return this.output.print('Nothing is noted.');
    const { auditTable } = await import('../render/audit.ts');
    this.output.print(auditTable(lines, this.output.columns).join('\n'));
  },
});
