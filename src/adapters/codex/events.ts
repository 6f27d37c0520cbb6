/** `event_msg`: what a person saw. Most of it says again what a response item says; some of it stands here alone. */

import type { Disposition } from '../adapter.ts';
import { countAt, objectAt, stringAt } from '../../model/json.ts';
import { decodeDisplay } from './display-items.ts';
import { leafKey, linkAgent, pathOf, tellChanges, tellFacts } from './facts.ts';
import { isImportedTurn } from './imports.ts';
import { promptKey } from './messages.ts';
import { closeResponse, interrupt, sayAside, startTurn } from './state.ts';
import type { Scene } from './state.ts';
import { decodeTokenCount } from './usage.ts';

/** Decodes one event (the payload's own `type` says which). */
export function decodeEvent(scene: Scene): Disposition {
  const type = stringAt(scene.line.payload, 'type') ?? 'none';
  const decode = Object.hasOwn(events, type) ? events[type as keyof typeof events] : undefined;
  if (decode !== undefined) return decode(scene);
  if (transient.has(type)) return 'state';
  scene.given.sink.loss(`unknown:event_msg/${type}`);
  return 'unknown';
}

type Decode = (scene: Scene) => Disposition;

const again: Decode = () => 'duplicate';
const bookkeeping: Decode = () => 'state';

const events = {
  task_started: decodeTurnStart,
  turn_started: decodeTurnStart,
  task_complete: decodeTurnEnd,
  turn_complete: decodeTurnEnd,
  turn_aborted: decodeTurnEnd,
  token_count: decodeTokenCount,
  item_completed: decodeDisplay,
  thread_rolled_back: decodeRollback,
  thread_name_updated: decodeName,
  patch_apply_end: decodePatch,
  view_image_tool_call: decodeViewImage,
  sub_agent_activity: decodeSubAgent,
  collab_agent_spawn_end: decodeSpawn,
  // Said by response items too (legacy files).
  user_message: again,
  agent_message: again,
  agent_reasoning: again,
  agent_reasoning_raw_content: again,
  agent_reasoning_section_break: again,
  exec_command_end: again,
  mcp_tool_call_end: again,
  dynamic_tool_call_request: again,
  dynamic_tool_call_response: again,
  web_search_end: again,
  image_generation_end: again,
  plan_update: again,
  context_compacted: again,
  turn_diff: again,
  // Codex's own affairs.
  thread_settings_applied: bookkeeping,
  entered_review_mode: bookkeeping,
  exited_review_mode: bookkeeping,
  thread_goal_updated: bookkeeping,
  session_configured: bookkeeping,
  error: decodeError,
  warning: bookkeeping,
  stream_error: bookkeeping,
} as const satisfies Record<string, Decode>;

/** Kinds that the program knows (0.169) and does not keep in files; should one stand there, it says nothing of its own. */
const transient: ReadonlySet<string> = new Set(
  `auth_recovery_started auth_recovery_completed guardian_warning guardian_assessment model_reroute model_verification
  turn_moderation_metadata safety_buffering environment_connected environment_disconnected thread_queue_changed
  mcp_startup_update mcp_startup_complete mcp_tool_call_begin web_search_begin image_generation_begin exec_command_begin
  exec_command_output_delta terminal_interaction exec_approval_request request_permissions request_user_input
  elicitation_request elicitation_abandoned apply_patch_approval_request deprecation_notice patch_apply_begin
  patch_apply_updated shutdown_complete raw_response_item raw_response_completed item_started hook_started hook_completed
  agent_message_delta agent_message_content_delta agent_reasoning_delta plan_delta reasoning_content_delta
  reasoning_raw_content_delta collab_agent_spawn_begin collab_agent_interaction_begin collab_agent_interaction_end
  collab_waiting_begin collab_waiting_end collab_close_begin collab_close_end collab_resume_begin collab_resume_end
  background_event realtime_conversation_started realtime_conversation_realtime realtime_conversation_closed
  realtime_conversation_sdp realtime_conversation_list_voices_response`.split(/\s+/),
);

/** {"type":"task_started","turn_id":"01a2…","started_at":1795411117,"model_context_window":258400} */
function decodeTurnStart(scene: Scene): Disposition {
  closeResponse(scene);
  markLeaf(scene, scene.line.ordinal);
  endCopy(scene);
  startTurn(scene, stringAt(scene.line.payload, 'turn_id'));
  return 'state';
}

/** The copied lines of a fork get the fork's times; only the start of a turn keeps its own, so it tells where the copy ends. */
function endCopy(scene: Scene): void {
  const { state, line } = scene;
  const startedAt = countAt(line.payload, 'started_at');
  if (state.copyOf === null || startedAt === undefined || startedAt * 1000 < state.madeAt - 999) return;
  tellFacts(scene, { parent: { nativeId: state.copyOf, ...(state.leaf === null ? {} : { msg: state.leaf }) } });
  tellCopied(scene);
  state.copyOf = null;
}

/** What was told up to here is another session's. */
function tellCopied({ state, given }: Scene): void {
  if (state.leaf !== null && given.file.agentId === undefined && !state.inherited) given.sink.copied(state.leaf);
}

/**
 * The end of a turn. A failed one says why; a person saw that, the model never did.
 *
 *     {"type":"task_complete","turn_id":"01a2…","last_agent_message":null,"error":{"message":"stream disconnected…"}}
 */
function decodeTurnEnd(scene: Scene): Disposition {
  const { payload, ordinal } = scene.line;
  if (stringAt(payload, 'type') === 'turn_aborted') interrupt(scene);
  closeResponse(scene);
  markLeaf(scene, ordinal === undefined ? undefined : ordinal + 1);
  if (isImportedTurn(stringAt(payload, 'turn_id'))) tellCopied(scene);
  const failed = stringAt(objectAt(payload, 'error'), 'message');
  return failed === undefined ? 'state' : tellError(scene, failed);
}

function decodeError(scene: Scene): Disposition {
  const text = stringAt(scene.line.payload, 'message');
  return text === undefined ? 'state' : tellError(scene, text);
}

function tellError(scene: Scene, text: string): Disposition {
  if (text === '') return 'state';
  const saying = {
    role: 'system',
    content: [{ type: 'text', text }],
    isMeta: true,
    metadata: { event: 'error' },
  } as const;
  sayAside(scene, saying, scene.state.leaf);
  return 'message';
}

/** Remembers the leaf before line `ordinal`: rewinds and forks cut between turns. */
function markLeaf(scene: Scene, ordinal: number | undefined): void {
  const { state, given } = scene;
  if (ordinal !== undefined && state.leaf !== null) given.sink.key(leafKey(given.file.key, ordinal), state.leaf);
}

/**
 * A person went back (0.147 and before): the last turns that have a prompt are gone from the live view.
 *
 *     {"type":"thread_rolled_back","num_turns":1}
 */
function decodeRollback(scene: Scene): Disposition {
  const { state, given, line } = scene;
  closeResponse(scene);
  const turns = Math.min(countAt(line.payload, 'num_turns') ?? 0, state.prompts);
  if (turns === 0) return 'state';
  const first = state.prompts - turns;
  const oldest = state.prompts - state.turnStarts.length;
  const leaf = first >= oldest ? (state.turnStarts[first - oldest] ?? null) : beforePrompt(scene, first);
  state.turnStarts.length = Math.max(0, first - oldest);
  state.prompts = first;
  state.turnStart = false;
  state.leaf = leaf;
  if (given.file.agentId === undefined && !state.inherited) {
    given.sink.live({ op: 'rewind', id: leaf });
    state.told = leaf;
  }
  return 'fact';
}

function beforePrompt(scene: Scene, index: number): string | null {
  const { lookup, file } = scene.given;
  const prompt = lookup.id(promptKey(file.key, index));
  return (prompt === undefined ? undefined : lookup.message(prompt)?.parent_msg_id) ?? null;
}

function decodeName(scene: Scene): Disposition {
  const text = stringAt(scene.line.payload, 'thread_name');
  tellFacts(scene, { title: { text: text === undefined || text === '' ? null : text, by: 'person' } });
  return 'fact';
}

/** {"type":"patch_apply_end","call_id":"call_…","success":true,"changes":{"/w/a.txt":{"type":"add","content":"…"}}} */
function decodePatch(scene: Scene): Disposition {
  tellChanges(scene, scene.line.payload);
  return 'duplicate';
}

function decodeViewImage(scene: Scene): Disposition {
  const path = stringAt(scene.line.payload, 'path');
  if (path !== undefined) scene.given.sink.fact({ files: [{ path: pathOf(path), role: 'read' }] });
  return 'duplicate';
}

/** {"type":"sub_agent_activity","event_id":"call_…","agent_thread_id":"01a2…","kind":"started"} */
function decodeSubAgent(scene: Scene): Disposition {
  const { payload } = scene.line;
  linkAgent(scene, stringAt(payload, 'agent_thread_id'), stringAt(payload, 'call_id') ?? stringAt(payload, 'event_id'));
  return 'fact';
}

function decodeSpawn(scene: Scene): Disposition {
  const { payload } = scene.line;
  linkAgent(scene, stringAt(payload, 'new_thread_id'), stringAt(payload, 'call_id'));
  return 'fact';
}
