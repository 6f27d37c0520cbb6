/** Decodes Claude Code's records into messages, live-view operations and facts. */

import { isObject, stringAt } from '../../model/json.ts';
import type { Json } from '../../model/json.ts';
import type { DecoderState, Disposition, Given, Reader } from '../adapter.ts';
import { decodeAssistant } from './read-assistant.ts';
import { decodeAttachment } from './read-attachment.ts';
import { decodeDocument, decodeSide, noteCopy, noteEnvelope, settleFacts } from './read-facts.ts';
import { decodeSystem } from './read-system.ts';
import { decodeUser } from './read-user.ts';
import { discover, fileOf, sourceAt } from './discover.ts';
import { isRow, rowId } from './native.ts';
import { timeOf } from '../shared/time.ts';
import type { Row, RowType } from './native.ts';
import { startState, typed } from './state.ts';
import type { Reading } from './reading.ts';
import { contextOf, linkThrough } from './reading.ts';
import { advance, leafOf, setPoint } from './tree.ts';

/** Finds and decodes Claude Code's sessions. */
export const reader: Reader = {
  discover,
  sourceAt,
  fileOf,
  opaque: ['{"type":"api-request', '{"type":"file-history-', '{"type":"cost-state"'],
  start: startState,
  decode,
  settle,
};

const decoders = {
  user: decodeUser,
  assistant: decodeAssistant,
  system: decodeSystem,
  attachment: decodeAttachment,
  // Up to about 2.1.8x progress of calls stood in the tree; what hangs on it hangs on what it hung on.
  progress: linkThrough,
} as const satisfies Record<RowType, (row: Row, reading: Reading) => Disposition>;

function decode(record: unknown, state: DecoderState, given: Given): Disposition {
  const read = typed(state);
  if (!isObject(record)) {
    given.sink.loss('unknown:value');
    return 'unknown';
  }
  if (given.file.kind === 'document') return decodeDocument(record, read, given);
  if (isRow(record)) return decodeRow(record, read, given);
  const disposition = decodeSide(record, read, given);
  if (disposition !== undefined) return disposition;
  given.sink.loss(`unknown:${(stringAt(record, 'type') ?? 'record').slice(0, 60)}`);
  return 'unknown';
}

function decodeRow(row: Row, state: Reading['state'], given: Given): Disposition {
  const time = timeOf(row['timestamp']) ?? (state.at === '' ? given.fallbackTime : state.at);
  state.at = time;
  const reading = contextOf(row, rowId(row), time, state, given);
  if (!reading.side) noteEnvelope(row, reading);
  if (isKeptCopy(reading)) return 'duplicate';
  const disposition = decoders[row.type](row, reading);
  if (!reading.side) noteCopy(row, reading);
  return reading.again && disposition === 'message' ? 'duplicate' : disposition;
}

/** After a second compaction the tool writes what it kept once more: it stands in the live view, under the summary. */
function isKeptCopy(reading: Reading): boolean {
  const { state, given, uuid } = reading;
  if (state.kept === null || uuid === undefined || !state.kept.uuids.includes(uuid)) return false;
  setPoint(uuid, state.kept.under, state, given);
  advance(uuid, state.kept.under, state.kept.under, state);
  return true;
}

function settle(state: DecoderState, given: Given): void {
  const read = typed(state);
  if (given.file.kind === 'document' || given.file.agentId !== undefined) return;
  settleFacts(read, given);
  if (!read.hasLast && !read.cleared) return;
  const leaf: Json = leafOf(read);
  if (leaf === read.told) return;
  read.told = leaf;
  given.sink.live({ op: 'leaf', id: leaf });
}
