/** Work with the index open. */

import { SessionIndex } from '../store/session-index.ts';
import { prepareStore } from '../store/store.ts';
import type { Site } from './site.ts';

/** Runs work with the index open and closes it. `create` makes the store when there is none. */
export async function withIndex<T>(
  site: Site,
  options: { readonly create: boolean },
  work: (index: SessionIndex) => T | Promise<T>,
): Promise<T> {
  if (options.create) prepareStore(site.store);
  const index = SessionIndex.open(site.store, site.machine);
  try {
    return await work(index);
  } finally {
    index.close();
  }
}
