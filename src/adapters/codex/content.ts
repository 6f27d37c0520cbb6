/** Native parts as blocks, and which of them a person said. */

import type { Block, ImageBlock, TextBlock, ToolResultBlock } from '../../model/block.ts';
import type { NativeContent } from './native.ts';

/** A person's or the model's parts as blocks. `lose` is told what has no counterpart. */
export function blocksOf(parts: readonly NativeContent[], lose: (name: string) => void): (TextBlock | ImageBlock)[] {
  const blocks: (TextBlock | ImageBlock)[] = [];
  for (const part of parts) {
    if (part.text !== undefined) {
      if (part.text !== '') blocks.push({ type: 'text', text: part.text });
    } else if (part.imageUrl !== undefined) blocks.push(imageOf(part.imageUrl));
    else lose(`content:${part.type}`);
  }
  return blocks;
}

/** `data:image/png;base64,iVBOR…` or an address. */
export function imageOf(url: string): ImageBlock {
  const comma = url.startsWith('data:') ? url.indexOf(',') : -1;
  if (comma < 0) return { type: 'image', source: { type: 'url', data: url } };
  const head = url.slice(5, comma);
  if (!head.endsWith(';base64')) return { type: 'image', source: { type: 'url', data: url } };
  return { type: 'image', source: { type: 'base64', media_type: head.slice(0, -7), data: url.slice(comma + 1) } };
}

/** What a part of a message in a person's or the harness's position is. */
export type PartRole = 'said' | 'context' | 'bulk' | 'summary';

/**
 * Whose words a part of a `user` or `developer` message is. Codex says so since 0.150 (`content_item_kinds`); before, the
 * first characters tell. `bulk` is what the harness writes anew at each start: instructions, permissions, lists of tools.
 */
export function partRole(part: NativeContent, role: 'user' | 'developer'): PartRole {
  const { kind, text } = part;
  if (kind !== undefined) {
    if (kind.startsWith('user.')) return kind === 'user.heartbeat' ? 'context' : 'said';
    if (kind === 'compaction.summary') return 'summary';
    return isBulkKind(kind) ? 'bulk' : 'context';
  }
  if (text === undefined) return role === 'user' ? 'said' : 'context';
  if (role === 'developer') return startsWithAny(text, bulkStarts) ? 'bulk' : 'context';
  if (text.startsWith(summaryStart)) return 'summary';
  return startsWithAny(text, contextStarts) ? 'context' : 'said';
}

/** How Codex begins a summary that stands for earlier turns (all versions since 0.42). */
export const summaryStart = 'Another language model started to solve this problem and produced a summary';

/** `agents_md.instructions` are the project's words, `skills.selected_skill_instructions` a skill the person asked for. */
function isBulkKind(kind: string): boolean {
  if (kind === 'agents_md.instructions' || kind.startsWith('skills.selected')) return false;
  return /[._]instructions$|^tools\.|^multi_agent\./.test(kind);
}

const bulkStarts = [
  '<permissions instructions>',
  '<collaboration_mode>',
  '<tools>',
  '<skills_instructions>',
  '<multi_agent_mode>',
  '<apps_instructions>',
  '<plugins_instructions>',
  '<personality_spec>',
  '<model_switch>',
  '<realtime_conversation>',
] as const;

/** How injected context of role `user` begins where nothing else tells. */
const contextStarts = [
  '<environment_context>',
  '<user_instructions>',
  '# AGENTS.md instructions for ',
  '<INSTRUCTIONS>',
  '<turn_aborted>',
  '<user_shell_command>',
  '<user_action>',
  '<subagent_notification>',
  '<model_switch>',
  '<permissions instructions>',
  '<collaboration_mode>',
  '<skill>',
  '<skills_instructions>',
  '<multi_agent_mode>',
  '<personality_spec>',
  '<goal_context>',
  '<current_time_reminder>',
  '<ENVIRONMENT_CONTEXT>',
  '<hook_context>',
  '<hook_prompt',
  '<recommended_plugins>',
  '<apps_instructions>',
  '<current_time_unavailable>',
  '<image_resize_notice>',
  '<agent_message_board_notification>',
] as const;

/** Did Codex put in something that no other item tells: what a person's own command printed, a review found, an agent reported? */
export function isToldOnce({ kind, text }: NativeContent): boolean {
  return kind === 'shell.user_command' || (text !== undefined && startsWithAny(text, toldOnceStarts));
}

const toldOnceStarts = ['<user_shell_command>', '<user_action>', '<subagent_notification>'] as const;

function startsWithAny(text: string, starts: readonly string[]): boolean {
  const from = text.length - text.trimStart().length;
  return starts.some((start) => text.startsWith(start, from));
}

/**
 * Without the tags Codex puts around a picture from a file: `<image name=[Image #1] path="/w/a.png">`, the picture,
 * `</image>` (0.169). The model is told the path; a person did not type it.
 */
export function withoutImageTags(parts: readonly NativeContent[]): { parts: NativeContent[]; paths: string[] } {
  const paths: string[] = [];
  const kept = parts.filter((part, index) => {
    const { text } = part;
    if (text === undefined || text.length > 5000) return true;
    if (text === '</image>') return parts[index - 1]?.imageUrl === undefined;
    if (!text.startsWith('<image name=[Image #') || parts[index + 1]?.imageUrl === undefined) return true;
    const path = / path="([^"]*)">$/.exec(text)?.[1];
    if (path !== undefined) paths.push(path);
    return false;
  });
  return { parts: kept, paths };
}

/** What a call gave, with its pictures behind it. */
export function resultBlocks(callId: string, parts: readonly NativeContent[], lose: (name: string) => void): Block[] {
  const texts: string[] = [];
  const images: ImageBlock[] = [];
  for (const part of parts) {
    if (part.text !== undefined) texts.push(part.text);
    else if (part.imageUrl !== undefined) images.push(imageOf(part.imageUrl));
    else lose(`content:${part.type}`);
  }
  return [resultBlock(callId, texts.join('\n')), ...images];
}

/**
 * A result as far as its own text tells how it went. The text alone decides, so a file that Codex rewrites says the same.
 *
 *     Chunk ID: 6b8888\nWall time: 0.0000 seconds\nProcess exited with code 3\nOriginal token count: 5\nOutput:\n…
 *     Exit code: 0\nWall time: 0 seconds\nOutput:\n…
 *     {"output":"…","metadata":{"exit_code":0,"duration_seconds":0.0}}
 */
export function resultBlock(callId: string, text: string): ToolResultBlock {
  const head = text.slice(0, 300);
  const end = head.indexOf('\nOutput:\n');
  const front = end < 0 ? '' : head.slice(0, end);
  const exit = /(?:^|\n)(?:Process exited with code|Exit code:) (-?\d+)/.exec(front)?.[1] ?? exitOfJson(text);
  const wall = /(?:^|\n)(?:Wall time:|Script (?:completed|failed)\nWall time) ([\d.]+) seconds/.exec(
    front === '' ? head : front,
  )?.[1];
  const exitCode = exit === undefined ? undefined : Number(exit);
  const isError = exitCode === undefined ? failure.test(head) : exitCode !== 0;
  return {
    type: 'tool_result',
    tool_use_id: callId,
    content: text,
    ...(isError ? { is_error: true } : {}),
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(wall === undefined ? {} : { duration_ms: Math.round(Number(wall) * 1000) }),
  };
}

/** What Codex itself puts in place of a result when there is none. */
const failure =
  /^(?:unsupported (?:custom tool )?call|failed to parse function arguments|Script failed\n|aborted$|apply_patch verification failed|execution error|err: |Wall time: [\d.]+ seconds\naborted by user)/;

function exitOfJson(text: string): string | undefined {
  if (!text.startsWith('{"output":')) return undefined;
  return /"metadata":\{"exit_code":(-?\d+)[,}]/.exec(text.slice(-200))?.[1];
}

/** A shell result without the lines that Codex puts in front of what was printed. */
export function printedText(text: string): string {
  const end = text.slice(0, 300).indexOf('\nOutput:\n');
  return end < 0 ? text : text.slice(end + 9);
}
