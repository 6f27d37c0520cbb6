/** What a model said: one row for each block of its answer, or, in 0.2.x, one for the whole. */

import type { Block } from '../../model/block.ts';
import { objectAt, stringAt } from '../../model/json.ts';
import type { MessageMetadata } from '../../model/message.ts';
import type { Disposition } from '../adapter.ts';
import { answerBlocks } from './content.ts';
import { noteCall } from './files.ts';
import { contentOf, idLimit, plainText } from './native.ts';
import type { Row } from './native.ts';
import { copiedFrom } from './read-facts.ts';
import { hangingPoint, join, linkThrough, say, sayBeside } from './reading.ts';
import type { Answered, Reading } from './reading.ts';
import { batchLimit, pushBounded } from './state.ts';
import type { Batch } from './state.ts';
import { batchFor } from './tree.ts';
import { isStopReason, modelOf, providerOf, syntheticModel, usageKey, usageOf } from './usage.ts';

/** How much of a task is remembered to know the sub-agent's first row again. */
export const taskHead = 120;

/**
 * An `assistant` row. Rows of one answer share `message.id` and follow one another even where the file has them branch.
 *
 *     {"parentUuid":"4b53…","message":{"id":"msg_01…","model":"claude-opus-5-5","content":[{"type":"text","text":"Running a command."}],"stop_reason":"tool_use","usage":{…}},"requestId":"req_01…","apiBlockIndex":0,"type":"assistant","effort":"medium",…}
 *     {"parentUuid":"869c…","type":"assistant","message":{"model":"<synthetic>","content":[{"type":"text","text":"API Error: 400 …"}],…},"isApiErrorMessage":true,…}
 */
export function decodeAssistant(row: Row, reading: Reading): Disposition {
  const native = objectAt(row, 'message');
  const content = contentOf(row);
  if (native === undefined || content === undefined) return linkThrough(row, reading);
  if (row['isApiErrorMessage'] === true) return decodeError(row, content, reading);
  const response = stringAt(native, 'id') ?? stringAt(row, 'requestId') ?? '';
  const batch =
    response === '' || response.length > 2 * idLimit
      ? undefined
      : batchFor(response, reading.side, reading.state, reading.given);
  const blocks = answerBlocks(content);
  const parent = hangingPoint(reading, batch);
  if (blocks.length === 0) return linkThrough(row, reading);
  noteCalls(blocks, batch, reading);
  const metadata = metadataOf(response, native);
  const tail = say(
    {
      role: 'assistant',
      content: blocks,
      fields: fieldsOf(row, native, batch, reading),
      meta: isPlaceholder(native, blocks),
      metadata,
    },
    parent,
    reading,
  );
  join(batch, tail, reading);
  noteEffort(row, reading);
  return 'message';
}

/** The answer that the tool writes after a prompt which never got one, when the session is resumed. */
function isPlaceholder(native: Record<string, unknown>, blocks: readonly Block[]): boolean {
  const first = blocks[0];
  return (
    native['model'] === syntheticModel &&
    blocks.length === 1 &&
    first?.type === 'text' &&
    first['text'] === 'No response requested.'
  );
}

/** An error of the service that the tool shows in the model's place and never sends. */
function decodeError(row: Row, content: string | readonly unknown[], reading: Reading): Disposition {
  const text = plainText(content);
  if (text === '') return linkThrough(row, reading);
  sayBeside(
    { role: 'system', content: [{ type: 'text', text }], meta: true, metadata: { notice: 'api_error' } },
    hangingPoint(reading, undefined),
    reading,
  );
  return 'message';
}

function noteCalls(blocks: readonly Block[], batch: Batch | undefined, reading: Reading): void {
  if (reading.again) return;
  for (const block of blocks) {
    if (block.type !== 'tool_use' || typeof block['tool_use_id'] !== 'string' || typeof block['name'] !== 'string')
      continue;
    const call = block['tool_use_id'];
    if (call.length <= idLimit && batch !== undefined && batch.calls.length < batchLimit && !batch.calls.includes(call))
      batch.calls.push(call);
    noteCall(call, block['name'], block['input'], reading);
    if (!reading.side && block['name'] === 'Task') noteTask(call, stringAt(block['input'], 'prompt'), reading);
  }
}

function noteTask(call: string, prompt: string | undefined, reading: Reading): void {
  if (prompt !== undefined && call.length <= idLimit)
    pushBounded(reading.state.tasks, { call, prompt: prompt.slice(0, taskHead) }, 8);
}

function fieldsOf(row: Row, native: Record<string, unknown>, batch: Batch | undefined, reading: Reading): Answered {
  const model = modelOf(native);
  const stop = wasInterrupted(row) ? 'interrupted' : native['stop_reason'];
  // A copy's tokens were paid, and are counted, in the session it was copied from.
  const isOwn = model !== undefined && copiedFrom(row, reading.given) === undefined;
  const usage = isOwn ? usageOf(native) : undefined;
  const key = usage === undefined ? '' : usageKey(usage);
  const states = usage !== undefined && batch?.usage !== key;
  if (states && batch !== undefined) batch.usage = key;
  return {
    model,
    provider: model === undefined ? undefined : providerOf(model),
    stop_reason: typeof stop === 'string' && isStopReason(stop) ? stop : undefined,
    usage: states ? usage : undefined,
  };
}

/** Cut off by a person, as the tool says or as a conversion noted. */
function wasInterrupted(row: Row): boolean {
  return row['isAbortedMidStream'] === true || objectAt(row, 'importedFrom')?.['interrupted'] === true;
}

function metadataOf(response: string, native: Record<string, unknown>): MessageMetadata | undefined {
  const stop = stringAt(native, 'stop_reason');
  const foreign = stop !== undefined && !isStopReason(stop) ? stop : undefined;
  if (foreign === undefined) return response === '' ? undefined : { response_id: response };
  return { ...(response === '' ? {} : { response_id: response }), native_stop_reason: foreign };
}

const efforts: { readonly [effort: string]: 'low' | 'medium' | 'high' | undefined } = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

function noteEffort(row: Row, reading: Reading): void {
  const effort = row['effort'];
  const { facts } = reading.state;
  if (typeof effort !== 'string' || effort === facts.effort || reading.side || !Object.hasOwn(efforts, effort)) return;
  facts.effort = effort;
  const level = efforts[effort];
  if (level !== undefined) reading.given.sink.fact({ reasoningEffort: level });
}
