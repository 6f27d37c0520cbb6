/** One message of a session, and the token usage it states. Fields are those of the 0.1.0 message schema. */

import type { Block } from './block.ts';
import type { Json } from './json.ts';

/** Who speaks. `tool` carries results; `developer` is context a tool injected; `system` is an event. */
export type Role = 'user' | 'assistant' | 'system' | 'developer' | 'tool';

/** Tokens of one provider response. `input_tokens` excludes what was read from or written to the cache. */
export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  /** Part of `output_tokens`, where the vendor says. */
  readonly reasoning_tokens: number;
}

/** Why a model stopped; anything else a vendor says is kept under `metadata.native_stop_reason`. */
export type StopReason = 'end_turn' | 'tool_use' | 'max_tokens' | 'interrupted' | 'stop_sequence';

/** What the schema has no field for. Keys this version writes; others are kept as they are. */
export interface MessageMetadata {
  /** Parts of one model response share it; usage is counted once per value. */
  readonly response_id?: string;
  /** This line is a newer form of the message with that id. */
  readonly revises?: string;
  /** The text exists only in a history the vendor put in place of the real one. */
  readonly live_only?: boolean;
  /** Injected, yet the model was told something by it that nothing else says: it goes along to another tool. */
  readonly carried?: boolean;
  /** Which call each image block of a tool message belongs to, by its index in `content`. */
  readonly result_images?: { readonly [blockIndex: string]: string };
  readonly [key: string]: Json | undefined;
}

/** One message. Never changed once written; a later form is a new line that `revises` it. */
export interface Message {
  readonly msg_id: string;
  /** The message before it; `null` for a root. */
  readonly parent_msg_id: string | null;
  readonly role: Role;
  /** At least one block. */
  readonly content: readonly Block[];
  /** ISO 8601, in the source's time. */
  readonly timestamp: string;
  readonly turn_id?: string | null;
  readonly model?: string | null;
  readonly provider?: string | null;
  readonly stop_reason?: StopReason | null;
  readonly usage?: Usage | null;
  /** Said by or to a sub-agent. */
  readonly is_sidechain?: boolean;
  /** Injected by the tool, not said by a person. */
  readonly is_meta?: boolean;
  readonly agent_id?: string | null;
  readonly metadata?: MessageMetadata;
}

/** The id whose newest revision this message is. */
export function baseId(message: Message): string {
  return message.metadata?.revises ?? message.msg_id;
}

/** Did a person say this? Not injected, not a sub-agent's task, and it holds words or an image. */
export function isHuman(message: Message): boolean {
  return (
    message.role === 'user' &&
    message.is_meta !== true &&
    message.is_sidechain !== true &&
    message.content.some((block) => block.type === 'text' || block.type === 'image')
  );
}

/**
 * Does it go along to another tool? What a tool injected does not, as the other makes its own, unless it tells the model
 * something that nothing else does: a summary, a text of a replaced history, or what its adapter marked `carried`.
 */
export function goesAlong(message: Message): boolean {
  if (message.is_sidechain === true) return false;
  return (
    message.role === 'assistant' ||
    message.role === 'tool' ||
    (message.role === 'user' && message.is_meta !== true) ||
    message.metadata?.live_only === true ||
    message.metadata?.carried === true ||
    message.content.some((block) => block.type === 'summary')
  );
}

/** All text of a message, blocks joined by a newline. */
export function textOf(message: Message): string {
  const parts: string[] = [];
  for (const block of message.content)
    if (block.type === 'text' && typeof block.text === 'string') parts.push(block.text);
  return parts.join('\n');
}
