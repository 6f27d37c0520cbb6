/** `sfs doctor` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag } from '../flags.ts';

interface Flags {
  readonly fix: boolean;
  readonly json: boolean;
}

export const doctor = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'What is wrong, and what to type',
    fullDescription:
      'The store, its permissions, locks, leftovers and index; the configuration; the daemon; each tool’s home, version and retention. With --fix it mends what can be mended without a loss. Ends with 1 when something fails. What is damaged inside sessions: sfs verify',
  },
  parameters: {
    flags: { fix: { kind: 'boolean', brief: 'Mend what is safe to mend', default: false }, json: jsonFlag },
  },
  async func({ fix, json }) {
    const [{ examine }, { adapters }, { daemonFacts }] = await Promise.all([
      import('../../actions/doctor.ts'),
      import('../../actions/adapters.ts'),
      import('../../daemon/control.ts'),
    ]);
    const checks = await examine(this, adapters, { fix, daemon: daemonFacts(this) });
    if (checks.some(({ status }) => status === 'fail')) this.process.exitCode = 1;
    if (json) return this.output.print(JSON.stringify(checks, null, 2));
    const { doctorLines } = await import('../render/doctor.ts');
    for (const line of doctorLines(checks, this.machine.homeDir, this.output.useColour)) this.output.print(line);
  },
});
