/** What actions about tools work with: the site, the configuration, the known tools. */

import type { Adapter } from '../adapters/adapter.ts';
import type { Machine } from '../io/machine.ts';
import { storeAt } from '../store/store.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';
import type { Site } from './site.ts';

/** Built once per command, handed to every action. */
export interface Context extends Site {
  readonly config: Config;
  readonly adapters: readonly Adapter[];
}

/** The context of this person on this machine; nothing is created. Throws `invalid-config`. */
export function contextOf(machine: Machine, adapters: readonly Adapter[]): Context {
  const store = storeAt(machine);
  return { machine, store, config: readConfig(store), adapters };
}
