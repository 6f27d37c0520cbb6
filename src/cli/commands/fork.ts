/** `sfs fork` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, sessionParameter } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

interface Flags extends JsonFlag {
  readonly name: string;
  readonly fromCheckpoint?: string;
  readonly at?: string;
}

export const fork = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Make a new session that goes on from a point of another',
    fullDescription:
      'Without --from-checkpoint and --at it begins where the session is now. Go on with it in any tool: sfs resume.',
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [sessionParameter] },
    flags: {
      name: { kind: 'parsed', parse: String, brief: 'The title of the new session' },
      fromCheckpoint: { kind: 'parsed', parse: String, brief: 'Begin at this checkpoint', optional: true },
      at: { kind: 'parsed', parse: String, brief: 'Begin after this message', placeholder: 'message', optional: true },
      json: jsonFlag,
    },
  },
  async func({ name, fromCheckpoint, at, json }, session) {
    const { forkSession } = await import('../../actions/fork.ts');
    const forked = await forkSession(await this.full(), {
      session,
      name,
      ...(fromCheckpoint === undefined ? {} : { checkpoint: fromCheckpoint }),
      ...(at === undefined ? {} : { at }),
    });
    this.output.print(
      json
        ? JSON.stringify(forked, null, 2)
        : `“${forked.title}” is ${forked.session_id}, ${forked.message_count} messages from ${forked.parent_session_id}.\nGo on with it: sfs resume ${forked.session_id}`,
    );
  },
});
