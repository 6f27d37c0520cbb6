/** Calls and results as pieces, and what they tell of files and sub-agents. */

import type { Block, ToolUseBlock } from '../../model/block.ts';
import type { SessionFacts } from '../adapter.ts';
import { callResult, callsDigest, exitCodeOf, inputOf, resultDigest } from './content.ts';
import type { ResultContent } from './content.ts';
import type { NativeCall, NativeMessage } from './native.ts';
import { answerDraft } from './pieces.ts';
import type { Piece } from './pieces.ts';
import { expectResult, find, name, send, timeAt } from './timeline.ts';
import type { Draft, Run } from './timeline.ts';

/**
 * A result as a piece. `inCheckpoint`: there the CLI may have put another text in its place (cut or masked), which its
 * length tells.
 */
export function resultPiece(
  run: Run,
  id: string,
  result: ResultContent,
  timestamp: string | undefined,
  inCheckpoint: boolean,
): Piece {
  const plainKey = `r:${id}`;
  const key = `r:${id}:${result.text.length}`;
  const same = inCheckpoint ? find(run, key) : undefined;
  const isOther = inCheckpoint && same === undefined && find(run, plainKey) !== undefined;
  return {
    role: 'tool',
    digest: resultDigest(id, isOther ? result.text : undefined),
    isSummary: false,
    isLiveOnly: isOther,
    isHere: (msg) => !inCheckpoint || msg === same,
    known: () => {
      const found = find(run, key) ?? (inCheckpoint ? undefined : find(run, plainKey));
      return found === undefined ? [] : [found];
    },
    say: (msg, parent, liveOnly) => {
      send(run, msg, parent, {
        ...resultDraft(id, result, timeAt(run, timestamp)),
        ...(liveOnly ? { isMeta: true, metadata: { live_only: true } } : {}),
      });
      if (!liveOnly) name(run, plainKey, msg);
      name(run, key, msg);
      return msg;
    },
    recognise: () => undefined,
  };
}

function resultDraft(id: string, result: ResultContent, timestamp: string): Draft {
  const exitCode = exitCodeOf(result.name, result.text);
  const block: Block = {
    type: 'tool_result',
    tool_use_id: id,
    content: result.text,
    ...(result.isError ? { is_error: true } : {}),
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
  };
  const images: Record<string, string> = {};
  for (const [index, item] of result.data.entries()) if (item.type === 'image') images[String(index + 1)] = id;
  return {
    role: 'tool',
    content: [block, ...result.data],
    timestamp,
    ...(Object.keys(images).length === 0 ? {} : { metadata: { result_images: images } }),
  };
}

/** One call of an answer, with what the CLI recorded about it. */
export interface CallContent {
  readonly block: ToolUseBlock;
  readonly unnamed: boolean;
  readonly native: NativeCall | undefined;
  readonly result: ResultContent | undefined;
}

/** The calls of an answer: those in its content, then those only shown. A call `shown-<id>` is the display of call `<id>`. */
export function callsOf(run: Run, message: NativeMessage): readonly CallContent[] {
  const calls = new Map<string, CallContent>();
  const shown = new Map(message.calls.flatMap((call) => (call.id === undefined ? [] : [[call.id, call] as const])));
  const add = (given: string | undefined, called: string, args: unknown, native: NativeCall | undefined): void => {
    const id = given ?? `${message.id}#${calls.size}`;
    if (calls.has(id)) return;
    const input = inputOf(args);
    if (input === undefined) run.given.sink.loss('input-nested-too-deep');
    calls.set(id, {
      block: { type: 'tool_use', tool_use_id: id, name: called, input: input ?? {} },
      unnamed: given === undefined,
      native,
      result: native === undefined ? undefined : callResult(native, native.id ?? id),
    });
  };
  for (const part of message.parts) {
    if (part.kind === 'call')
      add(
        part.id,
        part.name,
        part.args,
        part.id === undefined ? undefined : (shown.get(part.id) ?? shown.get(`shown-${part.id}`)),
      );
  }
  const inContent = calls.size > 0;
  for (const call of message.calls) {
    if (inContent && call.id?.startsWith('shown-') === true && calls.has(call.id.slice('shown-'.length))) continue;
    add(call.id, call.name, call.args, call);
  }
  return [...calls.values()];
}

/** Calls made at once as a piece. */
export function callsPiece(run: Run, message: NativeMessage, calls: readonly CallContent[], withUsage: boolean): Piece {
  const digest = callsDigest(calls.map((call) => call.block));
  return {
    role: 'assistant',
    digest,
    isSummary: false,
    known: () => {
      const ids = calls.map((call) => find(run, `c:${call.block.tool_use_id}`));
      return ids.every((id) => id !== undefined) ? [...new Set(ids)] : [];
    },
    say: (id, parent, liveOnly) => {
      send(
        run,
        id,
        parent,
        answerDraft(
          run,
          message,
          calls.map((call) => call.block),
          withUsage,
          liveOnly,
        ),
      );
      if (find(run, `n:${message.id}`) === undefined) name(run, `n:${message.id}`, id);
      for (const call of calls) {
        const callId = call.block.tool_use_id;
        name(run, `c:${callId}`, id);
        expectResult(run.state, { id: callId, name: call.block.name, unnamed: call.unnamed });
        tellFacts(run, call);
      }
      return id;
    },
    recognise: (id) => {
      if (find(run, `n:${message.id}`) === undefined) name(run, `n:${message.id}`, id);
    },
  };
}

/** The id a result answers to: its own, or where the CLI gave none that of the oldest open call of the same name. */
export function resultId(run: Run, message: NativeMessage, result: ResultContent, index: number): string {
  if (result.id !== undefined) return result.id;
  return (
    run.state.waiting.find((call) => call.unnamed && call.name === result.name.slice(0, 64))?.id ??
    `${message.id}#${index}`
  );
}

const fileRoles: Readonly<Record<string, 'read' | 'edited' | 'written'>> = {
  read_file: 'read',
  replace: 'edited',
  write_file: 'written',
};

function tellFacts(run: Run, call: CallContent): void {
  const agentId = call.native?.agentId;
  const fact: { -readonly [field in keyof SessionFacts]: SessionFacts[field] } = {};
  if (agentId !== undefined && agentId !== '') fact.agentCalls = { [agentId]: call.block.tool_use_id };
  const role = fileRoles[call.block.name];
  const path = call.block.input['file_path'] ?? call.block.input['absolute_path'];
  if (role !== undefined && typeof path === 'string' && path !== '' && call.native?.status === 'success') {
    const display = call.native.resultDisplay;
    const isNew =
      typeof display === 'object' && display !== null && 'isNewFile' in display && display.isNewFile === true;
    fact.files = [{ path, role: isNew ? 'created' : role }];
  }
  if (Object.keys(fact).length > 0) run.given.sink.fact(fact);
}
