/** Writes a session as a file that Claude Code lists and resumes. The file in the right folder is all it needs. */

import type { ImageBlock, TextBlock } from '../../model/block.ts';
import { isObject, stringAt } from '../../model/json.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Machine } from '../../io/machine.ts';
import type { LiveSession, Losses, WriteGiven, WriteRequest, Writer, Written, WrittenLine } from '../adapter.ts';
import type { Call, Prompt, Response, Result, Step } from '../shared/conversation.ts';
import { conversation, imageLoss, lose, wordFor } from '../shared/conversation.ts';
import { isOlder } from '../shared/version.ts';
import { projectFolder } from './project-path.ts';
import { Rows, encode } from './rows.ts';
import { vocabulary } from './vocabulary.ts';

/** The oldest version seen to keep prompts of several blocks as they are (2.0.76 does not). */
const blocksVersion = '2.1.112';

/** Claude Code as a target. */
export const writer: Writer = {
  minimumVersion: '1.0.24',
  provenVersion: '2.1.330',
  omits: ['model', 'tokens', 'exit-code', 'duration'],
  prepare,
  write,
  restore,
  live,
  launch: (nativeId, { model }) => ['claude', '--resume', nativeId, ...(model === undefined ? [] : ['--model', model])],
};

async function prepare(machine: Machine, request: WriteRequest): Promise<WriteGiven> {
  return {
    ...request,
    nativeId: request.nativeId ?? machine.uuid(),
    now: machine.now().toISOString(),
    toolVersion: request.version ?? writer.provenVersion,
    extra: {},
  };
}

function write(session: LiveSession, given: WriteGiven): Written {
  const losses: Losses = new Map();
  const lines = {
    *[Symbol.iterator](): Generator<WrittenLine> {
      losses.clear();
      yield* linesOf(session, given, losses);
    },
  };
  return {
    nativeId: given.nativeId,
    files: [{ key: 'main', path: `${folderOf(given)}/${given.nativeId}.jsonl`, lines }],
    losses,
  };
}

function folderOf(given: WriteGiven): string {
  return `projects/${projectFolder(given.cwd)}`;
}

/** What is known while lines are made. */
interface Writing {
  readonly session: LiveSession;
  readonly rows: Rows;
  readonly losses: Losses;
  /** A prompt of several blocks is several rows: an older version would write all from there on again, under new ids. */
  readonly hasOneBlockRows: boolean;
  /** The newest prompt's text, for the tool's checkpoint. */
  prompt: string;
}

function* linesOf(session: LiveSession, given: WriteGiven, losses: Losses): Generator<WrittenLine> {
  const writing: Writing = {
    session,
    rows: new Rows(session, given),
    losses,
    hasOneBlockRows: isOlder(given.toolVersion, blocksVersion),
    prompt: '',
  };
  for (const step of conversation(session.messages, losses)) {
    if (writing.rows.leaf === null && step.kind === 'response') yield opening(step, writing);
    yield* stepLines(step, writing);
  }
  yield* closing(writing, given);
}

function stepLines(step: Step, writing: Writing): Iterable<WrittenLine> {
  return step.kind === 'prompt' ? promptLines(step, writing) : responseLines(step, writing);
}

/** Marks a row that stands for nothing said: reading leaves it out. */
function filler(writing: Writing): JsonObject {
  return { importedFrom: { tool: writing.session.origin.tool, filler: true } };
}

/** The first thing a model is sent has to come from a person. */
function opening(step: Response, writing: Writing): WrittenLine {
  const text = `[Session continued from ${writing.session.origin.name}]`;
  return { text: writing.rows.user(text, step.timestamp, filler(writing)) };
}

function* promptLines(prompt: Prompt, writing: Writing): Generator<WrittenLine> {
  const content = prompt.content.map((block) => blockOf(block, writing));
  const first = content[0];
  const text = content.length === 1 && first !== undefined ? stringAt(first, 'text') : undefined;
  const said = prompt.content.find((block) => block.type === 'text')?.text.trim();
  if (!prompt.isSummary && said !== undefined && said !== '') writing.prompt = said;
  const extra: JsonObject = {
    ...(prompt.isSummary ? { isVisibleInTranscriptOnly: true, isCompactSummary: true } : {}),
    ...(writing.rows.leaf === null ? { importedFrom: provenance(writing.session) } : {}),
  };
  const rows = writing.hasOneBlockRows && content.length > 1 ? content.map((block) => [block]) : [text ?? content];
  for (const row of rows) yield { text: writing.rows.user(row, prompt.timestamp, extra), from: prompt.from };
}

/** Where the session came from; the tool keeps fields it does not know. */
function provenance(session: LiveSession): JsonObject {
  return {
    tool: session.origin.tool,
    session: session.sessionId,
    ...(session.origin.nativeId === undefined ? {} : { nativeId: session.origin.nativeId }),
  };
}

const mediaTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

function blockOf(block: TextBlock | ImageBlock, writing: Writing): JsonObject {
  if (block.type === 'text') return { type: 'text', text: block.text };
  const { type, data, media_type: mediaType } = block.source;
  if (type === 'url' && /^https?:/.test(data)) return { type: 'image', source: { type: 'url', url: data } };
  if (type === 'base64' && mediaType !== undefined && mediaType !== null && mediaTypes.has(mediaType)) {
    return { type: 'image', source: { type: 'base64', media_type: mediaType, data } };
  }
  lose(writing.losses, imageLoss(block));
  return { type: 'text', text: wordFor(block) };
}

/**
 * The reasoning as notes, then the answer block by block, then the results in one line: the order every version reads.
 * Another vendor's reasoning must not reach the model, and our own is signed for a conversation that no longer is the same.
 */
function* responseLines(response: Response, writing: Writing): Generator<WrittenLine> {
  const { rows } = writing;
  for (const part of response.parts) {
    if (part.type !== 'thinking') continue;
    lose(writing.losses, 'thinking');
    const text = part.block.text.trim() === '' ? (part.block.summary ?? '') : part.block.text;
    if (text.trim() !== '') yield { text: rows.note(`[reasoning] ${text}`, response.timestamp, filler(writing)) };
  }
  const id = rows.responseId();
  const calls = response.parts.filter((part) => part.type === 'call');
  const last = response.interrupted ? response.parts.findLast((part) => part.type !== 'thinking') : undefined;
  const stopReason = calls.length === 0 ? 'end_turn' : 'tool_use';
  const made: { readonly call: Call; readonly id: string; readonly row: string }[] = [];
  for (const part of response.parts) {
    if (part.type === 'thinking') continue;
    const { tool } = writing.session.origin;
    const mark: JsonObject = part === last ? { tool, interrupted: true } : {};
    if (part.type === 'text') {
      const extra = part === last ? { importedFrom: mark } : {};
      yield {
        text: rows.assistant(id, { type: 'text', text: part.text }, stopReason, response.timestamp, extra),
        from: part.from,
      };
      continue;
    }
    const callId = rows.callId();
    yield { text: callRow(id, callId, part, response, writing, mark), from: part.from };
    made.push({ call: part, id: callId, row: rows.leaf ?? '' });
  }
  for (const { call, id: callId, row } of made) yield resultLine(call, callId, row, writing);
  if (response.interrupted) {
    const text = `[Request interrupted by user${calls.length === 0 ? '' : ' for tool use'}]`;
    yield {
      text: rows.user([{ type: 'text', text }], calls.at(-1)?.result.timestamp ?? response.timestamp, filler(writing)),
    };
  }
}

function callRow(
  response: string,
  id: string,
  call: Call,
  { timestamp }: Response,
  writing: Writing,
  mark: JsonObject,
): string {
  const { tool } = writing.session.origin;
  const name = callName(call.name, tool);
  if (name !== call.name) lose(writing.losses, 'call-name');
  const own = name === call.name ? {} : { tool, callId: call.id, name: call.name };
  const importedFrom = { ...own, ...mark };
  const extra = Object.keys(importedFrom).length === 0 ? {} : { importedFrom };
  return writing.rows.assistant(
    response,
    { type: 'tool_use', id, name, input: call.input },
    'tool_use',
    timestamp,
    extra,
  );
}

const ownNames: ReadonlySet<string> = new Set(vocabulary.map((word) => word.name));

/**
 * A name the service accepts. The terminal draws calls it does not know only when they look like an MCP server's, so a
 * foreign tool's name is given that form.
 */
function callName(name: string, tool: string): string {
  const isOwn = tool === 'claude-code' || ownNames.has(name) || name.startsWith('mcp__');
  if (isOwn && /^[a-zA-Z0-9_-]{1,64}$/.test(name)) return name;
  return `mcp__${tool}__${name}`.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
}

/** Longest text that is also given in the form the terminal draws. */
const drawnLimit = 8192;

function resultLine(call: Call, id: string, row: string, writing: Writing): WrittenLine {
  const { result } = call;
  const images = result.images.map((image) => blockOf(image, writing));
  // The service refuses a failed result that says nothing.
  const isSilent = result.isError && result.text === '' && images.length === 0;
  if (isSilent) lose(writing.losses, 'silent-failure');
  const text = isSilent ? '(no output)' : result.text;
  const content = images.length === 0 ? text : [...(text === '' ? [] : [{ type: 'text', text }]), ...images];
  const block = { tool_use_id: id, type: 'tool_result', content, is_error: result.isError };
  const drawn = drawnResult(call.name, result);
  const line = writing.rows.user([block], result.timestamp, {
    ...(drawn === undefined ? {} : { toolUseResult: drawn }),
    ...(result.from === undefined ? filler(writing) : {}),
    sourceToolAssistantUUID: row,
  });
  return { text: line, ...(result.from === undefined ? {} : { from: result.from }) };
}

/** The structured copy of a result, where the terminal needs one to draw it. */
function drawnResult(name: string, result: Result): string | JsonObject | undefined {
  if (result.text.length > drawnLimit) return undefined;
  if (result.isError) return `Error: ${result.text}`;
  return name === 'Bash' ? { stdout: result.text, stderr: '', interrupted: false, isImage: false } : undefined;
}

/** Title and checkpoint. They stand at the end: the tool's list reads the last 64 KB. */
function* closing(writing: Writing, given: WriteGiven): Generator<WrittenLine> {
  const { session, rows } = writing;
  const leafUuid = rows.leaf;
  if (leafUuid === null) return;
  const sessionId = given.nativeId;
  if (session.title !== undefined && session.title.trim() !== '') {
    // What 1.x and 2.0.x list.
    yield { text: encode({ type: 'summary', summary: session.title, leafUuid }) };
    yield { text: encode({ type: 'custom-title', customTitle: session.title, sessionId }) };
  }
  const lastPrompt = writing.prompt.replaceAll(/\s*\n\s*/g, ' ').slice(0, 200);
  yield { text: encode({ type: 'last-prompt', lastPrompt, leafUuid, sessionId }) };
}

/** The session's own file and what lies in its folder keep their places below the project of the new folder. */
function restore(
  files: readonly { readonly key: string; readonly path: string }[],
  given: WriteGiven,
): ReadonlyMap<string, string> | undefined {
  const places = new Map<string, string>();
  const folder = folderOf(given);
  for (const { key, path } of files) {
    if (key === 'main') {
      places.set(key, `${folder}/${given.nativeId}.jsonl`);
      continue;
    }
    const place = placeBeside(path.replaceAll('\\', '/'), folder, given.nativeId);
    if (place !== undefined) places.set(key, place);
  }
  return places.has('main') ? places : undefined;
}

/** Below the session's folder, or beside it for the sub-agents of 2.0.x. */
function placeBeside(path: string, folder: string, nativeId: string): string | undefined {
  const below = path.split('/projects/').at(-1)?.split('/').slice(1);
  if (below === undefined || below.length === 0 || below.some((part) => part === '' || part === '.' || part === '..'))
    return undefined;
  const [first] = below;
  if (below.length === 1) return first?.startsWith('agent-') === true ? `${folder}/${first}` : undefined;
  return [folder, nativeId, ...below.slice(1)].join('/');
}

/** A running process says in `sessions/<pid>.json` which session it is on. */
function live(machine: Machine, home: string, nativeId: string): boolean {
  const folder = `${home}/sessions`;
  return machine.list(folder).some((entry) => {
    if (entry.kind !== 'file' || !/^\d+\.json$/.test(entry.name)) return false;
    const record = parsed(machine.readText(`${folder}/${entry.name}`));
    return (
      stringAt(record, 'sessionId')?.toLowerCase() === nativeId.toLowerCase() &&
      machine.isRunning(Number.parseInt(entry.name, 10))
    );
  });
}

function parsed(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // A record that is being written just now: its process has only started.
    return undefined;
  }
}
