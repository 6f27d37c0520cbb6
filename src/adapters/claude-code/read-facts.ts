/** What records tell of the session as a whole: titles, folder, branch, version, where the conversation stands. */

import { objectAt, stringAt } from '../../model/json.ts';
import type { Disposition, Given, SessionFacts } from '../adapter.ts';
import { nativeId } from './native.ts';
import type { Row } from './native.ts';
import { sideRecords } from './record-kinds.ts';
import type { Reading } from './reading.ts';
import { pushBounded } from './state.ts';
import type { ReadState } from './state.ts';
import { pointOf, setCheckpoint } from './tree.ts';

/** Names of the session's own form: longer ones are cut. */
const titleLimit = 300;
/** The leaf a rewind names when it means "not any row that is there". */
const noRow = '00000000-0000-0000-0000-000000000000';

/**
 * Files beside the session.
 *
 *     custom-title.json   {"customTitle":"My Renamed Session"}
 *     agent-ac92….meta.json   {"agentType":"general-purpose","description":"Sub job","toolUseId":"toolu_01…",…}
 */
export function decodeDocument(record: Record<string, unknown>, state: ReadState, given: Given): Disposition {
  if (given.file.key === 'custom-title') {
    titled(record['customTitle'], 'person', state, given);
    return 'fact';
  }
  const call = stringAt(record, 'toolUseId');
  if (given.file.agentId !== undefined && call !== undefined && call !== '')
    given.sink.fact({ agentCalls: { [given.file.agentId]: call } });
  return 'fact';
}

type SideType = keyof typeof sideRecords;

/** Those side records that are more than bookkeeping. */
const sideReaders: {
  readonly [type in SideType]?: (record: Record<string, unknown>, state: ReadState, given: Given) => void;
} = {
  'custom-title': (record, state, given) => titled(record['customTitle'], 'person', state, given),
  'ai-title': (record, state, given) => titled(record['aiTitle'], 'model', state, given),
  summary: readSummary,
  relocated: (record, state, given) => tellCwd(record['relocatedCwd'], state, given),
  'last-prompt': readCheckpoint,
};

/** A side record; `undefined` when its type is not known. */
export function decodeSide(record: Record<string, unknown>, state: ReadState, given: Given): Disposition | undefined {
  const type = stringAt(record, 'type');
  if (type === undefined || !Object.hasOwn(sideRecords, type)) return undefined;
  const known = type as SideType;
  if (given.file.agentId === undefined) sideReaders[known]?.(record, state, given);
  return sideRecords[known];
}

function titled(value: unknown, by: 'person' | 'model', state: ReadState, given: Given): void {
  const text = typeof value === 'string' && value.trim() !== '' ? value.slice(0, titleLimit) : null;
  if (by === 'person') {
    if (state.facts.person === text || (text === null && state.facts.person === '')) return;
    state.facts.person = text;
  } else {
    if (text === null || state.facts.model === text) return;
    state.facts.model = text;
  }
  given.sink.fact({ title: { text, by } });
}

/**
 * Up to 2.0.x the title. It names a row and stands in whatever file was open: it is ours when the row is.
 *
 *     {"type":"summary","summary":"Fixing the parser","leafUuid":"8647…"}
 */
function readSummary(record: Record<string, unknown>, state: ReadState, given: Given): void {
  const leaf = nativeId(record['leafUuid']);
  const text = stringAt(record, 'summary');
  if (leaf === undefined || text === undefined) return;
  if (pointOf(leaf, state, given) !== undefined) titled(text, 'model', state, given);
  else pushBounded(state.summaries, { leaf, text: text.slice(0, titleLimit) }, 4);
}

/** The leaf of a `last-prompt`: the row, nothing at all, or (a rewind under way) no row that is there yet. */
function readCheckpoint(record: Record<string, unknown>, state: ReadState, given: Given): void {
  const leaf = record['leafUuid'];
  const explicit = record['explicit'] === true;
  if (leaf === null && explicit) {
    state.checkpoint = null;
    state.cleared = true;
    tellRewind(null, state, given);
    return;
  }
  const uuid = nativeId(leaf);
  if (uuid === undefined) return;
  setCheckpoint(uuid, explicit, state, given);
  if (!explicit) return;
  const point = uuid === noRow ? state.abovePrompt : pointOf(uuid, state, given);
  if (point !== undefined) tellRewind(point === '' ? null : point, state, given);
}

function tellRewind(id: string | null, state: ReadState, given: Given): void {
  state.told = id;
  given.sink.live({ op: 'rewind', id });
}

/** Reads a row's envelope for what changed: folder (the first counts), version, branch, interface, origin of a copy. */
export function noteEnvelope(row: Row, reading: Reading): void {
  const { state, given } = reading;
  const { facts } = state;
  if (facts.cwd === '') tellCwd(row['cwd'], state, given);
  const version = row['version'];
  if (version !== facts.version && typeof version === 'string' && version !== '' && version.length <= 40) {
    facts.version = version;
    given.sink.fact({ toolVersion: version });
  }
  const branch = row['gitBranch'];
  if (
    branch !== facts.branch &&
    typeof branch === 'string' &&
    branch !== '' &&
    branch !== 'HEAD' &&
    branch.length <= titleLimit
  ) {
    facts.branch = branch;
    given.sink.fact({ git: { branch } });
  }
  const entry = row['entrypoint'];
  if (entry !== facts.entry && typeof entry === 'string' && entry !== '' && entry.length <= 40) {
    facts.entry = entry;
    given.sink.fact({ interface: entry });
  }
}

/**
 * Rows copied from another session name it: `/branch` on every row, `--fork-session` on answers only.
 *
 *     "forkedFrom":{"sessionId":"2080…","messageUuid":"4c46…"}   "requestSessionId":"3333…"
 */
export function noteCopy(row: Row, reading: Reading): void {
  const { state, given, uuid } = reading;
  const from = copiedFrom(row, given);
  if (from === undefined || uuid === undefined) return;
  state.fork = { nativeId: from, msg: uuid, told: false };
  const msg = reading.again ? undefined : pointOf(uuid, state, given);
  if (msg !== undefined && msg !== '') given.sink.copied(msg);
}

/** The other session a row was copied from, as far as the row says: there its tokens were paid. */
export function copiedFrom(row: Row, given: Given): string | undefined {
  const from = nativeId(objectAt(row, 'forkedFrom')?.['sessionId']) ?? nativeId(row['requestSessionId']);
  return from === given.file.nativeId ? undefined : from;
}

/** Tells at the end of a stretch what depends on all of it. */
export function settleFacts(state: ReadState, given: Given): void {
  const { fork } = state;
  if (fork !== null && !fork.told) {
    const msg = pointOf(fork.msg, state, given);
    given.sink.fact({ parent: { nativeId: fork.nativeId, ...(msg === undefined || msg === '' ? {} : { msg }) } });
    fork.told = true;
  }
  for (const summary of state.summaries) {
    if (state.facts.model === '' && pointOf(summary.leaf, state, given) !== undefined)
      titled(summary.text, 'model', state, given);
  }
}

function tellCwd(value: unknown, state: ReadState, given: Given): void {
  if (typeof value !== 'string' || value === '' || value.length > 1024 || value === state.facts.cwd) return;
  state.facts.cwd = value;
  const facts: SessionFacts = { cwd: value };
  given.sink.fact(facts);
}
