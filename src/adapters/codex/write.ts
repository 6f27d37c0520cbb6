/** Gives sessions to Codex: where the file goes, under whose provider, and how it comes into Codex's list. */

import type { LiveSession, Losses, WriteGiven, WriteRequest, Writer, Written } from '../adapter.ts';
import type { Machine } from '../../io/machine.ts';
import { readConfig } from './config.ts';
import { packedEnd, rolloutName } from './native.ts';
import { register } from './register.ts';
import { rolloutLines } from './rollout.ts';

/** The newest Codex CLI whose real binary has resumed what this module writes. */
const provenVersion = '0.169.0';

/** How Codex is given a session. */
export const writer: Writer = {
  // Since then threads are "paginated": shown in full, and rewound, forked and compacted like its own.
  minimumVersion: '0.148.0',
  provenVersion,
  // The title is told when the thread is registered.
  omits: ['model', 'tokens', 'exit-code', 'duration', 'title'],
  prepare,
  write,
  restore,
  register,
  live: (machine, home, nativeId) => machine.stat(`${home}/thread-writer-locks/${nativeId}.lock`) !== undefined,
  launch: (nativeId, { model }) => ['codex', 'resume', nativeId, ...(model === undefined ? [] : ['-m', model])],
};

async function prepare(machine: Machine, request: WriteRequest): Promise<WriteGiven> {
  const now = machine.now();
  const nativeId = request.nativeId ?? machine.uuid7(now.getTime());
  return {
    ...request,
    nativeId,
    now: now.toISOString(),
    toolVersion: request.version ?? provenVersion,
    extra: { provider: readConfig(machine, request.home).provider, path: rolloutPath(nativeId, now) },
  };
}

/** `sessions/2026/11/23/rollout-2026-11-23T05-18-37-<id>.jsonl`; Codex itself goes by local time. */
function rolloutPath(nativeId: string, at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [String(at.getFullYear()), two(at.getMonth() + 1), two(at.getDate())];
  const time = [two(at.getHours()), two(at.getMinutes()), two(at.getSeconds())];
  return `sessions/${day.join('/')}/rollout-${day.join('-')}T${time.join('-')}-${nativeId}.jsonl`;
}

function write(session: LiveSession, given: WriteGiven): Written {
  const losses: Losses = new Map();
  const path = String(given.extra['path'] ?? rolloutPath(given.nativeId, new Date(given.now)));
  const lines = { [Symbol.iterator]: () => rolloutLines(session, given, losses) };
  return { nativeId: given.nativeId, files: [{ key: given.nativeId, path, lines }], losses };
}

/**
 * The place below the home that a file's name says, archived threads included: Codex refuses to resume from the archive. A
 * file of another name is none of Codex's, and without the thread's first file its segments lead nowhere.
 */
function restore(
  files: readonly { readonly key: string; readonly path: string }[],
  given: WriteGiven,
): ReadonlyMap<string, string> | undefined {
  const places = new Map<string, string>();
  for (const { key, path } of files) {
    const file = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
    const name = rolloutName(file);
    if (name === undefined || name.rolloutId !== key) return undefined;
    const day =
      /[\\/]sessions[\\/](\d{4})[\\/](\d\d)[\\/](\d\d)[\\/][^\\/]+$/.exec(path)?.slice(1) ??
      name.stamp.slice(0, 10).split('-');
    // What Codex had compressed is archived as it was before.
    places.set(key, `sessions/${day.join('/')}/${name.compressed ? file.slice(0, -packedEnd.length) : file}`);
  }
  return places.has(given.nativeId) ? places : undefined;
}
