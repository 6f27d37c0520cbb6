/** Makes transcript rows as Claude Code writes them: one line of parents, rising times, ids of its own shapes. */

import type { JsonObject } from '../../model/json.ts';
import { sha256Hex } from '../../model/ids.ts';
import type { LiveSession, WriteGiven } from '../adapter.ts';
import { syntheticModel } from './usage.ts';

/** Makes the rows of one session. */
export class Rows {
  readonly #seed: string;
  readonly #given: WriteGiven;
  readonly #tail: JsonObject;
  #parent: string | null = null;
  #rows = 0;
  #responses = 0;
  #calls = 0;
  #last = '';

  constructor(session: LiveSession, given: WriteGiven) {
    this.#seed = sha256Hex(given.nativeId);
    this.#given = given;
    this.#tail = {
      userType: 'external',
      // The picker hides sessions of any other origin.
      entrypoint: 'cli',
      cwd: given.cwd,
      sessionId: given.nativeId,
      version: given.toolVersion,
      gitBranch: session.git?.branch ?? '',
    };
  }

  /** The last row's id; `null` before any. */
  get leaf(): string | null {
    return this.#parent;
  }

  /** An id for a response. Rows that share it are one message to the tool. */
  responseId(): string {
    this.#responses += 1;
    return `msg_01${this.#seed.slice(0, 14)}${hex(this.#responses, 8)}`;
  }

  /** An id for a call: letters and digits only, and never another id with a number after it. */
  callId(): string {
    this.#calls += 1;
    return `toolu_01${this.#seed.slice(14, 28)}${hex(this.#calls, 8)}`;
  }

  /** A row in user position. `extra` goes where the tool has such fields, before the id. */
  user(content: string | readonly JsonObject[], timestamp: string, extra: JsonObject = {}): string {
    return this.#row({ type: 'user', message: { role: 'user', content }, ...extra }, timestamp);
  }

  /** One block of an answer. Without tokens: the tool would compact a session whose last answer states many. */
  assistant(
    response: string,
    block: JsonObject,
    stopReason: 'tool_use' | 'end_turn',
    timestamp: string,
    extra: JsonObject = {},
  ): string {
    const message = {
      id: response,
      type: 'message',
      role: 'assistant',
      model: syntheticModel,
      content: [block],
      stop_reason: stopReason,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
    };
    return this.#row({ message, type: 'assistant', ...extra }, timestamp);
  }

  /** A note that is never sent to the model; people see it with the transcript open (ctrl+o). */
  note(text: string, timestamp: string, extra: JsonObject = {}): string {
    return this.#row(
      { type: 'system', subtype: 'informational', content: text, level: 'info', isMeta: false, ...extra },
      timestamp,
    );
  }

  #row(fields: JsonObject, timestamp: string): string {
    const uuid = this.#uuid();
    const row = {
      parentUuid: this.#parent,
      isSidechain: false,
      ...fields,
      uuid,
      timestamp: this.#time(timestamp),
      ...this.#tail,
    };
    this.#parent = uuid;
    return encode(row);
  }

  #uuid(): string {
    this.#rows += 1;
    const seed = this.#seed;
    return `${seed.slice(28, 36)}-${seed.slice(36, 40)}-8${seed.slice(40, 43)}-a${seed.slice(43, 46)}-${hex(this.#rows, 12)}`;
  }

  /** The time itself where it is later than the row's before, else one millisecond after that. */
  #time(timestamp: string): string {
    if (timestamp.length === 24 && timestamp.endsWith('Z') && timestamp > this.#last && timestamp <= this.#given.now)
      return (this.#last = timestamp);
    const stated = Date.parse(timestamp);
    const last = this.#last === '' ? Number.NEGATIVE_INFINITY : Date.parse(this.#last);
    const now = Date.parse(this.#given.now);
    const ms = Math.max(Number.isNaN(stated) ? now : Math.min(stated, now), last + 1);
    return (this.#last = new Date(ms).toISOString());
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** One JSON line. Half surrogates, which the tool would send as they are and the service refuses, become U+FFFD. */
export function encode(value: JsonObject): string {
  const text = JSON.stringify(value);
  // JSON.stringify escapes a surrogate only when it stands alone.
  return text.includes('\\ud')
    ? text.replaceAll(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, String.raw`$1\ufffd`)
    : text;
}
