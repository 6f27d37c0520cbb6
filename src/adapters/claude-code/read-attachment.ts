/** Attachments: what the tool puts before the model beside a prompt, and prompts typed while a call ran. */

import type { Block } from '../../model/block.ts';
import { objectAt, stringAt } from '../../model/json.ts';
import type { Disposition } from '../adapter.ts';
import { promptBlocks } from './content.ts';
import { injectedKind } from './injected.ts';
import { plainText, renderedText, typeOf } from './native.ts';
import type { Row } from './native.ts';
import { bulkAttachments, contextAttachments } from './record-kinds.ts';
import { hangingPoint, join, linkThrough, say } from './reading.ts';
import type { Reading } from './reading.ts';
import { batchOfRow } from './tree.ts';

/** An `attachment` row: bulk is linked through, context is kept as such, a queued prompt is a prompt. */
export function decodeAttachment(row: Row, reading: Reading): Disposition {
  const attachment = objectAt(row, 'attachment');
  const type = typeOf(attachment);
  if (bulkAttachments.has(type)) return linkThrough(row, reading);
  if (attachment !== undefined && type === 'queued_command') return decodeQueued(row, attachment, reading);
  const text = renderedText(row) || ownText(attachment);
  if (text !== '') {
    const role = row['renderedRole'] === 'user' ? 'user' : 'developer';
    sayWithin(
      { role, content: [{ type: 'text', text }], meta: true, metadata: { injected: type === '' ? 'context' : type } },
      reading,
    );
    return 'message';
  }
  linkThrough(row, reading);
  if (contextAttachments.has(type)) return 'state';
  reading.given.sink.loss(`unknown:attachment:${type.slice(0, 60)}`);
  return 'unknown';
}

/**
 * A prompt typed while a call ran: it exists nowhere else. Notices of background work come the same way.
 *
 *     "attachment":{"type":"queued_command","prompt":"MIDTURN typed while tool runs","commandMode":"prompt","origin":{"kind":"human"},"humanTurn":true}
 */
function decodeQueued(row: Row, attachment: Record<string, unknown>, reading: Reading): Disposition {
  const prompt = attachment['prompt'];
  const blocks = typeof prompt === 'string' || Array.isArray(prompt) ? promptBlocks(prompt) : [];
  if (blocks.length === 0) return linkThrough(row, reading);
  const kind = queuedKind(attachment, blocks);
  sayWithin(
    { role: 'user', content: blocks, ...(kind === undefined ? {} : { meta: true, metadata: { injected: kind } }) },
    reading,
  );
  return 'message';
}

function queuedKind(attachment: Record<string, unknown>, blocks: readonly Block[]): string | undefined {
  const first = blocks[0];
  const byText = first?.type === 'text' && typeof first['text'] === 'string' ? injectedKind(first['text']) : undefined;
  if (byText !== undefined && byText !== 'shell') return byText;
  const origin = stringAt(attachment['origin'], 'kind');
  if (origin === 'task-notification' || attachment['commandMode'] === 'task-notification') return 'notification';
  if (attachment['isMeta'] === true || (origin !== undefined && origin !== 'human')) return 'context';
  return undefined;
}

/** Says something within the response the row hangs on, so that results still to come follow it. */
function sayWithin(said: Parameters<typeof say>[0], reading: Reading): void {
  const batch = batchOfRow(reading.link, reading.side, reading.state);
  const id = say(said, hangingPoint(reading, batch), reading);
  join(batch, id, reading);
}

/** What rows before 2.1.3xx keep of their text: `content` of hooks and reminders, the text of a file. */
function ownText(attachment: Record<string, unknown> | undefined): string {
  const text = plainText(attachment?.['content']);
  if (text !== '') return text;
  return stringAt(objectAt(objectAt(attachment, 'content'), 'file'), 'content') ?? '';
}
