/** The thread that looks for changed sources while the daemon goes on. */

import { adapters } from '../actions/adapters.ts';
import { siteOf } from '../actions/site.ts';
import type { SearchOrder } from '../daemon/search.ts';
import { search } from '../daemon/search.ts';
import { systemMachine } from '../io/system.ts';
import { threadInput } from '../io/worker.ts';

const { input, post } = threadInput();
// Given by searchAway alone.
const { places, ...seen } = input as SearchOrder;
const { machine, store } = siteOf(systemMachine(seen));
const known = places.flatMap(({ tool, home }) => {
  const adapter = adapters.find(({ id }) => id === tool);
  return adapter === undefined ? [] : [{ adapter, home }];
});
search(machine, store, known, post);
