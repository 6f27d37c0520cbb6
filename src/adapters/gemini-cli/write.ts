/**
 * Writes sessions for Gemini CLI (0.44 and later): one log that it lists and resumes with every call and result exactly
 * once, however often. The README says why the records have this shape.
 */

import type { ImageBlock, ThinkingBlock } from '../../model/block.ts';
import { sha256Hex } from '../../model/ids.ts';
import { stringAt } from '../../model/json.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Machine } from '../../io/machine.ts';
import type {
  LiveSession,
  Losses,
  WriteGiven,
  WriteRequest,
  Writer,
  Written,
  WrittenFile,
  WrittenLine,
} from '../adapter.ts';
import { conversation, imageLoss, lose, whole, wordFor } from '../shared/conversation.ts';
import type { Call, Prompt, Response } from '../shared/conversation.ts';
import { isOlder } from '../shared/version.ts';
import { safeSuffix, snapshotPrefix } from './discover.ts';
import { markersOf, normal, slugFor } from './project.ts';
import { promptGuard } from './user-content.ts';

const provenVersion = '0.61.0';

/** Since then the CLI sends turns of one role as one. Before, each record is a turn. */
const joiningVersion = '0.53.0';

/** The writer of Gemini CLI sessions. */
export const writer: Writer = {
  minimumVersion: '0.44.0',
  provenVersion,
  // Another vendor's model is not forced on it; of Gemini's own the name is kept.
  omits: ['model', 'tokens', 'exit-code', 'duration', 'interruption', 'git'],
  prepare,
  write,
  // Its own files send every tool result twice when resumed, and under their own name they are deleted (see the README).
  restore: () => undefined,
  // A named snapshot is taken into a session by a command in it, not by `--resume`.
  opens: (nativeId) => !nativeId.startsWith(snapshotPrefix),
  // A running CLI leaves no mark.
  live: () => false,
  launch: (nativeId, { model }) => ['gemini', '--resume', nativeId, ...(model === undefined ? [] : ['-m', model])],
};

function prepare(machine: Machine, request: WriteRequest): Promise<WriteGiven> {
  return Promise.resolve({
    ...request,
    nativeId: request.nativeId ?? machine.uuid(),
    now: machine.now().toISOString(),
    toolVersion: request.version ?? provenVersion,
    extra: { slug: slugFor(machine, request.home, request.cwd), directory: normal(machine, request.cwd) },
  });
}

function write(session: LiveSession, given: WriteGiven): Written {
  const losses: Losses = new Map();
  const slug = textIn(given, 'slug') ?? 'project';
  const directory = textIn(given, 'directory') ?? given.cwd;
  // The first minute of the name is the time of placing: `--resume latest` goes by `startTime`.
  const name = `session-${given.now.slice(0, 16).replaceAll(':', '-')}-${safeSuffix(given.nativeId)}.jsonl`;
  const log: WrittenFile = {
    key: name,
    path: `tmp/${slug}/chats/${name}`,
    lines: linesOf(session, given, directory, losses),
  };
  const markers = markersOf(slug).map((path): WrittenFile => ({
    key: path.replaceAll('/', '.').replace('..', '.'),
    path,
    kind: 'text',
    exists: 'keep',
    lines: [{ text: directory }],
  }));
  return { nativeId: given.nativeId, files: [...markers, log], losses };
}

function textIn(given: WriteGiven, name: string): string | undefined {
  const value = given.extra[name];
  return typeof value === 'string' ? value : undefined;
}

/** What one line is made with. */
interface Pen {
  /** A fresh message id, the same each time the session is written. */
  id(): string;
  /** The time, never before that of the line above. */
  time(stated: string): string;
  readonly losses: Losses;
  /** Thinking of the tool's own models is shown again and never sent; that of others is left out. */
  readonly keepsThinking: boolean;
}

function* linesOf(session: LiveSession, given: WriteGiven, directory: string, losses: Losses): Generator<WrittenLine> {
  yield line({
    sessionId: given.nativeId,
    projectHash: sha256Hex(directory),
    // Sessions not updated for 30 days are deleted at the next start.
    startTime: given.now,
    lastUpdated: given.now,
    kind: 'main',
    // The name in lists; with the scratchpad beside it the CLI asks no model for one.
    ...(session.title === undefined ? {} : { summary: session.title, memoryScratchpad: { version: 1 } }),
    importedFrom: {
      by: 'sessionfs',
      session: session.sessionId,
      tool: session.origin.tool,
      nativeId: session.origin.nativeId ?? null,
    },
  });
  const pen = penFor(session, given, losses);
  for (const step of conversation(session.messages, losses)) {
    if (step.kind === 'prompt') yield* promptLines(step, pen);
    else if (isOlder(given.toolVersion, joiningVersion)) yield* joined(turnsOf(step, pen)).map(lineOf);
    else yield* turnsOf(step, pen).map(lineOf);
  }
}

function penFor(session: LiveSession, given: WriteGiven, losses: Losses): Pen {
  let count = 0;
  let last = 0;
  return {
    id: () => {
      const hex = sha256Hex(`${given.nativeId}\n${count++}`);
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
    time: (stated) => {
      const at = Date.parse(stated);
      if (Number.isFinite(at) && at > last) last = at;
      return last === 0 ? given.now : new Date(last).toISOString();
    },
    losses,
    keepsThinking: session.origin.tool === 'gemini-cli',
  };
}

/** `{"id":"…","timestamp":"…","type":"user","content":[{"text":"…"},{"inlineData":{"mimeType":"image/png","data":"…"}}]}` */
function* promptLines(prompt: Prompt, pen: Pen): Generator<WrittenLine> {
  const content = prompt.content.map((block) => {
    if (block.type === 'image') return imagePart(block, pen.losses);
    return { text: prompt.isSummary ? asSnapshot(block.text) : block.text };
  });
  const text = content.map((part) => stringAt(part, 'text') ?? '').join('');
  // The CLI drops prompts that begin like a command or like its own context.
  const guarded = !prompt.isSummary && (ownBeginning.test(text) || content.some(isContext));
  if (guarded) content.unshift({ text: promptGuard });
  const record = { id: pen.id(), timestamp: pen.time(prompt.timestamp), type: 'user', content };
  yield line(guarded ? { ...record, displayContent: [{ text }] } : record, prompt.from);
}

const ownBeginning = new RegExp(`^(\\s*([/?]|<state_snapshot>)|${promptGuard})`);

function isContext(part: JsonObject): boolean {
  return /^\s*<(session|hook)_context>/.test(stringAt(part, 'text') ?? '');
}

/** A compaction's summary as the CLI's own compaction leaves it. */
function asSnapshot(text: string): string {
  return text.trimStart().startsWith('<state_snapshot>') ? text : `<state_snapshot>\n${text}\n</state_snapshot>`;
}

/** One record, and the messages it was made from by what the reader tells of it: first words, then calls, then results. */
interface Turn {
  readonly record: JsonObject;
  /** Its content. */
  readonly parts: readonly JsonObject[];
  readonly words?: string;
  readonly calls?: string;
  readonly results?: readonly string[];
}

function lineOf({ record, words, calls, results = [] }: Turn): WrittenLine {
  const [from, ...also] = [words, calls, ...results].filter((id) => id !== undefined);
  return { ...line(record, from), ...(also.length === 0 ? {} : { also }) };
}

/** Neighbouring records of one role as one. The API refuses calls that are not answered in the very next turn. */
function* joined(turns: Iterable<Turn>): Generator<Turn> {
  let open: Turn | undefined;
  for (const turn of turns) {
    if (open?.record['type'] === turn.record['type'] && open !== undefined) open = together(open, turn);
    else {
      if (open !== undefined) yield open;
      open = turn;
    }
  }
  if (open !== undefined) yield open;
}

function together(one: Turn, other: Turn): Turn {
  const parts = [...one.parts, ...other.parts];
  const list = (name: string): JsonObject => {
    const both = [one, other].flatMap(({ record }) => record[name] ?? []);
    return both.length === 0 && one.record[name] === undefined ? {} : { [name]: both };
  };
  const text = parts.map((part) => stringAt(part, 'text') ?? '').join('');
  const words = one.words ?? other.words;
  const calls = one.calls ?? other.calls;
  return {
    parts,
    record: {
      ...one.record,
      content: parts,
      ...list('thoughts'),
      ...list('toolCalls'),
      ...(calls === undefined && one.results === undefined ? {} : { displayContent: text === '' ? ' ' : text }),
    },
    ...(words === undefined ? {} : { words }),
    ...(calls === undefined ? {} : { calls }),
    results: [...(one.results ?? []), ...(other.results ?? [])],
  };
}

/** Each message of the answer in a record of its own, then each result. */
function* turnsOf(response: Response, pen: Pen): Generator<Turn> {
  const model =
    response.model !== undefined && /^(models\/)?(gemini|gemma)/.test(response.model) ? response.model : undefined;
  let thoughts: ThinkingBlock[] = [];
  const answer = (fields: JsonObject): JsonObject => {
    const record = {
      id: pen.id(),
      timestamp: pen.time(response.timestamp),
      type: 'gemini',
      ...fields,
      thoughts: thoughts.map((block) => thoughtOf(block, response.timestamp, pen)),
      tokens: null,
      ...(model === undefined ? {} : { model }),
    };
    thoughts = [];
    return record;
  };
  for (const group of groupsOf(response)) {
    const [first] = group;
    if (first === undefined) continue;
    if (first.type === 'thinking') {
      for (const part of group) {
        if (part.type !== 'thinking') continue;
        if (pen.keepsThinking && part.block.text.trim() !== '') thoughts.push(part.block);
        else lose(pen.losses, 'thinking');
      }
    } else if (first.type === 'text') {
      const texts = group.flatMap((part) => (part.type === 'text' ? [{ text: part.text }] : []));
      const content = texts.length === 1 ? first.text : texts;
      yield { record: answer({ content }), parts: texts, words: first.from };
    } else {
      const calls = group.flatMap((part) => (part.type === 'call' ? [part] : []));
      const parts = calls.map((call) => ({ functionCall: { id: idOf(call), name: nameOf(call), args: call.input } }));
      yield { record: answer({ content: parts, ...callFields(calls, pen) }), parts, calls: first.from };
    }
  }
  if (thoughts.length > 0) lose(pen.losses, 'thinking', thoughts.length);
  for (const part of response.parts) if (part.type === 'call') yield resultTurn(part, pen);
}

/** Neighbouring parts of one kind that were made from one message. */
function groupsOf(response: Response): Response['parts'][number][][] {
  const groups: Response['parts'][number][][] = [];
  for (const part of response.parts) {
    const group = groups.at(-1);
    if (group?.[0]?.from === part.from && group[0].type === part.type) group.push(part);
    else groups.push([part]);
  }
  return groups;
}

function thoughtOf(block: ThinkingBlock, timestamp: string, pen: Pen): JsonObject {
  const text = whole(block.text, pen.losses);
  const [, subject, description] = /^\*\*([^\n*]+)\*\* ?([\s\S]*)$/.exec(text) ?? [];
  return { subject: subject ?? '', description: description ?? text, timestamp: pen.time(timestamp) };
}

/**
 * Calls as parts of the content, which the CLI sends as they are. The `toolCalls` beside them have other ids and no
 * result: they are for the screen, and with the same id the CLI would copy the result in and send it again.
 */
function callFields(calls: readonly Call[], pen: Pen): JsonObject {
  for (const call of calls) if (nameOf(call) !== call.name) lose(pen.losses, 'call-name');
  return {
    // A blank: without it the screen spells the calls out as text.
    displayContent: ' ',
    toolCalls: calls.map((call) => ({
      id: `shown-${idOf(call)}`,
      name: nameOf(call),
      args: call.input,
      status: call.result.isError ? 'error' : 'success',
      timestamp: pen.time(call.result.timestamp),
      resultDisplay: shortened(call.result.text, 4000),
      description: shortened(describe(call.input), 200),
      displayName: displayNames.get(call.name) ?? call.name,
      renderOutputAsMarkdown: false,
    })),
  };
}

const displayNames: ReadonlyMap<string, string> = new Map([
  ['run_shell_command', 'Shell'],
  ['read_file', 'ReadFile'],
  ['write_file', 'WriteFile'],
  ['replace', 'Edit'],
  ['grep_search', 'SearchText'],
  ['glob', 'FindFiles'],
  ['list_directory', 'ReadFolder'],
  ['web_fetch', 'WebFetch'],
  ['google_web_search', 'GoogleSearch'],
  ['write_todos', 'WriteTodos'],
  ['invoke_agent', 'Invoke Subagent'],
]);

/** The Gemini API takes letters, digits and `_.:-`, up to 64, and no digit first. */
function nameOf(call: Call): string {
  const name = call.name.replaceAll(/[^A-Za-z0-9_.:-]/g, '_').slice(0, 63);
  return /^[A-Za-z_]/.test(name) ? name : `_${name}`.slice(0, 63);
}

/** The call's id; of one so long that a reader cuts it, a name for it. */
function idOf({ id }: Call): string {
  return id.length <= 100 ? id : `call_${sha256Hex(id).slice(0, 24)}`;
}

function describe(input: JsonObject): string {
  const first = Object.values(input).find((value) => typeof value === 'string');
  return typeof first === 'string' ? first : JSON.stringify(input);
}

/** `{"type":"user","content":[{"functionResponse":{"id":"…","name":"read_file","response":{"output":"…"}}}],"displayContent":" "}` */
function resultTurn(call: Call, pen: Pen): Turn {
  const { result } = call;
  const images = result.images.map((image) => imagePart(image, pen.losses));
  // Beside a result the CLI knows only data: words about images go into the result.
  const text = [
    ...(result.text === '' ? [] : [result.text]),
    ...images.flatMap((image) => (typeof image['text'] === 'string' ? [image['text']] : [])),
  ].join('\n');
  const response = result.isError ? { error: text } : { output: text };
  const parts: JsonObject[] = [
    { functionResponse: { id: idOf(call), name: nameOf(call), response } },
    ...images.filter((image) => image['inlineData'] !== undefined),
  ];
  const record = {
    id: pen.id(),
    timestamp: pen.time(result.timestamp),
    type: 'user',
    content: parts,
    displayContent: ' ',
  };
  return { record, parts, results: [result.from ?? call.from] };
}

const imageTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif']);

/** Image bytes the Gemini API takes; of any other image a word that it was there. */
function imagePart(image: ImageBlock, losses: Losses): JsonObject {
  const { type, data, media_type: mediaType } = image.source;
  if (type === 'base64' && mediaType != null && imageTypes.has(mediaType))
    return { inlineData: { mimeType: mediaType, data } };
  lose(losses, imageLoss(image));
  return { text: wordFor(image) };
}

function shortened(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The CLI ends a line at U+2028 and U+2029 too, and the API refuses half a character. */
function line(record: JsonObject, from?: string): WrittenLine {
  const text = JSON.stringify(record, (_key, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  )
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
  return { text, ...(from === undefined ? {} : { from }) };
}
