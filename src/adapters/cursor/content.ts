/** What a message of Cursor says, as blocks. */

import type { Block, ImageBlock } from '../../model/block.ts';
import type { TouchedFile } from '../../model/facts.ts';
import { isObject, listAt, objectAt, stringAt } from '../../model/json.ts';
import type { Usage } from '../../model/message.ts';
import { countAt } from '../../model/json.ts';
import { jsonOf, pathOfUri } from './native.ts';

/** A person's words: what the input box held where the plain text was not kept. */
export function promptText(bubble: unknown): string {
  const text = stringAt(bubble, 'text') ?? '';
  if (text.trim() !== '') return text;
  const rich = stringAt(bubble, 'richText');
  if (rich === undefined) return stringAt(bubble, 'rawText') ?? '';
  const root = objectAt(jsonOf(rich), 'root');
  return root === undefined ? (jsonOf(rich) === undefined ? rich : '') : textOfNode(root, 0).replace(/\n$/, '');
}

/** Text of the editor's tree: `{"root":{"children":[{"type":"paragraph","children":[{"type":"text","text":"…"}]}]}}`. */
function textOfNode(node: unknown, depth: number): string {
  if (depth > 50) return '';
  const text = stringAt(node, 'text');
  if (text !== undefined) return text;
  if (stringAt(node, 'type') === 'linebreak') return '\n';
  const inner = listAt(node, 'children')
    .map((child) => textOfNode(child, depth + 1))
    .join('');
  return stringAt(node, 'type') === 'paragraph' ? `${inner}\n` : inner;
}

/** An answer's thinking, text and code, in this order. */
export function answerBlocks(bubble: unknown): Block[] {
  const blocks: Block[] = [];
  const thinking = objectAt(bubble, 'thinking');
  const thought = stringAt(thinking, 'text') ?? '';
  const hidden = stringAt(thinking, 'redactedThinking') ?? '';
  const isRedacted = thought === '' && hidden !== '';
  const signature = isRedacted ? hidden : stringAt(thinking, 'signature');
  if (thought !== '' || isRedacted)
    blocks.push({
      type: 'thinking',
      text: thought,
      ...(signature === undefined || signature === '' ? {} : { signature }),
      ...(isRedacted ? { redacted: true } : {}),
    });
  const text = stringAt(bubble, 'text') ?? stringAt(bubble, 'rawText') ?? '';
  if (text.trim() !== '') blocks.push({ type: 'text', text });
  for (const code of listAt(bubble, 'codeBlocks')) {
    const content = stringAt(code, 'content') ?? '';
    if (content.trim() === '' || text.includes(content.trim())) continue;
    blocks.push({
      type: 'text',
      text: `\`\`\`${stringAt(code, 'languageId') ?? ''}\n${content.replace(/\n$/, '')}\n\`\`\``,
    });
  }
  return blocks;
}

/** The pictures that were read beside a message. */
export function imageBlocks(images: readonly unknown[]): ImageBlock[] {
  return images.flatMap((image) => {
    const data = stringAt(image, 'data');
    if (data === undefined) return [];
    return [{ type: 'image', source: { type: 'base64', data, media_type: stringAt(image, 'mediaType') ?? null } }];
  });
}

/** Files a person pointed at, or that code in an answer is for. */
export function filesNamed(bubble: unknown): TouchedFile[] {
  const context = objectAt(bubble, 'context');
  return [...listAt(context, 'fileSelections'), ...listAt(bubble, 'codeBlocks')].flatMap((one): TouchedFile[] => {
    const path = pathOfUri(isObject(one) ? one['uri'] : undefined);
    return path === undefined ? [] : [{ path, role: 'referenced' }];
  });
}

/** Passages a person attached; their text is in `native/` only. */
export function attachedPassages(bubble: unknown): number {
  const context = objectAt(bubble, 'context');
  return ['selections', 'terminalSelections', 'quotes'].reduce((sum, kind) => sum + listAt(context, kind).length, 0);
}

/** Tokens, where Cursor states any; it does not tell what came from a cache. */
export function usageOf(bubble: unknown): Usage | undefined {
  const tokens = objectAt(bubble, 'tokenCount');
  const input = countAt(tokens, 'inputTokens') ?? 0;
  const output = countAt(tokens, 'outputTokens') ?? 0;
  if (input + output === 0) return undefined;
  return {
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
  };
}
