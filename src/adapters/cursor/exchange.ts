/**
 * The file that Cursor's editor takes in by its own command “Import Chat” (3.22 and later), one chat in each:
 *
 *     {"version":1,"conversationState":"CiAXQD…","blobs":{"1740…1f3a":"eyJyb2xl…"},"name":"Look around","exportedAt":1789034462000}
 *
 * The same blobs and root as in the database of `cursor-agent`, in base64. The command is not documented; the README says what
 * is known of it. Nothing is written into the editor's own database.
 */

import { SessionFsError } from '../../errors.ts';
import type { Exchange, Exchanged, LiveSession, Losses } from '../adapter.ts';
import { faultsOf } from './check.ts';
import { graphOf } from './graph.ts';
import type { Place } from './graph.ts';

/** The file that goes into the editor. */
export const exchange: Exchange = {
  ending: 'json',
  write,
  steps: (path, cwd) => [
    `Open ${cwd} in Cursor: a chat is taken into the folder of the window, and one without a folder takes none.`,
    `Ctrl+Shift+P (macOS: Cmd+Shift+P), “Import Chat”, and choose ${path}.`,
    'It appears with “(1)” before its name, under an id of its own; taken in again, it is there twice.',
  ],
  suits: (machine, home) =>
    machine.which('cursor') !== undefined || machine.stat(`${home}/globalStorage`)?.kind === 'directory',
};

function write(session: LiveSession, place: Place): Exchanged {
  const losses: Losses = new Map();
  const blobs = new Map<string, Uint8Array>();
  const graph = graphOf(session, place, losses);
  let next = graph.next();
  for (; next.done !== true; next = graph.next()) for (const { id, data } of next.value.blobs) blobs.set(id, data);
  const { root, blobs: rest } = next.value;
  for (const { id, data } of rest) blobs.set(id, data);
  const faults = faultsOf(root.data, blobs);
  if (faults.length > 0)
    throw new SessionFsError(
      'failed',
      `the chat that was made of ${session.sessionId} does not hold together: ${faults[0]}`,
      'this is a fault in SessionFS; nothing was written',
    );
  return { pieces: textOf(session, place, root.data, blobs), losses };
}

function* textOf(
  session: LiveSession,
  { now }: Place,
  root: Uint8Array,
  blobs: ReadonlyMap<string, Uint8Array>,
): Generator<string> {
  yield `{"version":1,"conversationState":"${base64(root)}","blobs":{`;
  let comma = '';
  for (const [id, data] of blobs) {
    yield `${comma}"${id}":"${base64(data)}"`;
    comma = ',';
  }
  const name = JSON.stringify(session.title?.toWellFormed() ?? 'New Agent');
  yield `},"name":${name},"exportedAt":${Date.parse(now)}}\n`;
}

function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}
