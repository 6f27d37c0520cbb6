/** For the tests of this folder: a session in memory, read the way capture reads it. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemMachine } from '../../io/system.ts';
import type { Json } from '../../model/json.ts';
import { liveIds, linkOf } from '../../model/live.ts';
import type { LiveOp } from '../../model/live.ts';
import type { Message } from '../../model/message.ts';
import { contentHash } from '../../model/ids.ts';
import type { DecoderState, Disposition, FileContext, Given, SessionFacts, Source } from '../adapter.ts';
import { reader } from './read.ts';

/** A session being captured: what the sink was sent, by order. */
export interface Captured {
  readonly messages: Map<string, Message>;
  readonly revisions: Message[];
  readonly ops: LiveOp[];
  readonly facts: SessionFacts[];
  readonly losses: Map<string, number>;
  readonly keys: Map<string, string>;
  readonly dispositions: Disposition[];
}

/** The home of a recording. */
export function recording(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

/** The machine of the tests: real files, no environment. */
export const machine = systemMachine({ env: {}, homeDir: '/nowhere' });

/** A store with nothing in it. */
export function emptyCapture(): Captured {
  return {
    messages: new Map(),
    revisions: [],
    ops: [],
    facts: [],
    losses: new Map(),
    keys: new Map(),
    dispositions: [],
  };
}

/** What a decoder is handed for one file of a capture. */
export function givenFor(captured: Captured, file: FileContext): Given {
  return {
    file,
    fallbackTime: '2026-01-01T00:00:00.000Z',
    sink: {
      message: (message) => {
        const known = captured.messages.get(message.msg_id);
        if (known === undefined) captured.messages.set(message.msg_id, message);
        else if (contentHash(known) !== contentHash(message)) captured.revisions.push(message);
      },
      usage: () => undefined,
      copied: () => undefined,
      live: (op) => void captured.ops.push(op),
      fact: (facts) => void captured.facts.push(facts),
      key: (key, id) => void captured.keys.set(key, id),
      loss: (loss) => void captured.losses.set(loss, (captured.losses.get(loss) ?? 0) + 1),
    },
    lookup: {
      id: (key) => captured.keys.get(key),
      has: (id) => captured.messages.has(id),
      message: (id) => captured.messages.get(id),
    },
  };
}

/** Reads records into a capture. `cuts`: after how many records the reading stops, settles, and goes on from saved state. */
export function readRecords(
  captured: Captured,
  file: FileContext,
  records: readonly unknown[],
  cuts: readonly number[] = [],
  from?: DecoderState,
): DecoderState {
  const given = givenFor(captured, file);
  let state = from ?? reader.start(file);
  for (const [index, record] of records.entries()) {
    captured.dispositions.push(reader.decode(record, state, given));
    if (!cuts.includes(index + 1)) continue;
    reader.settle(state, given);
    const text = JSON.stringify(state);
    if (text.length > 64 * 1024) throw new Error(`state of ${text.length} bytes`);
    state = JSON.parse(text);
  }
  reader.settle(state, given);
  return state;
}

/** The records of a file, as capture cuts them. */
export function recordsOf(path: string, kind: 'log' | 'document'): unknown[] {
  const text = readFileSync(path, 'utf8');
  if (kind === 'document') return [JSON.parse(text)];
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): unknown => JSON.parse(line));
}

/** Reads all of a source. */
export function capture(source: Source, into: Captured = emptyCapture()): Captured {
  if (source.facts !== undefined) into.facts.push(source.facts);
  for (const file of source.files) {
    if (file.kind === 'attachment') continue;
    readRecords(
      into,
      {
        nativeId: source.nativeId,
        key: file.key,
        kind: file.kind === 'document' ? 'document' : 'log',
        agentId: file.agentId,
      },
      recordsOf(file.path, file.kind === 'document' ? 'document' : 'log'),
    );
  }
  return into;
}

/** The live view, folded. */
export function liveView(captured: Captured): Message[] {
  const links = new Map([...captured.messages].map(([id, message]) => [id, linkOf(message)] as const));
  return liveIds(links, captured.ops)
    .map((id) => captured.messages.get(id))
    .filter((message) => message !== undefined);
}

/** A message in one line: `role:` and its blocks, shortened; `*` marks what the tool injected. */
export function brief(message: Message): string {
  const blocks = message.content.map((block): string => {
    switch (block.type) {
      case 'text':
      case 'thinking':
      case 'summary':
        return `${block.type === 'text' ? '' : `${block.type} `}${String(block.text).slice(0, 60).replaceAll('\n', ' ')}`;
      case 'tool_use':
        return `call ${String(block.name)}`;
      case 'tool_result':
        return `${block.is_error === true ? 'error' : 'result'} ${String(block.content).slice(0, 40).replaceAll('\n', ' ')}`;
      default:
        return block.type;
    }
  });
  return `${message.role}${message.is_meta === true ? '*' : ''}: ${blocks.join(' | ')}`;
}

/** Plain JSON of anything JSON-like. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}
