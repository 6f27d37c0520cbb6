/** Looking for every source that changed since it was captured. In a process of many sessions this is a thread's work. */

import type { Found } from '../capture/capture.ts';
import { isUpToDate } from '../capture/capture.ts';
import { noteGone } from '../capture/gone.ts';
import { messageOf } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { runThread } from '../io/worker.ts';
import { SessionIndex } from '../store/session-index.ts';
import type { Store } from '../store/store.ts';
import type { Place } from './home-watch.ts';

type Source = Found['source'];

/** What a thread is to search: plain data. */
export interface SearchOrder {
  readonly env: Machine['env'];
  readonly homeDir: string;
  readonly places: readonly { readonly tool: string; readonly home: string }[];
}

/** What a search tells of a place, by its number: a source that changed, or what cannot be read. */
export type SearchMessage =
  | { readonly place: number; readonly source: Source; readonly modifiedMs: number }
  | { readonly place: number; readonly problem: string };

/** Searches on this thread, with an index connection of its own. */
export function search(
  machine: Machine,
  store: Store,
  places: readonly Omit<Place, 'isEnabled'>[],
  tell: (message: SearchMessage) => void,
): void {
  const site = { machine, store, index: SessionIndex.open(store, machine) };
  try {
    for (const [place, { adapter, home }] of places.entries()) {
      try {
        let isWhole = true;
        const problem = (path: string, why: string): void => {
          isWhole = false;
          tell({ place, problem: `${path}: ${why}` });
        };
        const there: string[] = [];
        for (const source of adapter.reader.discover(machine, home, problem)) {
          there.push(source.nativeId);
          if (isUpToDate(site, { adapter, source })) continue;
          tell({ place, source, modifiedMs: machine.stat(source.files[0]?.path ?? '')?.modifiedMs ?? 0 });
        }
        if (isWhole) noteGone(site, { adapter, home }, there);
      } catch (cause) {
        // One unreadable home leaves the others alone.
        tell({ place, problem: messageOf(cause) });
      }
    }
  } finally {
    site.index.close();
  }
}

/** Searches on a thread of its own: this one goes on hearing, and its memory stays small. */
export function searchAway(
  machine: Machine,
  places: readonly Place[],
  tell: (message: SearchMessage) => void,
): Promise<void> {
  const order: SearchOrder = {
    env: { ...machine.env },
    homeDir: machine.homeDir,
    places: places.map(({ adapter, home }) => ({ tool: adapter.id, home })),
  };
  // Posted by search alone.
  return runThread('search-thread', order, (message) => tell(message as SearchMessage));
}
