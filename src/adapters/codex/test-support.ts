/** Recordings read into memory the way capture reads them, for this folder's tests. */

import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import type { DecoderState, Disposition, FileContext, Given, SessionFacts, Source } from '../adapter.ts';
import type { Machine } from '../../io/machine.ts';
import { systemMachine } from '../../io/system.ts';
import { mergeFacts } from '../../model/facts.ts';
import type { LiveOp } from '../../model/live.ts';
import { linkOf, liveIds } from '../../model/live.ts';
import type { Message } from '../../model/message.ts';
import { count, countResponse, emptyTally } from '../../model/tally.ts';
import { packedEnd } from './native.ts';
import { reader } from './read.ts';

/** A machine on which nothing of this one's environment is set. */
export function bareMachine(env: { readonly [name: string]: string } = {}): Machine {
  return systemMachine({ env, homeDir: '/nowhere' });
}

/** The folder of a recording: a Codex home. */
export function recording(name: string): string {
  return join(import.meta.dirname, 'fixtures', name);
}

/** A copy of a recording that is removed after the test. */
export function scratchHome(t: Pick<TestContext, 'after'>, name: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'codex-home-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(recording(name), folder, { recursive: true });
  return folder;
}

/** Makes the state database of a home from its dump. */
export function buildDatabase(home: string): void {
  const dump = readFileSync(join(home, 'state_5.sqlite.sql'), 'utf8');
  const database = new DatabaseSync(join(home, 'state_5.sqlite'));
  database.exec(dump.replaceAll(/^.*sqlite_sequence.*$/gm, ''));
  database.close();
}

/** The lines of a file, or of its first bytes. */
export function linesOf(path: string, bytes?: number): string[] {
  const stored = readFileSync(path);
  return (path.endsWith(packedEnd) ? zstdDecompressSync(stored) : stored)
    .subarray(0, bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** One session in memory. */
export class Session {
  readonly nativeId: string;
  readonly messages = new Map<string, Message>();
  readonly ops: LiveOp[] = [];
  readonly keys = new Map<string, string>();
  readonly losses: Record<string, number> = {};
  readonly records: Partial<Record<Disposition, number>> = {};
  readonly tally = emptyTally();
  /** The last message its tool copied from the session it goes on from. */
  copied: string | undefined;
  facts: SessionFacts = {};

  constructor(nativeId: string) {
    this.nativeId = nativeId;
  }

  /** A source as capture reads it: file after file. */
  static of(source: Source): Session {
    const session = new Session(source.nativeId);
    for (const file of source.files) {
      session.read(linesOf(file.path, file.inherited?.bytes), file.key, { agentId: file.agentId });
    }
    return session;
  }

  /** Lines of one file, given in pieces: between two the source is quiet and the state goes through JSON. */
  read(
    lines: readonly string[],
    key = this.nativeId,
    options: { agentId?: string | undefined; cuts?: readonly number[]; state?: DecoderState } = {},
  ): DecoderState {
    const file: FileContext = { nativeId: this.nativeId, key, kind: 'log', agentId: options.agentId };
    const given = this.#given(file);
    let state = options.state ?? reader.start(file);
    const pause = (): void => {
      reader.settle(state, given);
      state = JSON.parse(JSON.stringify(state)) as DecoderState;
    };
    for (const [index, line] of lines.entries()) {
      if (options.cuts?.includes(index) === true) pause();
      this.decode(JSON.parse(line), state, given);
    }
    pause();
    return state;
  }

  /** Decodes one record. */
  decode(record: unknown, state: DecoderState, given: Given): void {
    const disposition = reader.decode(record, state, given);
    this.records[disposition] = (this.records[disposition] ?? 0) + 1;
  }

  /** The live view. */
  get live(): Message[] {
    const links = new Map([...this.messages].map(([id, message]) => [id, linkOf(message)]));
    return liveIds(links, this.ops).flatMap((id) => this.messages.get(id) ?? []);
  }

  #given(file: FileContext): Given {
    return {
      file,
      fallbackTime: '2026-01-01T00:00:00.000Z',
      lookup: {
        id: (key) => this.keys.get(key),
        has: (id) => this.messages.has(id),
        message: (id) => this.messages.get(id),
      },
      sink: {
        message: (message) => {
          const known = this.messages.has(message.msg_id);
          this.messages.set(message.msg_id, message);
          if (!known) count(this.tally, message);
        },
        usage: (stated) => countResponse(this.tally, stated),
        copied: (id) => void (this.copied = id),
        live: (op) => void this.ops.push(op),
        fact: (facts) => {
          this.facts = mergeFacts(this.facts, facts);
        },
        key: (key, id) => void this.keys.set(key, id),
        loss: (name) => {
          this.losses[name] = (this.losses[name] ?? 0) + 1;
        },
      },
    };
  }
}

/** The sessions of a home by the end of their native id (after the last `-`). */
export function sessionsOf(home: string): Map<string, Session> {
  const sources = [...reader.discover(bareMachine(), home, (path, why) => problems.push(`${path}: ${why}`))];
  return new Map(sources.map((source) => [source.nativeId.slice(-12), Session.of(source)]));
}

/** What discovery complained of. */
export const problems: string[] = [];

/** A message on one line: who, and what. */
export function brief(message: Message): string {
  const parts = message.content.map((block) => {
    if (block.type === 'text' || block.type === 'summary' || block.type === 'thinking') {
      return `${block.type === 'text' ? '' : `${block.type} `}${String('text' in block ? block.text : '').slice(0, 40)}`;
    }
    if (block.type === 'tool_use') return `call ${String('name' in block ? block.name : '')}`;
    if (block.type === 'tool_result')
      return `result ${'is_error' in block && block.is_error === true ? 'failed ' : ''}${String('exit_code' in block ? block.exit_code : '')}`.trim();
    return block.type;
  });
  return `${message.role}${message.is_meta === true ? ' (meta)' : ''}: ${parts.join(' + ')}`;
}
