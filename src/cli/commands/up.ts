/** `sfs up` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';

export const up = buildCommand<Record<never, never>, [], CliContext>({
  docs: {
    brief: 'Capture while it runs, and show what comes in',
    fullDescription: 'The same as the daemon, in this terminal, until Ctrl-C.',
  },
  parameters: {},
  async func() {
    const [{ runDaemon }, { liveView }] = await Promise.all([import('../run-daemon.ts'), import('../render/live.ts')]);
    const view = liveView(this.output, () => this.machine.now());
    await runDaemon(this, view).finally(view.clear);
  },
});
