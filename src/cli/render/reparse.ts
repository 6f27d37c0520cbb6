/** What deriving again came to, as a person reads it. */

import type { Reparsed } from '../../actions/reparse.ts';
import { counted } from './text.ts';

/** A line for each session that is not as it was or was left alone, then the sum. */
export function reparseLines(done: readonly Reparsed[], isTrial: boolean): string[] {
  const lines = done.flatMap((session) => {
    if (session.outcome === 'unchanged') return [];
    const { session_id: id, added, revised } = session;
    if (session.outcome === 'changed') return [`${id}: ${counted(added, 'message')} new, ${revised} in a newer form`];
    return [`${id}: ${session.outcome === 'left' ? 'left as it is' : 'failed'}: ${session.why ?? ''}`];
  });
  const count = (outcome: Reparsed['outcome']): number => done.filter((session) => session.outcome === outcome).length;
  const parts = [
    `${count('changed')} ${isTrial ? 'would change' : 'changed'}`,
    `${count('unchanged')} unchanged`,
    ...(count('left') > 0 ? [`${count('left')} left`] : []),
    ...(count('failed') > 0 ? [`${count('failed')} failed`] : []),
  ];
  return [...lines, `${counted(done.length, 'session')}: ${parts.join(', ')}.`];
}
