/** Sessions of real tools caught half way, and what a store must hold of them in the end. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { openSession } from '../../src/actions/show.ts';
import { homeOf } from '../../src/actions/tools.ts';
import type { Adapter, Source } from '../../src/adapters/adapter.ts';
import type { Message } from '../../src/model/message.ts';
import type { Scratch } from './scratch.ts';
import { installRecording, recordingsOf, scratch } from './scratch.ts';

const quiet = (): void => undefined;

/** What a tool has on this machine. */
export function sourcesOf(place: Scratch, adapter: Adapter): Source[] {
  return [...adapter.reader.discover(place.context.machine, homeOf(place.context, adapter), quiet)];
}

/** A log of a tool as it stood half way, and the lines that came then. */
export interface Growing {
  readonly path: string;
  readonly nativeId: string;
  readonly rest: readonly string[];
}

/** Puts a recording in its place with the longest log cut in the middle. */
export function half(place: Scratch, adapter: Adapter): Growing {
  const recording = recordingsOf(adapter).findLast((name) => !name.endsWith('-packed')) ?? '';
  installRecording(place, adapter, recording);
  const logs = sourcesOf(place, adapter).flatMap(({ nativeId, files }) => {
    const main = files.find((file) => file.kind === 'log' && file.inherited === undefined);
    return main === undefined ? [] : [{ nativeId, path: main.path, lines: linesOf(main.path) }];
  });
  const longest = logs.reduce((a, b) => (b.lines.length > a.lines.length ? b : a));
  const middle = Math.floor(longest.lines.length / 2);
  writeFileSync(longest.path, longest.lines.slice(0, middle).join(''));
  return { path: longest.path, nativeId: longest.nativeId, rest: longest.lines.slice(middle) };
}

/** The same session once more under another id, in another folder: one that is new. */
export function anotherOne({ path, nativeId }: Growing): { readonly path: string; readonly nativeId: string } {
  const id = nativeId.replace(/^.{8}/, '0badcafe');
  const other = join(dirname(dirname(path)), 'another', `${id}.jsonl`);
  mkdirSync(dirname(other));
  writeFileSync(other, readFileSync(path, 'utf8').replaceAll(nativeId, id));
  return { path: other, nativeId: id };
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').split(/(?<=\n)/);
}

/** A session as it is in the store. */
export interface Kept {
  readonly nativeId: string;
  /** All of it, in and out, without what a cache gave. */
  readonly tokens: readonly [input: number, output: number];
  /** Without tokens: a tool may tell those of a response after its messages, which by then may have been captured. */
  readonly messages: readonly Omit<Message, 'usage'>[];
}

/** Every session with all its messages. */
export async function kept(place: Scratch): Promise<Kept[]> {
  const { sessions } = await listSessions(place.context, {});
  const all = await Promise.all(
    sessions.map(async (row): Promise<Kept> => {
      const { reader } = await openSession(place.context, row.session_id);
      return {
        nativeId: row.native_id ?? '',
        tokens: [row.total_input_tokens, row.total_output_tokens],
        messages: Array.from(reader.timeline(), ({ usage: _, ...message }) => message),
      };
    }),
  );
  return all.sort(byNativeId);
}

/** In the order of their native ids. */
export function byNativeId(a: Kept, b: Kept): number {
  return a.nativeId < b.nativeId ? -1 : 1;
}

/** Everything a second machine has that saw the files only at the end. */
export async function atOnce(t: TestContext, adapter: Adapter, from: Scratch): Promise<Kept[]> {
  const other = scratch(t);
  await importSessions(other.context, { from: adapter.id, path: homeOf(from.context, adapter) }, quiet);
  return kept(other);
}
