/** Reads Gemini CLI sessions: dispatches records and tells the live view. The README says which record rules what. */

import { listAt, stringAt } from '../../model/json.ts';
import type { Message } from '../../model/message.ts';
import type { DecoderState, Disposition, FileContext, Given, Reader, SourceFile } from '../adapter.ts';
import { append } from './append.ts';
import { readCheckpoint } from './checkpoint.ts';
import { discover, fileOf, sourceAt } from './discover.ts';
import { digest, jsonText } from './content.ts';
import { messageOf, recordOf, snapshotMessageOf } from './native.ts';
import { timeOf } from '../shared/time.ts';
import { find, name, startState } from './timeline.ts';
import type { Run, State } from './timeline.ts';

/** The reader of Gemini CLI sessions. */
export const reader: Reader = { discover, sourceAt, fileOf, opaque: [], start, decode, settle, holds };

function start(_file: FileContext): DecoderState {
  return startState();
}

function decode(record: unknown, state: DecoderState, given: Given): Disposition {
  const agent = given.file.agentId;
  // A state of ours was made by `startState`, and JSON keeps its shape.
  const run: Run = {
    state: state as State,
    given,
    scope: agent === undefined ? '' : `${agent}/`,
    said: false,
    knew: false,
  };
  const native = recordOf(record);
  switch (native.kind) {
    case 'message':
      return readMessage(run, native.record);
    case 'patch':
      return readPatch(run, native.fields);
    case 'session':
      return readSession(run, native.fields);
    case 'rewind':
      rewind(run, native.to);
      return 'fact';
    case 'snapshot':
      if (given.file.kind === 'document') return readSnapshot(run, native.history);
      given.sink.loss('unknown:record');
      return 'unknown';
    case 'other':
      given.sink.loss('unknown:record');
      return 'unknown';
    default:
      return native satisfies never;
  }
}

function settle(state: DecoderState, given: Given): void {
  const { leaf, told } = state as State; // As in `decode`.
  if (given.file.agentId !== undefined || leaf === told) return;
  given.sink.live({ op: 'leaf', id: leaf });
  (state as State).told = leaf;
}

/** What a resume starts with holds nothing but context, and may outlive the session that the clean-up deleted. */
function holds(file: SourceFile, state: DecoderState): boolean {
  return file.kind !== 'attachment' && file.agentId === undefined && (state as State).leaf !== null; // As in `decode`.
}

function readMessage(run: Run, record: Record<string, unknown>): Disposition {
  const native = messageOf(record);
  if (native === undefined || !isKnownType(native.type)) {
    run.given.sink.loss(`unknown:${native?.type.slice(0, 40) || 'message'}`);
    return 'unknown';
  }
  append(run, native, false);
  return outcome(run, 'state');
}

function isKnownType(type: string): boolean {
  return (
    type === 'user' || type === 'gemini' || type === 'qwen' || type === 'info' || type === 'error' || type === 'warning'
  );
}

/** `$set`: facts, bookkeeping, or a checkpoint. */
function readPatch(run: Run, fields: Record<string, unknown>): Disposition {
  const told = facts(run, fields);
  if (!Array.isArray(fields['messages'])) return told ? 'fact' : 'state';
  run.state.afterNote = false;
  readCheckpoint(run, fields['messages']);
  return outcome(run, told ? 'fact' : 'state');
}

/**
 * The head of a file, or all of a document (before 0.39 a session was one pretty-printed object that was rewritten). The
 * messages of a document are read from the start each time, so what was read before is recognised.
 */
function readSession(run: Run, fields: Record<string, unknown>): Disposition {
  facts(run, fields);
  const { state } = run;
  state.restart = false;
  state.afterNote = false;
  if (run.given.file.kind === 'document') fromTheStart(state);
  for (const value of listAt(fields, 'messages')) {
    const native = messageOf(value);
    if (native === undefined || !isKnownType(native.type))
      run.given.sink.loss(`unknown:${native?.type.slice(0, 40) || 'message'}`);
    else append(run, native, true);
  }
  if (run.given.file.kind === 'document') recallLeaf(run);
  return outcome(run, 'fact');
}

/** A named snapshot. Its entries have no ids, so each is named by all that was said up to it. */
function readSnapshot(run: Run, history: readonly unknown[]): Disposition {
  fromTheStart(run.state);
  let id = '';
  let isUnderstood = true;
  for (const value of history) {
    id = `entry-${digest(id, jsonText(value))}`;
    const native = snapshotMessageOf(value, id);
    isUnderstood &&= native !== undefined;
    if (native === undefined) run.given.sink.loss('unknown:message');
    else append(run, native, false);
  }
  recallLeaf(run);
  return outcome(run, isUnderstood ? 'state' : 'unknown');
}

/** A document is told whole each time. */
function fromTheStart(state: State): void {
  Object.assign(state, { leaf: null, chain: null, recent: [], response: null, open: null, waiting: [] });
}

/**
 * Where a document ended when it was read before. A log may have gone on from there since, so one that says nothing new
 * and ends where it did leaves the live view alone; one that lost its end moves it back.
 */
function recallLeaf(run: Run): void {
  const { state, given } = run;
  const key = `l:${given.file.key}`;
  const last = find(run, key);
  state.told = last ?? (run.said ? null : state.leaf);
  if (state.leaf !== null && state.leaf !== last) name(run, key, state.leaf);
}

function facts(run: Run, fields: Record<string, unknown>): boolean {
  const { sink, file } = run.given;
  const startTime = timeOf(fields['startTime']);
  if (startTime !== undefined && run.state.time === null) run.state.time = startTime;
  // A sub-agent's summary is its result, not a title.
  if (file.agentId !== undefined) return false;
  let told = false;
  if (startTime !== undefined && !run.state.hasStarted) {
    run.state.hasStarted = true;
    sink.fact({ createdAt: startTime });
    told = true;
  }
  const summary = stringAt(fields, 'summary');
  if (summary !== undefined && summary.trim() !== '') {
    sink.fact({ title: { text: summary, by: 'model' } });
    told = true;
  }
  return told;
}

/** `$rewindTo`: the conversation goes on before that message; before everything when nobody knows it. */
function rewind(run: Run, to: string): void {
  const { state, given } = run;
  const first = messageAt(run, find(run, `n:${to}`) ?? null);
  let id = first?.parent_msg_id ?? null;
  if (first?.role === 'assistant') {
    // Thinking that stands alone before an answer belongs to it.
    for (let at = messageAt(run, id); at !== undefined && isThinking(at); at = messageAt(run, id))
      id = at.parent_msg_id;
  }
  Object.assign(state, {
    leaf: id,
    chain: chainBefore(run, id),
    recent: [],
    response: null,
    open: null,
    afterNote: false,
  });
  if (given.file.agentId !== undefined) return;
  given.sink.live({ op: 'rewind', id });
  state.told = id;
}

/** The nearest message at or before this one that takes part in the chain of ids. */
function chainBefore(run: Run, from: string | null): string | null {
  for (let id = from; id !== null;) {
    const at = messageAt(run, id);
    if (at === undefined) return id;
    const expands = at.metadata?.['expands'];
    if (typeof expands === 'string') return expands;
    if (at.role !== 'system' && at.metadata?.['hook'] !== true && !isThinking(at)) return id;
    id = at.parent_msg_id;
  }
  return null;
}

function messageAt(run: Run, id: string | null): Message | undefined {
  return id === null ? undefined : run.given.lookup.message(id);
}

function isThinking(message: Message): boolean {
  return message.role === 'assistant' && message.content.every((block) => block.type === 'thinking');
}

function outcome(run: Run, otherwise: Disposition): Disposition {
  if (run.said) return 'message';
  return run.knew ? 'duplicate' : otherwise;
}
