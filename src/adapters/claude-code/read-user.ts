/** Rows in user position: prompts, results of calls, summaries, and what the tool says in a person's place. */

import type { Block } from '../../model/block.ts';
import { objectAt, stringAt } from '../../model/json.ts';
import type { Json } from '../../model/json.ts';
import type { Disposition } from '../adapter.ts';
import { promptBlocks, resultsOf } from './content.ts';
import type { Results } from './content.ts';
import { noteResultFiles } from './files.ts';
import { injectedKind, splitContext } from './injected.ts';
import type { Injected } from './injected.ts';
import { contentOf, nativeId, plainText } from './native.ts';
import type { Row } from './native.ts';
import { taskHead } from './read-assistant.ts';
import { hangingPoint, join, linkThrough, say, sayBefore } from './reading.ts';
import type { Reading } from './reading.ts';
import { batchOfCall, batchOfRow, saidId, setAbove } from './tree.ts';

/** A `user` row. Content that is missing or empty is dropped, as the tool drops it. */
export function decodeUser(row: Row, reading: Reading): Disposition {
  const content = contentOf(row);
  // What a conversion had to put in a person's place was said by nobody.
  if (content === undefined || objectAt(row, 'importedFrom')?.['filler'] === true) return linkThrough(row, reading);
  if (row['isCompactSummary'] === true) return decodeSummary(row, content, reading);
  const results = resultsOf(content);
  if (results !== undefined) return decodeResults(row, content, results, reading);
  const blocks = promptBlocks(content);
  if (blocks.length === 0) return linkThrough(row, reading);
  return decodePrompt(row, blocks, reading);
}

/**
 * The first message after a compaction. What the compaction kept of the messages before it follows it in the live view.
 *
 *     {"parentUuid":"0c18…","type":"user","message":{"role":"user","content":"This session is being continued …"},"isVisibleInTranscriptOnly":true,"isCompactSummary":true,…}
 */
function decodeSummary(row: Row, content: string | readonly unknown[], reading: Reading): Disposition {
  const { state, given } = reading;
  const text = plainText(content);
  if (text === '') return linkThrough(row, reading);
  const parent = hangingPoint(reading, undefined);
  const compaction = state.compaction;
  const id = say({ role: 'user', content: [{ type: 'summary', text }], meta: true }, parent, reading);
  if (compaction === null || reading.side || reading.again) return 'message';
  given.sink.live({ op: 'replace', at: id, with: [id, ...compaction.kept] });
  state.kept = compaction.kept.length === 0 ? null : { under: id, uuids: compaction.kept };
  state.compaction = null;
  return 'message';
}

/**
 * Results of calls. They follow the response that made the calls, one after the other, wherever they hang in the file.
 *
 *     {"parentUuid":"d731…","type":"user","message":{"role":"user","content":[{"tool_use_id":"toolu_01…","type":"tool_result","content":"one"}]},"toolUseResult":{"stdout":"one",…},"sourceToolAssistantUUID":"d731…",…}
 */
function decodeResults(
  row: Row,
  content: string | readonly unknown[],
  results: Results,
  reading: Reading,
): Disposition {
  const batch =
    batchOfCall(results.calls[0], reading.side, reading.state) ??
    batchOfRow(row['sourceToolAssistantUUID'], reading.side, reading.state);
  const parent = hangingPoint(reading, batch);
  for (const name of results.lost) reading.given.sink.loss(name);
  noteResultFiles(row, results, reading);
  noteAgent(row, results, reading);
  const metadata: { [key: string]: Json } = {};
  if (Object.keys(results.images).length > 0) metadata['result_images'] = results.images;
  const persisted = persistedName(row);
  if (persisted !== undefined) metadata['persisted_output'] = persisted;
  let tail = say(
    { role: 'tool', content: results.content, metadata: Object.keys(metadata).length === 0 ? undefined : metadata },
    parent,
    reading,
  );
  const rest = promptBlocks(content);
  if (rest.length > 0) tail = sayRest(rest, tail, reading);
  join(batch, tail, reading);
  return 'message';
}

/** What else a row with results says: a person's words while the call ran, or a reminder. */
function sayRest(rest: readonly Block[], parent: string, reading: Reading): string {
  const { said, context } = splitContext(rest);
  const first = said[0];
  const meta = said.length === 0 || (first?.type === 'text' && injectedKind(plainText(first['text'])) !== undefined);
  const id = reading.uuid === undefined ? undefined : saidId(reading.uuid);
  return say({ role: 'user', content: said.length === 0 ? context : [...said, ...context], meta }, parent, reading, id);
}

/** Which sub-agent a call started. */
function noteAgent(row: Row, results: Results, reading: Reading): void {
  const agent = nativeId(objectAt(row, 'toolUseResult')?.['agentId']);
  const call = results.calls[0];
  if (agent !== undefined && call !== undefined && call !== '')
    reading.given.sink.fact({ agentCalls: { [agent]: call } });
}

/** The file that holds an output too large for the row, beside the session. */
function persistedName(row: Row): string | undefined {
  const path = stringAt(row['toolUseResult'], 'persistedOutputPath');
  return path?.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/**
 * A prompt, or something the tool says in a person's place.
 *
 *     {"parentUuid":"554e…","type":"user","message":{"role":"user","content":"Edit now"},"promptId":"…","origin":{"kind":"human"},"promptSource":"typed",…}
 */
function decodePrompt(row: Row, blocks: readonly Block[], reading: Reading): Disposition {
  const { state } = reading;
  const kind = promptKind(row, blocks);
  const parent = hangingPoint(reading, undefined);
  noteInlineTask(blocks, reading);
  const own = kind === undefined || kind === 'shell' || (kind === 'command' && !state.localCommand);
  if (own) noteTurn(row, parent, reading);
  state.localCommand = kind === 'caveat';
  const metadata = kind === undefined ? undefined : { injected: kind };
  if (!own) {
    const carried = kind !== undefined && toldByNothingElse.has(kind) ? { carried: true } : {};
    say({ role: 'user', content: blocks, meta: true, metadata: { ...metadata, ...carried } }, parent, reading);
    return 'message';
  }
  const { said, context } = splitContext(blocks);
  if (said.length === 0) {
    say({ role: 'user', content: context, meta: true, metadata: { injected: 'context' } }, parent, reading);
    return 'message';
  }
  const above =
    context.length === 0
      ? parent
      : sayBefore({ role: 'user', content: context, meta: true, metadata: { injected: 'context' } }, parent, reading);
  say({ role: 'user', content: said, metadata }, above, reading);
  if (above !== parent && reading.uuid !== undefined) setAbove(reading.uuid, reading.uuid, parent, state);
  return 'message';
}

/** The tool's words that told the model what a background agent or a person's own command gave. */
const toldByNothingElse: ReadonlySet<Injected> = new Set(['notification', 'shell-output', 'command-output']);

/** What stands in user position here; `undefined`: a prompt, of a person or of the agent that gave this one its task. */
function promptKind(row: Row, blocks: readonly Block[]): Injected | undefined {
  const first = blocks[0];
  const byText = first?.type === 'text' && typeof first['text'] === 'string' ? injectedKind(first['text']) : undefined;
  if (byText !== undefined && byText !== 'context') return byText;
  if (row['isMeta'] === true) return isCaveat(first) ? 'caveat' : 'context';
  const origin = stringAt(row['origin'], 'kind');
  if (origin === undefined || origin === 'human') return undefined;
  return origin === 'task-notification' ? 'notification' : 'context';
}

/** Before the tag there was a sentence. */
function isCaveat(block: Block | undefined): boolean {
  return (
    block?.type === 'text' &&
    typeof block['text'] === 'string' &&
    block['text'].startsWith('Caveat: The messages below were generated by the user')
  );
}

/** A sub-agent inside the main file begins with the words of the call that started it. */
function noteInlineTask(blocks: readonly Block[], reading: Reading): void {
  const { state, given, agentId, uuid } = reading;
  const first = blocks[0];
  if (agentId === undefined || agentId !== uuid || given.file.agentId !== undefined || first?.type !== 'text') return;
  const head = plainText(first['text']).slice(0, taskHead);
  const index = state.tasks.findIndex((task) => task.prompt === head);
  const task = state.tasks[index];
  if (task === undefined) return;
  state.tasks.splice(index, 1);
  given.sink.fact({ agentCalls: { [agentId]: task.call } });
}

function noteTurn(row: Row, parent: string, reading: Reading): void {
  if (reading.side && reading.given.file.agentId === undefined) return;
  reading.state.turn = nativeId(row['promptId']) ?? reading.uuid ?? '';
  if (!reading.side) reading.state.abovePrompt = parent;
}
