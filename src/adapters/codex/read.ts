/** Reads Codex rollouts: which line is what, and what a session is besides its messages. */

import type { DecoderState, Disposition, FileContext, Given, Reader, SessionFacts } from '../adapter.ts';
import { countAt, objectAt, stringAt } from '../../model/json.ts';
import { decodeCompacted } from './compaction.ts';
import { discover, fileOf, sourceAt } from './discover.ts';
import { decodeEvent } from './events.ts';
import { leafKey, tellFacts } from './facts.ts';
import { decodeItem } from './items.ts';
import { baseOf, lineOf } from './native.ts';
import { timeOf } from '../shared/time.ts';
import { asDecoderState, flush, startState, stateOf } from './state.ts';
import type { Scene } from './state.ts';
import { decodeUsageRecord } from './usage.ts';

/** How Codex sessions are found and decoded. */
export const reader: Reader = {
  discover,
  sourceAt,
  fileOf,
  // A line begins with its time, so no prefix tells what it is.
  opaque: [],
  start: (file: FileContext) => asDecoderState(startState(file)),
  decode,
  settle,
};

function decode(record: unknown, decoderState: DecoderState, given: Given): Disposition {
  const state = stateOf(decoderState);
  const line = lineOf(record);
  if (line === undefined) {
    given.sink.loss('unknown:line');
    return 'unknown';
  }
  if (timeOf(line.timestamp) !== undefined) state.time = line.timestamp ?? null;
  if (line.ordinal !== undefined) {
    state.ordinal = line.ordinal;
    if (line.ordinal < state.skipBelow) return 'duplicate';
  }
  const kind = Object.hasOwn(kinds, line.type) ? kinds[line.type as keyof typeof kinds] : undefined;
  if (kind === undefined) {
    given.sink.loss(`unknown:${line.type}`);
    return 'unknown';
  }
  try {
    return kind({ line, state, given });
  } catch (cause) {
    // JSON nested so deeply that walking it ends the stack: nothing else here can fail on a value.
    if (!(cause instanceof RangeError)) throw cause;
    given.sink.loss('too-deep');
    return 'unknown';
  }
}

type Decode = (scene: Scene) => Disposition;

const bookkeeping: Decode = () => 'state';

const kinds = {
  session_meta: decodeHeader,
  response_item: decodeItem,
  event_msg: decodeEvent,
  turn_context: decodeTurnContext,
  token_usage_record: decodeUsageRecord,
  compacted: decodeCompacted,
  // What Codex compares later context with, and notes between agents whose words are response items.
  world_state: bookkeeping,
  inter_agent_communication: bookkeeping,
  inter_agent_communication_metadata: bookkeeping,
  retained_context: bookkeeping,
  dynamic_tools_updated: bookkeeping,
  security_risk_score: bookkeeping,
  realtime_item: decodeRealtime,
  state: bookkeeping,
} as const satisfies Record<string, Decode>;

/**
 * The header. Only the first counts: a second one is the parent's, in a prefix that was copied.
 *
 *     {"type":"session_meta","payload":{"session_id":"01a2…","id":"01a2…","timestamp":"…","cwd":"/w","originator":"codex-tui",
 *      "cli_version":"0.169.0","source":"cli","model_provider":"openai","history_mode":"paginated","git":{…}}}
 */
function decodeHeader(scene: Scene): Disposition {
  const { state, given, line } = scene;
  const meta = line.payload;
  if (state.headed) {
    if (state.skipBelow === 0) state.copyOf = stringAt(meta, 'id') ?? null;
    return 'duplicate';
  }
  state.headed = true;
  state.madeAt = Date.parse(timeOf(stringAt(meta, 'timestamp')) ?? '') || 0;
  const threadId = stringAt(meta, 'id');
  const { nativeId, agentId, key } = given.file;
  state.inherited = agentId === undefined && threadId !== undefined && threadId !== nativeId;
  state.skipBelow = countAt(meta, 'subagent_history_start_ordinal') ?? 0;
  state.modelProvider = stringAt(meta, 'model_provider') ?? null;
  state.cwd = stringAt(meta, 'cwd') ?? null;
  const base = baseOf(objectAt(meta, 'history_base'));
  if (base !== undefined) {
    state.leaf = leafBefore(given, base.rolloutId, base.endOrdinal);
    // The same thread in another file: a person went back (0.148 and later).
    if (agentId === undefined && !state.inherited && key !== nativeId) {
      given.sink.live({ op: 'rewind', id: state.leaf });
      state.told = state.leaf;
    }
  }
  tellFacts(scene, headerFacts(meta, state.leaf));
  return 'fact';
}

/** How far back a cut may lie behind the last mark; turns without one are shorter by far. */
const cutLimit = 20_000;

/** The leaf before a line of another file: the nearest mark at or before it. */
function leafBefore(given: Given, rolloutId: string, ordinal: number): string | null {
  for (let at = ordinal; at >= Math.max(0, ordinal - cutLimit); at -= 1) {
    const leaf = given.lookup.id(leafKey(rolloutId, at));
    if (leaf !== undefined) return leaf;
  }
  return null;
}

function headerFacts(meta: Record<string, unknown>, shared: string | null): SessionFacts {
  const source = meta['source'];
  const version = stringAt(meta, 'cli_version');
  const cwd = stringAt(meta, 'cwd');
  const created = timeOf(stringAt(meta, 'timestamp'));
  const forkedFrom = stringAt(meta, 'forked_from_id');
  const git = objectAt(meta, 'git');
  return {
    ...(version === undefined ? {} : { toolVersion: version }),
    ...(typeof source === 'string' ? { interface: source } : {}),
    ...(cwd === undefined ? {} : { cwd }),
    ...(created === undefined ? {} : { createdAt: created }),
    ...(git === undefined
      ? {}
      : {
          git: {
            commit_sha: stringAt(git, 'commit_hash') ?? null,
            branch: stringAt(git, 'branch') ?? null,
            remote_url: stringAt(git, 'repository_url') ?? null,
          },
        }),
    ...(forkedFrom === undefined
      ? {}
      : { parent: { nativeId: forkedFrom, ...(shared === null ? {} : { msg: shared }) } }),
  };
}

/**
 * What a turn runs with. Only Codex itself writes it, so from here on tokens will be stated.
 *
 *     {"type":"turn_context","payload":{"turn_id":"01a2…","cwd":"/w","model":"gpt-5.5","effort":"medium","summary":"none",…}}
 */
function decodeTurnContext(scene: Scene): Disposition {
  const { state, line } = scene;
  state.model = stringAt(line.payload, 'model') ?? state.model;
  const turn = stringAt(line.payload, 'turn_id');
  if (turn !== undefined) state.turn = turn;
  const cwd = stringAt(line.payload, 'cwd');
  if (cwd !== undefined && cwd !== state.cwd) {
    state.cwd = cwd;
    tellFacts(scene, { cwd });
  }
  const effort = stringAt(line.payload, 'effort');
  if (effort !== undefined && effort !== state.effort) {
    state.effort = effort;
    if (effort === 'low' || effort === 'medium' || effort === 'high') tellFacts(scene, { reasoningEffort: effort });
  }
  return 'fact';
}

/** Spoken conversation (in the program since 0.169, never seen in a file): kept in the native file only. */
function decodeRealtime(scene: Scene): Disposition {
  scene.given.sink.loss('realtime-item');
  return 'state';
}

/** Nothing is told of a response whose tokens are to come (see `respond`); the leaf is the last message told. */
function settle(decoderState: DecoderState, given: Given): void {
  const state = stateOf(decoderState);
  flush({ state, given });
  if (given.file.agentId !== undefined) return;
  const { leaf } = state;
  if (state.inherited) {
    // What a fork goes on from ends here.
    if (leaf !== null && state.ordinal !== null) given.sink.key(leafKey(given.file.key, state.ordinal + 1), leaf);
    return;
  }
  if (leaf === state.told || (leaf === null && state.told === false)) return;
  given.sink.live({ op: 'leaf', id: leaf });
  state.told = leaf;
}
