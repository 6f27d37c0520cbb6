/** Looks at everything that may keep SessionFS from working, says what it means and what to type, and mends what is safe to mend. */

import type { Adapter } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import type { Check, Examination } from './checks/check.ts';
import type { DaemonFacts } from './checks/daemon-checks.ts';
import { daemonChecks } from './checks/daemon-checks.ts';
import { configCheck, storeChecks } from './checks/store-checks.ts';
import { toolChecks } from './checks/tool-checks.ts';
import { readConfig } from './config.ts';
import type { Config } from './config.ts';
import type { Site } from './site.ts';

export type { Check } from './checks/check.ts';

/** `doctor --json`: every check. With `fix`, what can be mended without a loss is. Throws nothing of its own. */
export async function examine(
  site: Site,
  adapters: readonly Adapter[],
  { fix, daemon }: { readonly fix: boolean; readonly daemon: DaemonFacts },
): Promise<readonly Check[]> {
  const { config, problem } = configOf(site);
  const examination: Examination = { machine: site.machine, store: site.store, adapters, config, fix };
  return [
    ...(await storeChecks(examination)),
    configCheck(examination, problem),
    ...(await daemonChecks(examination, daemon)),
    ...(await toolChecks(examination)),
  ];
}

/** One that cannot be read counts as none, so that the rest can be looked at. */
function configOf({ store }: Site): { readonly config: Config; readonly problem: SessionFsError | undefined } {
  try {
    return { config: readConfig(store), problem: undefined };
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    return { config: { tools: {}, raw: {} }, problem: cause };
  }
}
