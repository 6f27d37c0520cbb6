/** What `sfsd` and `sfs up` have in common: the daemon by this person's configuration, until a signal ends it. */

import { adapters } from '../actions/adapters.ts';
import { contextOf } from '../actions/context.ts';
import { homeOf, isEnabled } from '../actions/tools.ts';
import { asDaemon } from '../daemon/control.ts';
import type { DaemonSite } from '../daemon/control.ts';
import type { DaemonSetup } from '../daemon/daemon.ts';
import { Daemon } from '../daemon/daemon.ts';

/** Where it tells what it does. */
export type DaemonReport = Pick<DaemonSetup, 'captured' | 'note'>;

/** Runs until SIGTERM or SIGINT, and reads the configuration again on SIGHUP. Throws `daemon-running`, `invalid-config`, `store-unwritable`. */
export async function runDaemon({ machine, store }: DaemonSite, report: DaemonReport): Promise<void> {
  const setup = {
    machine,
    store,
    places: () => {
      const context = contextOf(machine, adapters);
      return adapters.map((adapter) => {
        const home = homeOf(context, adapter);
        const beside = adapter.home.beside?.(machine, home) ?? [];
        return { adapter, home, beside, isEnabled: isEnabled(context, adapter) };
      });
    },
    ...report,
  };
  let daemon: Daemon | undefined;
  const handlers = {
    SIGTERM: () => daemon?.stop(),
    SIGINT: () => daemon?.stop(),
    SIGHUP: () => daemon?.reload(),
  } as const;
  for (const [name, handler] of Object.entries(handlers)) process.on(name, handler);
  try {
    await asDaemon({ machine, store }, (hold) => {
      daemon = new Daemon({ ...setup, hold });
      return daemon.run();
    });
  } finally {
    for (const [name, handler] of Object.entries(handlers)) process.off(name, handler);
  }
}
