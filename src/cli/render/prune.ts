/** What pruning would do, or did, as a person reads it. */

import type { Pruned, Spared } from '../../actions/prune.ts';
import { weighedTable } from './storage.ts';
import type { StorageView } from './storage.ts';
import { counted, grouped, oneLine, sizeText } from './text.ts';

const why = {
  live: (count) => `${counted(count, 'session is', 'sessions are')} in use`,
  marked: (count) =>
    `${counted(count, 'session has', 'sessions have')} a tag, an alias, a name or a checkpoint (--marked takes them too)`,
  'only-copy': (count) =>
    `${counted(count, 'session is', 'sessions are')} nowhere else, for the tool has deleted its copy or never had one (--ghosts takes them too)`,
} as const satisfies Record<Spared, (count: number) => string>;

/** So many of the oldest are shown. */
const shownSessions = 20;

/** A table of the sessions, what stays and why, and what to type next. `again`: the command without `--yes`. */
export function pruneLines(
  pruned: Pruned,
  {
    now,
    width,
    again,
    keepUnder,
  }: Pick<StorageView, 'now' | 'width'> & {
    readonly again: string;
    readonly keepUnder: number | undefined;
  },
): string[] {
  const { done, sessions, bytes, permanently, spared } = pruned;
  const all = `${counted(sessions.length, 'session')}, ${sizeText(bytes)}`;
  const stay = (Object.keys(why) as Spared[]).flatMap((reason) =>
    spared[reason] === 0 ? [] : [`Stays: ${why[reason](spared[reason])}.`],
  );
  const short =
    keepUnder !== undefined && pruned.sessions_bytes !== null && pruned.sessions_bytes.after > keepUnder
      ? [`That leaves ${sizeText(pruned.sessions_bytes.after)}, which is more than ${sizeText(keepUnder)}.`]
      : [];
  const problems = pruned.problems.map(({ session_id: id, problem }) => `${id} stays: ${oneLine(problem)}`);
  if (sessions.length === 0) return ['Nothing is to go.', ...stay, ...short, ...problems];
  const more = sessions.length - shownSessions;
  const told = [
    ...weighedTable(sessions.slice(0, shownSessions), { now, width }),
    ...(more > 0 ? [`… and ${grouped(more)} more; all of them: --json`] : []),
    '',
    ...stay,
    ...short,
    ...problems,
  ];
  if (!done)
    return [
      ...told,
      `${permanently ? 'Would be removed for good' : 'Would go into the trash'}: ${all}. Nothing has been done.`,
      `Do it: ${again} --yes`,
    ];
  return permanently
    ? [...told, `Removed for good: ${all}.`]
    : [...told, `In the trash: ${all}. Take one back: sfs restore ID; free the room: sfs trash empty`];
}
