/** `sfs checkpoint create|list|delete` */

import { buildCommand, buildRouteMap } from '@stricli/core';
import { SessionFsError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { jsonFlag, sessionParameter } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

interface CreateFlags extends JsonFlag {
  readonly name?: string;
}

const create = buildCommand<CreateFlags, [string, string?], CliContext>({
  docs: {
    brief: 'Mark where a session is now',
    fullDescription:
      'sfs checkpoint SESSION --name NAME does the same. A checkpoint never changes; sfs fork goes on from it.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        sessionParameter,
        { parse: String, placeholder: 'name', brief: 'Letters, digits, "." "_" "-"', optional: true },
      ],
    },
    flags: {
      name: { kind: 'parsed', parse: String, brief: 'The name, instead of the argument', optional: true },
      json: jsonFlag,
    },
  },
  async func({ json, name: named }, argument, positional) {
    if (named !== undefined && positional !== undefined)
      throw new SessionFsError('usage', 'the checkpoint was named twice', `sfs checkpoint create ${argument} ${named}`);
    const { makeCheckpoint } = await import('../../actions/checkpoint.ts');
    const made = await makeCheckpoint(await this.full(), { session: argument, name: named ?? positional ?? '' });
    this.output.print(
      json
        ? JSON.stringify(made, null, 2)
        : `Checkpoint ${made.name} of ${made.session_id}, ${made.message_count} messages.\nGo on from it: sfs fork ${made.session_id} --from-checkpoint ${made.name} --name TITLE`,
    );
  },
});

const list = buildCommand<JsonFlag, [string], CliContext>({
  docs: { brief: 'List the checkpoints of a session, oldest first' },
  parameters: { positional: { kind: 'tuple', parameters: [sessionParameter] }, flags: { json: jsonFlag } },
  async func({ json }, argument) {
    const { listCheckpoints } = await import('../../actions/checkpoint.ts');
    const checkpoints = await listCheckpoints(this, argument);
    if (json) return this.output.print(JSON.stringify(checkpoints, null, 2));
    if (checkpoints.length === 0)
      return this.output.print(`No checkpoints. Make one: sfs checkpoint create ${argument} NAME`);
    const [{ table }, { agoText }] = await Promise.all([import('../render/table.ts'), import('../render/text.ts')]);
    const rows = checkpoints.map((one) => [
      one.name,
      String(one.message_count),
      agoText(one.created_at, this.machine.now()),
    ]);
    const columns = [{ heading: 'NAME' }, { heading: 'MSGS', align: 'right' as const }, { heading: 'MADE' }];
    this.output.print(table(columns, rows, this.output.columns).join('\n'));
  },
});

const remove = buildCommand<JsonFlag, [string, string], CliContext>({
  docs: { brief: 'Delete a checkpoint; forks made from it stay' },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [sessionParameter, { parse: String, placeholder: 'name', brief: 'The checkpoint' }],
    },
    flags: { json: jsonFlag },
  },
  async func({ json }, argument, name) {
    const { removeCheckpoint } = await import('../../actions/checkpoint.ts');
    const removed = await removeCheckpoint(this, argument, name);
    this.output.print(
      json ? JSON.stringify(removed, null, 2) : `Deleted checkpoint ${removed.name} of ${removed.session_id}.`,
    );
  },
});

export const checkpoint = buildRouteMap({
  routes: { create, list, delete: remove },
  defaultCommand: 'create',
  docs: { brief: 'Points of a session to go on from: sfs checkpoint ID --name NAME' },
});
