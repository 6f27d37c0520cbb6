/** `sfs verify` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, sessionParameter } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

export const verify = buildCommand<JsonFlag, string[], CliContext>({
  docs: {
    brief: 'Read everything in the store and say what is damaged',
    fullDescription:
      'Every length, line and hash of the sessions named, or of all of them with the index and the ledger. Changes nothing. Ends with 1 when something is damaged, and says what may mend it.',
  },
  parameters: {
    positional: { kind: 'array', parameter: sessionParameter },
    flags: { json: jsonFlag },
  },
  async func({ json }, ...sessions) {
    const [{ verifyStore }, { countingLine }] = await Promise.all([
      import('../../actions/verify.ts'),
      import('../render/counting.ts'),
    ]);
    const counting = countingLine(this.output, 'Read');
    const found = await verifyStore(this, sessions, counting.show).finally(counting.clear);
    if (found.damaged.length > 0) this.process.exitCode = 1;
    if (json) return this.output.print(JSON.stringify(found, null, 2));
    const { verifyLines } = await import('../render/verify.ts');
    for (const line of verifyLines(found, this.machine.homeDir)) this.output.print(line);
  },
});
