/** A session as another tool is to write it. Resume and export hand it to the target's writer. */

import type { Adapter, LiveSession } from '../adapters/adapter.ts';
import { translate } from '../adapters/shared/vocabulary.ts';
import type { Vocabulary } from '../adapters/shared/vocabulary.ts';
import type { Block } from '../model/block.ts';
import { isKnown } from '../model/block.ts';
import type { Message } from '../model/message.ts';
import type { SessionReader } from '../store/session-reader.ts';

/** The session as `target` is to write it: the live view, or what is left of it, with calls in the target's words. */
export function liveSessionFor(
  reader: SessionReader,
  source: Adapter | undefined,
  target: Adapter,
  live: Iterable<Message> = reader.live(),
): LiveSession {
  const { manifest } = reader;
  return {
    sessionId: reader.id,
    origin: {
      tool: manifest.source.tool,
      name: source?.name ?? manifest.source.tool,
      nativeId: manifest.source.original_session_id ?? undefined,
      ...(isAllItsOwn(reader) ? { captured: true } : {}),
    },
    title: manifest.title ?? undefined,
    git: reader.workspace?.git ?? undefined,
    messages: source === undefined || source === target ? live : translated(live, source.vocabulary, target.vocabulary),
  };
}

/** Was every message read here from the tool's own session? What a resume placed may come from anywhere. */
function isAllItsOwn({ commit }: SessionReader): boolean {
  return commit !== undefined && !commit.placed && Object.keys(commit.native).length > 0;
}

/** The messages with their calls in the target's words where the meaning is the same. */
export function translated(messages: Iterable<Message>, from: Vocabulary, to: Vocabulary): Iterable<Message> {
  return {
    *[Symbol.iterator]() {
      for (const message of messages) {
        if (message.role !== 'assistant' || !message.content.some((block) => block.type === 'tool_use')) yield message;
        else yield { ...message, content: message.content.map((block): Block => translatedBlock(block, from, to)) };
      }
    },
  };
}

function translatedBlock(block: Block, from: Vocabulary, to: Vocabulary): Block {
  if (!isKnown(block) || block.type !== 'tool_use') return block;
  const other = translate(block, from, to);
  return other === undefined ? block : { ...block, name: other.name, input: other.input };
}
