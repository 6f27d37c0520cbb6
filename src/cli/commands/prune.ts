/** `sfs prune` */

import { buildCommand } from '@stricli/core';
import type { PruneRequest } from '../../actions/prune.ts';
import type { CliContext } from '../context.ts';
import { byteSize, jsonFlag } from '../flags.ts';

interface Flags extends PruneRequest {
  readonly json: boolean;
}

export const prune = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'Make room: put old or large sessions into the trash',
    fullDescription:
      'Says what would go and what that frees; only with --yes it is done. A session has to be old enough and large enough where both are asked for; with --keep-under the oldest go until the rest fits. What goes stays out of imports, as with sfs delete, and sfs restore takes it back. Never taken: sessions in use; and, unless told, marked ones and those that are nowhere else.',
  },
  parameters: {
    flags: {
      olderThan: {
        kind: 'parsed',
        parse: String,
        brief: 'Last updated so long ago (90d, 12w) or before a date',
        optional: true,
      },
      largerThan: { kind: 'parsed', parse: byteSize, brief: 'Takes more (100MB, 1GB)', optional: true },
      keepUnder: { kind: 'parsed', parse: byteSize, brief: 'So much may all sessions take (5GB)', optional: true },
      tool: { kind: 'parsed', parse: String, brief: 'Only sessions of this tool', optional: true },
      marked: { kind: 'boolean', brief: 'Also those with a tag, alias, name or checkpoint', default: false },
      ghosts: { kind: 'boolean', brief: 'Also those that are nowhere else', default: false },
      permanently: { kind: 'boolean', brief: 'Remove for good, not into the trash', default: false },
      yes: { kind: 'boolean', brief: 'Do it', default: false },
      json: jsonFlag,
    },
  },
  async func({ olderThan, largerThan, keepUnder, tool, json, ...how }) {
    const [{ pruneSessions }, { sinceOf }, { toolNamed }, { countingLine }] = await Promise.all([
      import('../../actions/prune.ts'),
      import('../../actions/list.ts'),
      import('../../actions/tools.ts'),
      import('../render/counting.ts'),
    ]);
    const context = await this.full();
    const now = this.machine.now();
    const counting = countingLine(this.output, 'Looked at');
    const pruned = await pruneSessions(
      context,
      {
        ...(olderThan === undefined ? {} : { olderThan: sinceOf(olderThan, now) }),
        ...(largerThan === undefined ? {} : { largerThan }),
        ...(keepUnder === undefined ? {} : { keepUnder }),
        ...(tool === undefined ? {} : { tool: toolNamed(context, tool).id }),
        ...how,
      },
      counting.show,
    ).finally(counting.clear);
    if (pruned.problems.length > 0) this.process.exitCode = 1;
    if (json) return this.output.print(JSON.stringify(pruned, null, 2));
    const [{ pruneLines }, { shellText }] = await Promise.all([
      import('../render/prune.ts'),
      import('../render/text.ts'),
    ]);
    const again = shellText([
      'sfs',
      'prune',
      ...(olderThan === undefined ? [] : ['--older-than', olderThan]),
      ...(largerThan === undefined ? [] : ['--larger-than', String(largerThan)]),
      ...(keepUnder === undefined ? [] : ['--keep-under', String(keepUnder)]),
      ...(tool === undefined ? [] : ['--tool', tool]),
      ...(how.marked ? ['--marked'] : []),
      ...(how.ghosts ? ['--ghosts'] : []),
      ...(how.permanently ? ['--permanently'] : []),
    ]);
    const view = { now, width: this.output.columns, again, keepUnder };
    for (const line of pruneLines(pruned, view)) this.output.print(line);
  },
});
