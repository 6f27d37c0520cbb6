/** Where rows hang: native links to message ids, parallel calls in one line, and which message the conversation goes on after. */

import type { Given } from '../adapter.ts';
import { batchLimit, mainRowsLimit, pushBounded, recentLimit } from './state.ts';
import type { Batch, ReadState } from './state.ts';

/** Longest gap, in milliseconds, over which the tool itself mends a broken link. */
const mendMs = 5000;

/** The message a native row stands for; `''` above the first message, `undefined` when nobody knows the row. */
export function pointOf(uuid: string, state: ReadState, given: Given): string | undefined {
  const recent = state.points[uuid];
  if (typeof recent === 'string') return recent;
  return given.lookup.id(uuid) ?? (given.lookup.has(uuid) ? uuid : undefined);
}

/** Was this row read already, as far as we remember? */
export function isRecent(uuid: string, state: ReadState): boolean {
  return typeof state.points[uuid] === 'string';
}

/**
 * The message a row hangs on; `''` for a root. A link that leads nowhere is mended as the tool does: by the main line's
 * newest row of the five seconds before it, by their clocks; else by what a compaction kept; else the row is a root.
 */
export function parentPoint(link: unknown, time: string, state: ReadState, given: Given, side: boolean): string {
  if (typeof link !== 'string' || link === '') return '';
  const point = pointOf(link, state, given);
  if (point !== undefined) return point;
  if (side) return '';
  return pointJustBefore(time, state, given) ?? state.kept?.under ?? '';
}

/** Rows are not always written in the order of their clocks: the newest one may be later than this time. */
function pointJustBefore(time: string, state: ReadState, given: Given): string | undefined {
  const now = Date.parse(time);
  let newest: { readonly uuid: string; readonly at: number } | undefined;
  for (const row of state.mainRows) {
    const at = Date.parse(row.at);
    if (now >= at && now - at <= mendMs && (newest === undefined || at >= newest.at)) newest = { uuid: row.uuid, at };
  }
  return newest === undefined ? undefined : pointOf(newest.uuid, state, given);
}

/** Remembers that whatever hangs on row `uuid` hangs on message `point`. Told to the store when the two differ. */
export function setPoint(uuid: string, point: string, state: ReadState, given: Given): void {
  if (typeof state.points[uuid] !== 'string') remember(uuid, state);
  state.points[uuid] = point;
  if (point !== uuid && point !== '') given.sink.key(uuid, point);
}

function remember(uuid: string, state: ReadState): void {
  const oldest = state.ring[state.next];
  if (oldest !== undefined) {
    delete state.points[oldest];
    delete state.above[oldest];
  }
  state.ring[state.next] = uuid;
  state.next = (state.next + 1) % recentLimit;
}

const saidSuffix = ':said';

/** The id of what a person said in the same row as results of calls: it hangs on the results. */
export function saidId(uuid: string): string {
  return uuid + saidSuffix;
}

/** Remembers the message before a row's message. */
export function setAbove(uuid: string, id: string, above: string, state: ReadState): void {
  if (id === uuid) state.above[uuid] = above;
}

/** Notes a row of the main line: the newest one, and whether it stems from the checkpoint. */
export function advance(uuid: string, point: string, above: string, state: ReadState): void {
  state.last = point;
  state.hasLast = true;
  pushBounded(state.mainRows, { uuid, at: state.at }, mainRowsLimit);
  state.cleared = false;
  const mark = state.checkpoint;
  if (mark === null) return;
  if (mark.uuid === uuid) {
    mark.point = point;
    mark.newest = point;
  } else if (mark.point !== undefined && stemsFrom(above, mark.point, mark.newest, state)) {
    mark.newest = point;
  }
}

/** Sets the tool's checkpoint. Rows after it that stem from it move the leaf on; others do not. */
export function setCheckpoint(uuid: string, explicit: boolean, state: ReadState, given: Given): void {
  const before = state.checkpoint;
  state.cleared = false;
  if (before?.uuid === uuid && !explicit) return;
  const point = pointOf(uuid, state, given);
  state.checkpoint = { uuid, explicit, newest: point ?? '' };
  if (point === undefined) return;
  state.checkpoint.point = point;
  // A person who goes back to a row leaves what came after it; what comes from now on counts.
  if (!explicit && state.hasLast && stemsFrom(state.last, point, point, state)) state.checkpoint.newest = state.last;
}

function stemsFrom(id: string, ancestor: string, newest: string, state: ReadState): boolean {
  let at = id;
  for (let step = 0; step <= recentLimit; step += 1) {
    if (at === ancestor || at === newest) return true;
    const above = at.endsWith(saidSuffix) ? at.slice(0, -saidSuffix.length) : state.above[at];
    if (typeof above !== 'string') return false;
    at = above;
  }
  return false;
}

/**
 * The message the conversation goes on after; `null`: from nothing. The checkpoint decides when its row is there; the
 * newest row of the file counts when it stems from the checkpoint or when there is none.
 */
export function leafOf(state: ReadState): string | null {
  if (state.cleared) return null;
  const mark = state.checkpoint;
  if (mark?.point === undefined) return state.last === '' ? null : state.last;
  if (mark.explicit || mark.newest === state.last) return mark.newest === '' ? null : mark.newest;
  const point = state.points[mark.uuid];
  const leaf = typeof point === 'string' ? point : mark.point;
  return leaf === '' ? null : leaf;
}

/** The response with this id among the two newest, else a new one. */
export function batchFor(response: string, side: boolean, state: ReadState, given: Given): Batch {
  const known = state.batches.find((batch) => batch.response === response && batch.side === side);
  if (known !== undefined) return known;
  const before = state.batches.at(-1);
  // Calls made at once branch in the file. Later rows that hang on one of the branches are led to the end of all.
  if (before !== undefined && before.calls.length > 1)
    for (const member of before.members) given.sink.key(member, before.tail);
  const batch: Batch = { response, members: [], calls: [], tail: '', usage: '', side };
  pushBounded(state.batches, batch, 2);
  return batch;
}

/** The response that made this call; `undefined` when it is long gone. */
export function batchOfCall(call: string | undefined, side: boolean, state: ReadState): Batch | undefined {
  if (call === undefined) return undefined;
  return state.batches.findLast((batch) => batch.side === side && batch.calls.includes(call));
}

/** The newest response when this row hangs on it: context between results belongs to the batch. */
export function batchOfRow(link: unknown, side: boolean, state: ReadState): Batch | undefined {
  const batch = state.batches.findLast((one) => one.side === side);
  return typeof link === 'string' && batch?.members.includes(link) === true ? batch : undefined;
}

/** Puts a row at the end of a response: all its rows now stand for the new tail. */
export function joinBatch(batch: Batch, uuid: string, tail: string, state: ReadState): void {
  if (batch.tail !== tail) {
    batch.tail = tail;
    for (const member of batch.members) if (typeof state.points[member] === 'string') state.points[member] = tail;
  }
  if (batch.members.length < batchLimit && !batch.members.includes(uuid)) batch.members.push(uuid);
}
