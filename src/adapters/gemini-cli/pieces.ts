/** Native messages as pieces: what each says, how it is recognised when the CLI says it again, and the message it becomes. */

import type { Block } from '../../model/block.ts';
import { contentId } from '../../model/ids.ts';
import type { MessageMetadata, Role } from '../../model/message.ts';
import { answerData, answerDigest, thinkingOf, tidyAnswer, usageOf } from './content.ts';
import { textOfParts } from './native.ts';
import type { NativeMessage, NativePart } from './native.ts';
import { find, name, send, sendAside, timeAt } from './timeline.ts';
import type { Draft, Run } from './timeline.ts';
import { spokenOf, userDigest } from './user-content.ts';
import type { UserContent } from './user-content.ts';

/** Something said that takes part in the chain of ids. */
export interface Piece {
  readonly role: Role;
  readonly digest: string;
  /** A compaction's summary. */
  readonly isSummary: boolean;
  /** It stands for something else that was said. */
  readonly isLiveOnly?: boolean;
  /** Is the message that stands at this piece's place in the chain this piece? Absent: always. */
  isHere?(id: string): boolean;
  /** Ids of the messages that say this already, wherever they stand; empty when nobody said it. */
  known(): readonly string[];
  /** Says it as message `id` after `parent`; gives the message the next one hangs on. */
  say(id: string, parent: string | null, liveOnly: boolean): string;
  /** Lets the native ids stand for message `id`. */
  recognise(id: string): void;
}

/** User parts that are no results, as one piece; `undefined` when blank. `native`: the key of this stretch. */
export function spokenPiece(
  run: Run,
  message: NativeMessage,
  items: readonly NativePart[],
  native: string,
  hooks: readonly string[],
): Piece | undefined {
  const spoken = spokenOf(items, message.display);
  if (spoken === undefined) return undefined;
  const digest = userDigest(items);
  const role: Role = spoken.kind === 'context' ? 'developer' : 'user';
  return {
    role,
    digest,
    isSummary: spoken.kind === 'summary',
    known: () => {
      const same = find(run, `k:${digest}`);
      return same === undefined ? [] : [find(run, `n:${native}`) ?? same];
    },
    say: (id, parent, liveOnly) => {
      const timestamp = timeAt(run, message.timestamp);
      const isMeta = liveOnly || spoken.kind !== 'prompt';
      send(run, id, parent, { role, content: spoken.content, timestamp, isMeta, ...only(liveOnly) });
      name(run, `k:${digest}`, id);
      name(run, `n:${native}`, id);
      return sayAsides(run, id, timestamp, spoken.expansion, hooks);
    },
    recognise: (id) => {
      if (find(run, `n:${native}`) === undefined) name(run, `n:${native}`, id);
    },
  };
}

/** What was sent beside a prompt: the files it pointed to, which reach the model on resume, and what hooks added. */
function sayAsides(
  run: Run,
  id: string,
  timestamp: string,
  expansion: string | undefined,
  hooks: readonly string[],
): string {
  let last = id;
  const add = (draft: Omit<Draft, 'timestamp' | 'isMeta'>): void => {
    const aside = contentId(id, draft.role, draft.content);
    send(run, aside, last, { ...draft, timestamp, isMeta: true });
    last = aside;
  };
  if (expansion !== undefined)
    add({ role: 'user', content: [{ type: 'text', text: expansion }], metadata: { live_only: true, expands: id } });
  const context = hooks.filter((text) => text.trim() !== '');
  if (context.length > 0)
    add({
      role: 'developer',
      content: context.map((text): Block => ({ type: 'text', text })),
      metadata: { hook: true },
    });
  if (last !== id) name(run, `t:${id}`, last);
  return last;
}

/** The text of an answer as a piece; `undefined` when it has none. Thinking that came with it is in the same message. */
export function answerPiece(run: Run, message: NativeMessage): Piece | undefined {
  const recorded = textOfParts(message.parts);
  const text = tidyAnswer(recorded);
  const data = answerData(message);
  if (text === '' && data.length === 0) return undefined;
  const digest = answerDigest(data.length === 0 ? text : `${text}\u0001${data.length}`);
  return {
    role: 'assistant',
    digest,
    isSummary: false,
    known: () => {
      const same = find(run, `k:${digest}`);
      return same === undefined ? [] : [find(run, `n:${message.id}`) ?? same];
    },
    say: (id, parent, liveOnly) => {
      const said: Block[] = text === '' ? [] : [{ type: 'text', text: recorded }];
      const content: Block[] = [...thinkingOf(message), ...said, ...data];
      send(run, id, parent, answerDraft(run, message, content, true, liveOnly));
      name(run, `k:${digest}`, id);
      name(run, `n:${message.id}`, id);
      return id;
    },
    recognise: (id) => {
      if (find(run, `n:${message.id}`) === undefined) name(run, `n:${message.id}`, id);
    },
  };
}

/** Thinking that no text goes with, as a message outside the chain. Nothing when there is none. */
export function sayThinking(run: Run, message: NativeMessage): boolean {
  const content = thinkingOf(message);
  if (content.length === 0) return false;
  sendAside(run, contentId(run.state.chain, 'assistant', content), answerDraft(run, message, content, true, false));
  return true;
}

/** An answer, or a part of one. */
export function answerDraft(
  run: Run,
  message: NativeMessage,
  content: readonly Block[],
  withUsage: boolean,
  liveOnly: boolean,
): Draft {
  return {
    role: 'assistant',
    content,
    timestamp: timeAt(run, message.timestamp),
    model: message.model,
    usage: withUsage ? usageOf(message.tokens) : undefined,
    isMeta: liveOnly,
    metadata: { response_id: run.state.response ?? message.id, ...(liveOnly ? { live_only: true } : {}) },
  };
}

/** Tells of the first session context where the session ran: `- **Workspace Directories:**\n  - /home/me/project`. */
export function tellContext(run: Run, content: UserContent): void {
  if (content.session === undefined || run.state.hasCwd) return;
  const found = /\*\*Workspace Directories:\*\*\s*\n\s*- ([^\n]+)/.exec(content.session.slice(0, 20_000))?.[1];
  if (found === undefined || !/^(\/|[A-Za-z]:[\\/])/.test(found)) return;
  run.state.hasCwd = true;
  if (run.scope === '') run.given.sink.fact({ cwd: found });
}

function only(liveOnly: boolean): { readonly metadata?: MessageMetadata } {
  return liveOnly ? { metadata: { live_only: true } } : {};
}
