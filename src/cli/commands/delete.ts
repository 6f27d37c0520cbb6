/** `sfs delete` and `sfs restore` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, sessionParameter } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

export const deleteCommand = buildCommand<JsonFlag, [string], CliContext>({
  docs: {
    brief: 'Put a session into the trash',
    fullDescription:
      'The next imports leave it out. The tool’s own copy stays where it is. sfs restore takes it back, sfs trash empty removes it for good.',
  },
  parameters: { positional: { kind: 'tuple', parameters: [sessionParameter] }, flags: { json: jsonFlag } },
  async func({ json }, argument) {
    const { deleteSession } = await import('../../actions/trash.ts');
    const deleted = await deleteSession(this, argument);
    if (json) return this.output.print(JSON.stringify(deleted, null, 2));
    const { oneLine } = await import('../render/text.ts');
    this.output.print(
      `Deleted “${oneLine(deleted.title ?? '(untitled)')}”. Take it back: sfs restore ${deleted.session_id}`,
    );
  },
});

export const restoreCommand = buildCommand<JsonFlag, [string], CliContext>({
  docs: {
    brief: 'Take a deleted session back',
    fullDescription:
      'When the trash was emptied meanwhile, only the mark is taken away: the next import takes in what the tool still has.',
  },
  parameters: { positional: { kind: 'tuple', parameters: [sessionParameter] }, flags: { json: jsonFlag } },
  async func({ json }, argument) {
    const { restoreSession } = await import('../../actions/trash.ts');
    const restored = await restoreSession(this, argument);
    if (json) return this.output.print(JSON.stringify(restored, null, 2));
    const { oneLine } = await import('../render/text.ts');
    this.output.print(
      restored.directory === null
        ? `${restored.session_id} is no longer in the trash; what its tool still has comes in with: sfs import`
        : `Restored “${oneLine(restored.title ?? '(untitled)')}” as ${restored.session_id}.`,
    );
  },
});
