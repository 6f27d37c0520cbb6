/** What a message is made of. The shapes are those of the 0.1.0 message schema, on disk and in memory alike. */

import type { JsonObject } from './json.ts';

/** Prose. */
export interface TextBlock {
  readonly type: 'text';
  readonly text: string;
}

/** A model's reasoning. `signature` is valid only for the vendor that made it; `text` is empty when redacted. */
export interface ThinkingBlock {
  readonly type: 'thinking';
  readonly text: string;
  readonly signature?: string | null;
  readonly redacted?: boolean;
  readonly summary?: string | null;
}

/** A call a model makes. `name` and `input` are verbatim the source's. */
export interface ToolUseBlock {
  readonly type: 'tool_use';
  readonly tool_use_id: string;
  readonly name: string;
  readonly input: JsonObject;
}

/** What a call gave back, as text; its images follow as image blocks in the same message. */
export interface ToolResultBlock {
  readonly type: 'tool_result';
  readonly tool_use_id: string;
  readonly content: string;
  readonly is_error?: boolean;
  readonly exit_code?: number | null;
  readonly duration_ms?: number | null;
}

/** An image: `data` is base64, a URL, or a workspace-relative path, as `source.type` says. */
export interface ImageBlock {
  readonly type: 'image';
  readonly source: {
    readonly type: 'url' | 'base64' | 'path';
    readonly data: string;
    readonly media_type?: string | null;
  };
}

/** A summary that stands for earlier messages. */
export interface SummaryBlock {
  readonly type: 'summary';
  readonly text: string;
  readonly summarized_through_msg_id?: string | null;
}

/** The kinds this version understands. */
export type KnownBlock = TextBlock | ThinkingBlock | ToolUseBlock | ToolResultBlock | ImageBlock | SummaryBlock;

/** A kind from elsewhere, kept verbatim. `type` is none of the known six. */
export interface OtherBlock {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Any content block. Narrow with {@link isKnown} first. */
export type Block = KnownBlock | OtherBlock;

/** The name of a known kind. */
export type BlockKind = KnownBlock['type'];

/** Every known kind, in the order the documentation lists them. */
export const blockKinds = [
  'text',
  'thinking',
  'tool_use',
  'tool_result',
  'image',
  'summary',
] as const satisfies readonly BlockKind[];

const known: ReadonlySet<string> = new Set(blockKinds);

/** Is it one of the six kinds this version understands? */
export function isKnown(block: Block): block is KnownBlock {
  return known.has(block.type);
}

/** The known blocks of a message, in order. */
export function knownBlocks(content: readonly Block[]): readonly KnownBlock[] {
  return content.filter(isKnown);
}
