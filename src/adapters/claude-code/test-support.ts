/** A session in memory, for tests: what decoding yields, gathered as the store gathers it. */

import type { LiveOp } from '../../model/live.ts';
import { linkOf, liveIds } from '../../model/live.ts';
import { contentHash, revisionId } from '../../model/ids.ts';
import { baseId } from '../../model/message.ts';
import type { Message } from '../../model/message.ts';
import { mergeFacts } from '../../model/facts.ts';
import type { DecoderState, FileContext, Given, SessionFacts, SourceFile } from '../adapter.ts';
import { reader } from './read.ts';

/** Everything a session came to. */
export class MemorySession {
  readonly nativeId: string;
  readonly messages = new Map<string, Message>();
  readonly keys = new Map<string, string>();
  readonly ops: LiveOp[] = [];
  readonly losses = new Map<string, number>();
  readonly records = new Map<string, number>();
  /** The last message its tool copied from the session it goes on from. */
  copied: string | undefined;
  facts: SessionFacts = {};

  constructor(nativeId: string) {
    this.nativeId = nativeId;
  }

  /** Decodes the records of one file, one a line; the file is quiet before each line whose index is in `pieces`. */
  readFile(
    file: Pick<SourceFile, 'key' | 'kind' | 'agentId'>,
    lines: readonly string[],
    pieces: readonly number[] = [],
  ): DecoderState {
    const context: FileContext = {
      nativeId: this.nativeId,
      key: file.key,
      kind: file.kind === 'document' ? 'document' : 'log',
      agentId: file.agentId,
    };
    return this.readOn(context, reader.start(context), lines, pieces);
  }

  /** Goes on from a state, which passes through JSON whenever the file is quiet. */
  readOn(
    context: FileContext,
    from: DecoderState,
    lines: readonly string[],
    pieces: readonly number[] = [],
  ): DecoderState {
    const given = this.given(context);
    let state = from;
    for (const [index, line] of lines.entries()) {
      if (pieces.includes(index)) state = this.#settle(state, given);
      this.decode(line, state, given);
    }
    return this.#settle(state, given);
  }

  /** Decodes one line. */
  decode(line: string, state: DecoderState, given: Given): void {
    const opaque = reader.opaque.some((prefix) => line.startsWith(prefix));
    const disposition = opaque ? 'state' : reader.decode(JSON.parse(line), state, given);
    this.records.set(disposition, (this.records.get(disposition) ?? 0) + 1);
  }

  /** What a decoder is handed for a file of this session. */
  given(file: FileContext): Given {
    return {
      file,
      fallbackTime: '2026-01-01T00:00:00.000Z',
      sink: {
        message: (message) => this.#take(message),
        usage: () => undefined,
        copied: (id) => void (this.copied = id),
        live: (op) => this.ops.push(op),
        fact: (facts) => {
          this.facts = mergeFacts(this.facts, facts);
        },
        key: (key, id) => this.keys.set(key, id),
        loss: (name) => this.losses.set(name, (this.losses.get(name) ?? 0) + 1),
      },
      lookup: {
        id: (key) => this.keys.get(key),
        has: (id) => this.messages.has(id),
        message: (id) => this.messages.get(id),
      },
    };
  }

  /** The live view's messages in order, each in its newest form. */
  live(): Message[] {
    const newest = new Map<string, Message>();
    for (const message of this.messages.values()) newest.set(baseId(message), message);
    const links = new Map([...this.messages].map(([id, message]) => [id, linkOf(message)]));
    return liveIds(links, this.ops).flatMap((id) => newest.get(id) ?? []);
  }

  #take(message: Message): void {
    const earlier = this.messages.get(message.msg_id);
    if (earlier === undefined) this.messages.set(message.msg_id, message);
    else if (contentHash(earlier) !== contentHash(message)) {
      const id = revisionId(message.msg_id, message);
      this.messages.set(id, { ...message, msg_id: id, metadata: { ...message.metadata, revises: message.msg_id } });
    }
  }

  #settle(state: DecoderState, given: Given): DecoderState {
    reader.settle(state, given);
    // The state is stored between reads.
    return JSON.parse(JSON.stringify(state)) as DecoderState;
  }
}

/** Rows made by hand, each named by one word; times are seven seconds apart. */
export class Script {
  /** The file so far. */
  readonly lines: string[] = [];
  readonly #spell: (name: string) => string;
  #now = Date.parse('2026-11-20T10:00:00.000Z');

  constructor(spell = (name: string): string => `row-${name}`) {
    this.#spell = spell;
  }

  /** The native id of a named row. */
  id(name: string): string {
    return this.#spell(name);
  }

  /** The names of messages in order. */
  names(messages: readonly Message[]): string {
    return messages.map((message) => message.msg_id.replace('row-', '')).join(' ');
  }

  row(fields: object, name: string, above?: string, afterMs = 7000): this {
    this.lines.push(this.#row(fields, name, above, afterMs));
    return this;
  }

  prompt(name: string, above?: string, fields: object = {}, afterMs = 7000): this {
    return this.row(
      { type: 'user', message: { role: 'user', content: `prompt ${name}` }, ...fields },
      name,
      above,
      afterMs,
    );
  }

  answer(name: string, above: string): this {
    return this.row(
      {
        type: 'assistant',
        message: { id: `msg-${name}`, role: 'assistant', content: [{ type: 'text', text: `answer ${name}` }] },
      },
      name,
      above,
    );
  }

  call(name: string, above: string, call: string, response = `msg-${name}`): this {
    const content = [{ type: 'tool_use', id: call, name: 'Bash', input: {} }];
    return this.row({ type: 'assistant', message: { id: response, role: 'assistant', content } }, name, above);
  }

  result(name: string, above: string, call: string): this {
    this.lines.push(this.resultRow(name, above, call));
    return this;
  }

  resultRow(name: string, above: string, call: string, rest: readonly object[] = []): string {
    const content = [{ type: 'tool_result', tool_use_id: call, content: 'out' }, ...rest];
    return this.#row(
      { type: 'user', message: { role: 'user', content }, sourceToolAssistantUUID: this.id(above) },
      name,
      above,
      7000,
    );
  }

  /** A compaction: its boundary, and the summary that follows. */
  compact(boundary: string, summary: string, above: string, kept: readonly string[] = []): this {
    const uuids = kept.map((name) => this.id(name));
    const compactMetadata = {
      trigger: 'manual',
      ...(kept.length === 0 ? {} : { preservedMessages: { anchorUuid: this.id(summary), uuids } }),
    };
    this.row(
      { type: 'system', subtype: 'compact_boundary', logicalParentUuid: this.id(above), compactMetadata },
      boundary,
    );
    return this.prompt(summary, boundary, { isCompactSummary: true });
  }

  /** A checkpoint. */
  leaf(name: string | null, fields: object = {}): this {
    return this.side({ type: 'last-prompt', leafUuid: name === null ? null : this.id(name), ...fields });
  }

  side(record: object): this {
    return this.insert(this.lines.length, JSON.stringify(record));
  }

  insert(index: number, line: string): this {
    this.lines.splice(index, 0, line);
    return this;
  }

  read(): MemorySession {
    return this.readRaw().session;
  }

  readRaw(): { readonly session: MemorySession; readonly state: DecoderState } {
    const session = new MemorySession('00000000-0000-4000-8000-000000000000');
    const state = session.readFile({ key: 'main', kind: 'log' }, this.lines);
    return { session, state };
  }

  #row(fields: object, name: string, above: string | undefined, afterMs: number): string {
    this.#now += afterMs;
    const timestamp = new Date(this.#now).toISOString();
    return JSON.stringify({
      parentUuid: above === undefined ? null : this.id(above),
      isSidechain: false,
      uuid: this.id(name),
      timestamp,
      ...fields,
    });
  }
}
