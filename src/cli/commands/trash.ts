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

const empty = buildCommand<JsonFlag, [], CliContext>({
  docs: {
    brief: 'Remove deleted sessions for good',
    fullDescription: 'They stay out of imports all the same; sfs restore ID lets one in again.',
  },
  parameters: { flags: { json: jsonFlag } },
  async func({ json }) {
    const { clearTrash } = await import('../../actions/trash.ts');
    const result = clearTrash(this);
    if (json) return this.output.print(JSON.stringify(result, null, 2));
    const { counted } = await import('../render/text.ts');
    this.output.print(`Removed ${counted(result.emptied.length, 'session')} for good.`);
  },
});

export const trash = buildRouteMap({
  routes: { list, empty },
  defaultCommand: 'list',
  docs: { brief: 'Deleted sessions' },
});
