/** The machine and the store: all that looking at sessions needs. */

import type { Machine } from '../io/machine.ts';
import type { Store } from '../store/store.ts';
import { storeAt } from '../store/store.ts';

/** Where an action works. */
export interface Site {
  readonly machine: Machine;
  readonly store: Store;
}

/** The site of this person on this machine; nothing is created. */
export function siteOf(machine: Machine): Site {
  return { machine, store: storeAt(machine) };
}
