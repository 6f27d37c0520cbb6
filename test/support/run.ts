/** Decodes one file without a store. */

import type {
  Adapter,
  DecoderState,
  Disposition,
  Given,
  Losses,
  SessionFacts,
  SourceFile,
} from '../../src/adapters/adapter.ts';
import type { Counts, Decoding } from '../../src/capture/decode-line.ts';
import { mergeFacts } from '../../src/model/facts.ts';
import type { LiveOp } from '../../src/model/live.ts';
import { liveIds, linkOf } from '../../src/model/live.ts';
import type { Message } from '../../src/model/message.ts';
import type { ResponseUsage } from '../../src/model/tally.ts';

/** Decoding one file, with a memory like the store's. */
export class Run {
  readonly messages = new Map<string, Message>();
  readonly ops: LiveOp[] = [];
  readonly stated: ResponseUsage[] = [];
  readonly losses: Losses = new Map();
  facts: SessionFacts = {};
  readonly #keys: Map<string, string>;
  readonly #others: ReadonlyMap<string, Message>;
  readonly #adapter: Adapter;
  state: DecoderState;
  readonly #given: Given;

  constructor(
    adapter: Adapter,
    nativeId: string,
    file: SourceFile,
    keys = new Map<string, string>(),
    others: ReadonlyMap<string, Message> = new Map(),
  ) {
    this.#adapter = adapter;
    this.#keys = keys;
    this.#others = others;
    const context = {
      nativeId,
      key: file.key,
      kind: file.kind === 'document' ? 'document' : 'log',
      agentId: file.agentId,
    } as const;
    this.state = adapter.reader.start(context);
    this.#given = {
      file: context,
      fallbackTime: '2026-01-01T00:00:00.000Z',
      sink: {
        // The newest form counts, as revisions do.
        message: (message) => void this.messages.set(message.msg_id, message),
        usage: (stated) => void this.stated.push(stated),
        live: (op) => void this.ops.push(op),
        fact: (facts) => void (this.facts = mergeFacts(this.facts, facts)),
        key: (key, id) => void this.#keys.set(key, id),
        copied: () => undefined,
        loss: (name) => void this.losses.set(name, (this.losses.get(name) ?? 0) + 1),
      },
      lookup: {
        id: (key) => this.#keys.get(key),
        has: (id) => this.messages.has(id) || this.#others.has(id),
        message: (id) => this.messages.get(id) ?? this.#others.get(id),
      },
    };
  }

  /** What decoding lines of bytes needs; `counts` is told what each was. */
  decoding(counts: Counts): Decoding {
    return { adapter: this.#adapter, state: this.state, given: this.#given, counts };
  }

  decode(record: unknown): Disposition {
    return this.#adapter.reader.decode(record, this.state, this.#given);
  }

  settle(): void {
    this.#adapter.reader.settle(this.state, this.#given);
  }

  /** Ends a piece as capture does: settled, the state through JSON. */
  pause(): void {
    this.settle();
    this.state = JSON.parse(JSON.stringify(this.state)) as DecoderState;
  }

  /** The ids of the live view as the file tells it. */
  liveIds(): string[] {
    return liveIds(new Map([...this.messages].map(([id, message]) => [id, linkOf(message)])), this.ops);
  }

  /** The messages of the live view, in order. */
  live(): Message[] {
    return this.liveIds().flatMap((id) => this.messages.get(id) ?? []);
  }
}
