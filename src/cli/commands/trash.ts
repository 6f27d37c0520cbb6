/** `sfs trash list|empty` */

import { buildCommand, buildRouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

const list = buildCommand<JsonFlag, [], CliContext>({
  docs: { brief: 'List deleted sessions, last deleted first' },
  parameters: { flags: { json: jsonFlag } },
  async func({ json }) {
    const { listTrash } = await import('../../actions/trash.ts');
    const deleted = listTrash(this);
    if (json) return this.output.print(JSON.stringify(deleted, null, 2));
    if (deleted.length === 0) return this.output.print('The trash is empty.');
    const { trashTable } = await import('../render/trash.ts');
    this.output.print(trashTable(deleted, { now: this.machine.now(), width: this.output.columns }).join('\n'));
  },
});

interface EmptyFlags extends JsonFlag {
  readonly yes: boolean;
}

const empty = buildCommand<EmptyFlags, [], CliContext>({
  docs: {
    brief: 'Remove deleted sessions for good',
    fullDescription:
      'Asks first; where nobody can answer, --yes is needed. They stay out of imports all the same; sfs restore ID lets one in again.',
  },
  parameters: { flags: { yes: { kind: 'boolean', brief: 'Do not ask', default: false }, json: jsonFlag } },
  async func({ yes, json }) {
    const { clearTrash, listTrash } = await import('../../actions/trash.ts');
    const { counted } = await import('../render/text.ts');
    const there = counted(listTrash(this).length, 'session');
    if (!yes && there !== counted(0, 'session') && !(await isMeant(this, there))) {
      this.output.remark('Nothing was removed.\n');
      this.process.exitCode = 1;
      return;
    }
    const result = clearTrash(this);
    if (json) return this.output.print(JSON.stringify(result, null, 2));
    this.output.print(`Removed ${counted(result.emptied.length, 'session')} for good.`);
  },
});

/** Does the person mean it? Throws `usage` where nobody can answer. */
async function isMeant(context: CliContext, what: string): Promise<boolean> {
  if (!context.output.canAsk) {
    const { SessionFsError } = await import('../../errors.ts');
    throw new SessionFsError(
      'usage',
      `${what} would be removed for good, and nobody can be asked here`,
      'if that is meant: sfs trash empty --yes',
    );
  }
  const { isYes } = await import('../render/ask.ts');
  return isYes(`Remove ${what} for good?`);
}

export const trash = buildRouteMap({
  routes: { list, empty },
  defaultCommand: 'list',
  docs: { brief: 'Deleted sessions' },
});
