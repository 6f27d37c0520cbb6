/** Makes a rollout of a conversation, line by line, as Codex 0.148 and later write it ("paginated"). */

import type { LiveSession, Losses, WriteGiven, WrittenLine } from '../adapter.ts';
import { conversation, imageLoss, lose, wordFor } from '../shared/conversation.ts';
import type { Call, Prompt, Response, ResponsePart } from '../shared/conversation.ts';
import type { ImageBlock } from '../../model/block.ts';
import { sha256Hex } from '../../model/ids.ts';
import type { JsonObject } from '../../model/json.ts';
import { isHuman } from '../../model/message.ts';
import { callIdFor, callItem, isHosted, isRenamed, resultItem } from './call-items.ts';
import { resultBlock } from './content.ts';
import { displayOf } from './display.ts';

/** Stands in `session_meta.originator`: who made the file. */
export const originator = 'sessionfs';

/** The lines of a new thread with what the session's live view holds; losses are counted as they are met. */
export function* rolloutLines(session: LiveSession, given: WriteGiven, losses: Losses): Generator<WrittenLine> {
  losses.clear();
  const steps = conversation(session.messages, losses);
  let next = steps.next();
  const writing = new Writing(session, given, losses, next.done === true ? given.now : next.value.timestamp);
  yield writing.header();
  while (next.done !== true) {
    yield* next.value.kind === 'prompt' ? writing.prompt(next.value) : writing.response(next.value);
    next = steps.next();
  }
  yield* writing.end();
}

/** Bytes of text that make a token, and tokens of a picture: rough, as Codex itself guesses. */
const bytesPerToken = 4;
const tokensPerImage = 1500;

/** Images the service takes. */
const imageTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** The thread as far as it is written. */
class Writing {
  readonly #session: LiveSession;
  readonly #given: WriteGiven;
  readonly #losses: Losses;
  /** Milliseconds; never goes back. */
  #clock: number;
  #ordinal = 0;
  #serial = 0;
  #tokens = 0;
  #turn:
    | { readonly id: string; readonly startedAt: number; lastText: string | null; interruptedFrom: string | undefined }
    | undefined;
  /** A thread in which nobody says anything is not listed; then the summary must stand for a prompt. */
  #showsSummary: boolean | undefined;

  constructor(session: LiveSession, given: WriteGiven, losses: Losses, firstTime: string) {
    this.#session = session;
    this.#given = given;
    this.#losses = losses;
    this.#clock = millisecondsOf(firstTime) ?? Date.parse(given.now);
  }

  /**
   * The header: without instructions, which Codex adds itself, and with the person's own provider, without which it
   * refuses to go on.
   */
  header(): WrittenLine {
    const { nativeId, cwd, now, toolVersion, extra } = this.#given;
    const { git, origin, sessionId } = this.#session;
    const known = [
      ['commit_hash', git?.commit_sha],
      ['branch', git?.branch],
      ['repository_url', git?.remote_url],
    ].filter(([, value]) => value != null);
    return this.#line('session_meta', {
      session_id: nativeId,
      id: nativeId,
      timestamp: now,
      cwd,
      originator,
      cli_version: toolVersion,
      source: 'cli',
      thread_source: 'user',
      model_provider: extra['provider'] ?? 'openai',
      history_mode: 'paginated',
      ...(known.length === 0 ? {} : { git: Object.fromEntries(known) as JsonObject }),
      // Codex passes over fields it does not know; this one says whence the thread comes.
      imported_from: {
        session: sessionId,
        tool: origin.tool,
        ...(origin.nativeId === undefined ? {} : { id: origin.nativeId }),
      },
    });
  }

  /** A prompt begins a turn. */
  *prompt(prompt: Prompt): Generator<WrittenLine> {
    const content: JsonObject[] = [];
    const shown: JsonObject[] = [];
    for (const block of prompt.content) {
      if (block.type === 'text') {
        content.push({ type: 'input_text', text: block.text });
        shown.push({ type: 'text', text: block.text, text_elements: [] });
        this.#count(block.text);
        continue;
      }
      const url = this.#imageUrl(block);
      if (url === undefined) {
        content.push({ type: 'input_text', text: wordFor(block) });
        shown.push({ type: 'text', text: wordFor(block), text_elements: [] });
        continue;
      }
      content.push({ type: 'input_image', image_url: url });
      shown.push({ type: 'image', image_url: url });
    }
    yield* this.#endTurn();
    yield this.#startTurn(prompt.timestamp);
    yield this.#line('response_item', { type: 'message', role: 'user', content }, prompt.from);
    if (prompt.isSummary && !this.#mustShowSummary()) yield this.#show({ type: 'ContextCompaction', id: this.#uuid() });
    else yield this.#show({ type: 'UserMessage', id: this.#uuid(), content: shown });
  }

  /** An answer: its parts in order, then what was done, then what came of it. */
  *response(response: Response): Generator<WrittenLine> {
    this.#at(response.timestamp);
    if (this.#turn === undefined) yield this.#startTurn(response.timestamp);
    const calls: { readonly call: Call; readonly id: string }[] = [];
    for (const part of response.parts) {
      if (part.type === 'call') {
        const id = callIdFor(part.id, this.#given.nativeId);
        yield this.#call(part, id);
        if (!isHosted(part, this.#session.origin.tool)) calls.push({ call: part, id });
        continue;
      }
      yield* this.#said(part);
    }
    for (const { call, id } of calls)
      yield this.#show(displayOf({ call, id, cwd: this.#given.cwd, server: this.#session.origin.tool }));
    // In the order in which they came, so that the last line is the message that what follows hangs on.
    const answered = calls.toSorted((a, b) => compare(a.call.result.timestamp, b.call.result.timestamp));
    for (const { call, id } of answered) yield this.#result(call, id);
    if (this.#turn !== undefined) {
      const last = answered.at(-1)?.call;
      const from = last === undefined ? response.parts.at(-1)?.from : (last.result.from ?? last.from);
      this.#turn.interruptedFrom = response.interrupted ? from : undefined;
    }
  }

  /** Ends the last turn and says how large it all is, so that Codex compacts in time. */
  *end(): Generator<WrittenLine> {
    yield* this.#endTurn();
    const none = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, reasoning_output_tokens: 0 };
    const usage = { ...none, total_tokens: Math.ceil(this.#tokens) };
    yield this.#line('event_msg', {
      type: 'token_count',
      info: { total_token_usage: usage, last_token_usage: usage, model_context_window: null },
      rate_limits: null,
    });
  }

  *#said(part: Exclude<ResponsePart, Call>): Generator<WrittenLine> {
    if (part.type === 'thinking') {
      // Shown, not sent: the model takes only reasoning that it has encrypted itself.
      lose(this.#losses, 'thinking');
      if (part.block.text.trim() === '') return;
      yield this.#show({
        type: 'Reasoning',
        id: `rs_${this.#uuid()}`,
        summary_text: [part.block.text],
        raw_content: [],
      });
      return;
    }
    this.#count(part.text);
    if (this.#turn !== undefined) this.#turn.lastText = part.text;
    yield this.#show({ type: 'AgentMessage', id: `msg_${this.#uuid()}`, content: [{ type: 'Text', text: part.text }] });
    const content = [{ type: 'output_text', text: part.text }];
    yield this.#line('response_item', { type: 'message', role: 'assistant', content }, part.from);
  }

  #call(call: Call, id: string): WrittenLine {
    const { tool } = this.#session.origin;
    const item = callItem(call, id, tool);
    if (isRenamed(call, tool)) lose(this.#losses, 'call-name');
    this.#count(String(item['arguments'] ?? item['input'] ?? ''));
    return this.#line('response_item', item, call.from);
  }

  #result(call: Call, id: string): WrittenLine {
    const { result } = call;
    this.#at(result.timestamp);
    this.#count(result.text);
    const pictures = result.images.map((image) => ({ url: this.#imageUrl(image), word: wordFor(image) }));
    const urls = pictures.flatMap(({ url }) => (url === undefined ? [] : [url]));
    const words = pictures.flatMap(({ url, word }) => (url === undefined ? [word] : []));
    const text = words.length === 0 ? result.text : [...(result.text === '' ? [] : [result.text]), ...words].join('\n');
    // Only its own text says that a call failed.
    const isTold = result.from === undefined || (resultBlock(id, text).is_error === true) === result.isError;
    if (!isTold) lose(this.#losses, 'failure-mark');
    // Where nothing was recorded the line still says something of the call.
    return this.#line('response_item', resultItem(call, id, text, urls), result.from ?? call.from);
  }

  #startTurn(timestamp: string): WrittenLine {
    this.#at(timestamp);
    const id = this.#uuid();
    this.#turn = { id, startedAt: this.#clock, lastText: null, interruptedFrom: undefined };
    const startedAt = seconds(this.#clock);
    return this.#line('event_msg', {
      type: 'task_started',
      turn_id: id,
      started_at: startedAt,
      model_context_window: null,
      collaboration_mode_kind: 'default',
    });
  }

  *#endTurn(): Generator<WrittenLine> {
    const turn = this.#turn;
    if (turn === undefined) return;
    const times = {
      started_at: seconds(turn.startedAt),
      completed_at: seconds(this.#clock),
      duration_ms: this.#clock - turn.startedAt,
    };
    if (turn.interruptedFrom === undefined) {
      yield this.#line('event_msg', {
        type: 'task_complete',
        turn_id: turn.id,
        last_agent_message: turn.lastText,
        ...times,
      });
    } else {
      const content = [{ type: 'input_text', text: turnAborted }];
      yield this.#line('response_item', { type: 'message', role: 'user', content }, turn.interruptedFrom);
      yield this.#line('event_msg', { type: 'turn_aborted', turn_id: turn.id, reason: 'interrupted', ...times });
    }
    this.#turn = undefined;
  }

  #show(item: JsonObject): WrittenLine {
    return this.#line('event_msg', {
      type: 'item_completed',
      thread_id: this.#given.nativeId,
      turn_id: this.#turn?.id ?? '',
      item,
      started_at_ms: this.#clock,
      completed_at_ms: this.#clock,
    });
  }

  #mustShowSummary(): boolean {
    if (this.#showsSummary === undefined) {
      this.#showsSummary = true;
      for (const message of this.#session.messages) {
        if (!isHuman(message)) continue;
        this.#showsSummary = false;
        break;
      }
    }
    return this.#showsSummary;
  }

  /** JSON text writes half a character as an escape of this form; words that hold such an escape hold two backslashes. */
  #line(type: string, payload: JsonObject, from?: string): WrittenLine {
    const line = { timestamp: new Date(this.#clock).toISOString(), ordinal: this.#ordinal, type, payload };
    this.#ordinal += 1;
    const text = JSON.stringify(line);
    const made = text.includes('\\ud') ? { text: this.#wellFormed(line) } : { text, record: line };
    return from === undefined ? made : { ...made, from };
  }

  /** Codex drops a line with half a character in it (its JSON reader refuses). */
  #wellFormed(line: JsonObject): string {
    return JSON.stringify(line, (_key, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
  }

  #imageUrl(image: ImageBlock): string | undefined {
    const { type, data, media_type: mediaType } = image.source;
    // The API fetches pictures from the web; an address of another kind makes it refuse the whole conversation.
    const isTaken =
      type === 'url' ? /^(https?:|data:image\/)/i.test(data) : type === 'base64' && imageTypes.has(mediaType ?? '');
    if (!isTaken) {
      lose(this.#losses, imageLoss(image));
      return undefined;
    }
    this.#tokens += tokensPerImage;
    return type === 'url' ? data : `data:${mediaType ?? ''};base64,${data}`;
  }

  #count(text: string): void {
    this.#tokens += text.length / bytesPerToken;
  }

  #at(timestamp: string): void {
    this.#clock = Math.max(this.#clock, millisecondsOf(timestamp) ?? this.#clock);
  }

  /** A UUID of version 7 at the present time of the thread; the same each time the thread is made. */
  #uuid(): string {
    this.#serial += 1;
    const random = sha256Hex(`${this.#given.nativeId}\n${this.#serial}`);
    const time = Math.max(0, this.#clock).toString(16).padStart(12, '0').slice(-12);
    const variant = ((Number.parseInt(random.slice(3, 4), 16) & 3) | 8).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
  }
}

/** What Codex tells its model of an interruption (0.169). */
const turnAborted = `<turn_aborted>
The user interrupted the previous turn on purpose. Any running unified exec processes may still be running in the background. If any tools/commands were aborted, they may have partially executed.
</turn_aborted>`;

function millisecondsOf(timestamp: string): number | undefined {
  const time = Date.parse(timestamp);
  return Number.isNaN(time) ? undefined : time;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
