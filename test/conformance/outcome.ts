/** What becomes of one thing a session holds on its way into a tool: found by writing it and reading it again. */

import type { Adapter } from '../../src/adapters/adapter.ts';
import type { Element } from './elements.ts';
import { writtenAndRead } from './round-trip.ts';

/**
 * - `none`: the source has no such thing.
 * - `carried`: it is there as it was.
 * - `changed`: it is there in another form: `as`.
 * - `lost`: it is not there, and a loss says so.
 * - `omitted`: it is not there, and no loss is counted.
 * - `stays`: it is not in the live view, so nobody writes it.
 * `losses`: the names of those that were counted, in order.
 */
export interface Outcome {
  readonly what: 'none' | 'carried' | 'changed' | 'lost' | 'omitted' | 'stays';
  readonly as?: string;
  readonly losses: readonly string[];
}

/** Writes a session of `source` that holds the element for `target`, and looks for it in what is read. */
export function outcomeOf(element: Element, source: Adapter, target: Adapter): Outcome {
  const session = element.made(source);
  if (session === undefined) return { what: 'none', losses: [] };
  const { live, found, facts, losses } = writtenAndRead(target, session);
  const names = [...losses.keys()];
  const told = {
    ...(session.title === undefined ? {} : { title: { text: session.title, by: 'person' as const } }),
    ...(session.git === undefined ? {} : { git: session.git }),
  };
  const meant = element.find(live, told);
  if (meant === undefined) return { what: 'stays', losses: names };
  const read = element.find(found, facts);
  if (read === meant) return { what: 'carried', losses: names };
  if (read !== undefined) return { what: 'changed', as: element.brief?.(read) ?? read, losses: names };
  return { what: names.length > 0 ? 'lost' : 'omitted', losses: names };
}
