/** System rows: compactions, output of local commands, notices. */

import { listAt, objectAt, stringAt } from '../../model/json.ts';
import type { Disposition } from '../adapter.ts';
import { nativeId, plainText } from './native.ts';
import type { Row } from './native.ts';
import { systemRows } from './record-kinds.ts';
import { hangingPoint, join, linkThrough, passThrough, say, sayBeside } from './reading.ts';
import type { Reading } from './reading.ts';
import { batchLimit } from './state.ts';
import { batchOfRow, parentPoint, pointOf, setPoint } from './tree.ts';

/** How far back a kept stretch is followed in files that name only its ends. */
const walkLimit = 2000;

/** A `system` row. */
export function decodeSystem(row: Row, reading: Reading): Disposition {
  const subtype = stringAt(row, 'subtype') ?? '';
  if (subtype === 'compact_boundary') return decodeBoundary(row, reading);
  const kind = Object.hasOwn(systemRows, subtype) ? systemRows[subtype as keyof typeof systemRows] : undefined;
  const text = plainText(row['content']);
  if (kind === 'said' && text !== '') return decodeLocalCommand(text, reading);
  if (subtype === 'file_snapshot') return passSnapshot(row, reading);
  // Notes that a conversion wrote itself are no notices of the tool.
  if (kind !== 'notice' || text === '' || objectAt(row, 'importedFrom')?.['filler'] === true) {
    linkThrough(row, reading);
    if (kind !== undefined) return 'state';
    reading.given.sink.loss(`unknown:system:${subtype.slice(0, 60)}`);
    return 'unknown';
  }
  const batch = batchOfRow(reading.link, reading.side, reading.state);
  const parent = hangingPoint(reading, batch);
  sayBeside(
    { role: 'system', content: [{ type: 'text', text }], meta: true, metadata: { notice: subtype } },
    parent,
    reading,
  );
  join(batch, parent, reading);
  return 'message';
}

/** What a command of the tool printed; the model sees it. */
function decodeLocalCommand(text: string, reading: Reading): Disposition {
  const kind = text.startsWith('<command-') ? 'command' : 'command-output';
  const batch = batchOfRow(reading.link, reading.side, reading.state);
  say(
    { role: 'user', content: [{ type: 'text', text }], meta: true, metadata: { injected: kind } },
    hangingPoint(reading, batch),
    reading,
  );
  return 'message';
}

/** A snapshot hangs in the tree and is never where the conversation stands. */
function passSnapshot(_row: Row, reading: Reading): Disposition {
  const { state, given, uuid } = reading;
  if (uuid !== undefined && !reading.again)
    setPoint(uuid, hangingPoint(reading, batchOfRow(reading.link, reading.side, state)), state, given);
  return 'state';
}

/**
 * Where a compaction begins. The summary follows; what the model keeps seeing of the messages before is named here.
 *
 *     {"parentUuid":null,"logicalParentUuid":"ee0c…","type":"system","subtype":"compact_boundary","compactMetadata":{"trigger":"manual","preservedMessages":{"anchorUuid":"437c…","uuids":["acb2…","ee0c…"]},…},…}
 */
function decodeBoundary(row: Row, reading: Reading): Disposition {
  const { state, given } = reading;
  const link = typeof reading.link === 'string' ? reading.link : row['logicalParentUuid'];
  const parent = parentPoint(link, reading.time, state, given, reading.side);
  passThrough(parent, reading);
  if (reading.side || reading.again) return 'fact';
  state.checkpoint = null;
  state.compaction = { boundary: reading.uuid ?? '', kept: keptMessages(row, reading) };
  return 'fact';
}

/** Kept messages, in order. Rows that are no messages, and rows that come only later in the file, are not among them. */
function keptMessages(row: Row, reading: Reading): string[] {
  const { given } = reading;
  const metadata = objectAt(row, 'compactMetadata');
  const named = listAt(objectAt(metadata, 'preservedMessages'), 'uuids');
  if (named.length > 0) {
    const kept: string[] = [];
    for (const uuid of named) {
      const id = nativeId(uuid);
      if (id !== undefined && kept.length < batchLimit && given.lookup.has(id)) kept.push(id);
    }
    if (named.length > batchLimit) given.sink.loss('kept-messages-beyond-limit');
    return kept;
  }
  return keptStretch(objectAt(metadata, 'preservedSegment'), reading);
}

function keptStretch(segment: Record<string, unknown> | undefined, reading: Reading): string[] {
  const { state, given } = reading;
  const tail = nativeId(segment?.['tailUuid']);
  const headUuid = nativeId(segment?.['headUuid']);
  if (tail === undefined || headUuid === undefined) return [];
  const head = pointOf(headUuid, state, given);
  const kept: string[] = [];
  let id = pointOf(tail, state, given);
  for (let step = 0; step < walkLimit && id !== undefined && id !== ''; step += 1) {
    kept.unshift(id);
    if (id === head || id === headUuid) return kept.slice(-batchLimit);
    id = given.lookup.message(id)?.parent_msg_id ?? undefined;
  }
  return [];
}
