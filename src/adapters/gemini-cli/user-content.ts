/** User messages taken apart: a person's words, results, and what the CLI put in by itself. */

import type { Block } from '../../model/block.ts';
import { dataBlock, digest, jsonText, resultOf } from './content.ts';
import type { ResultContent } from './content.ts';
import type { NativePart } from './native.ts';

/** A native user message taken apart. */
export interface UserContent {
  /** What a person (or the CLI in a person's place) said, without results and injected context. */
  readonly items: readonly NativePart[];
  readonly results: readonly ResultContent[];
  /** The `<session_context>` of this turn: made anew at each start, never a message. */
  readonly session: string | undefined;
  /** What hooks added. */
  readonly hooks: readonly string[];
}

/** What one stretch of user parts is. */
export interface Spoken {
  /** `prompt`: a person's words; `context`: the CLI's own; `summary`: a compaction's. */
  readonly kind: 'prompt' | 'context' | 'summary';
  /** Not empty. */
  readonly content: readonly Block[];
  /** What was sent on top of or in place of what the person typed; `undefined` when that is all. */
  readonly expansion: string | undefined;
}

/** First part of a prompt the CLI would otherwise take for a command or for its own context and drop. */
export const promptGuard = 'User message: ';

const filesBegin = '\n--- Content from referenced files ---';

const filesEnd = '\n--- End of content ---';

/** How texts begin that the CLI sends in a person's place (0.61.0). */
const injectedStarts = [
  '- **Workspace Directories:**',
  "Here is the user's editor context",
  "Here is a summary of changes in the user's editor context",
  'System: Potential loop detected',
  'System: Please continue',
  '[System: You previously',
  'User has manually exited Plan Mode.',
  'Plan approved. Switching to',
] as const;

/** Takes the parts of a user message apart. */
export function userContent(parts: readonly NativePart[]): UserContent {
  const items: NativePart[] = [];
  const results: ResultContent[] = [];
  const hooks: string[] = [];
  let session: string | undefined;
  const isGuarded = parts[0]?.kind === 'text' && parts[0].text === promptGuard;
  let index = 0;
  for (let part = parts[index]; part !== undefined; part = parts[++index]) {
    if (part.kind === 'result') {
      const data: NativePart[] = [...part.parts];
      for (let next = parts[index + 1]; next !== undefined && next.kind === 'data'; next = parts[++index + 1])
        data.push(next);
      results.push(resultOf(part, data));
    } else if (part.kind === 'text' && isGuarded) {
      items.push(part);
    } else if (part.kind === 'text') {
      const rest = withoutContext(part.text);
      session = rest.session ?? session;
      if (rest.hook !== undefined) hooks.push(rest.hook);
      if (rest.text !== '') items.push(rest.text === part.text ? part : { kind: 'text', text: rest.text });
    } else if (part.kind !== 'thought' && part.kind !== 'call') {
      items.push(part);
    }
  }
  return { items, results, session, hooks };
}

/** What a stretch of user parts says; `undefined` when it is blank. `display`: what the person typed, if that differs. */
export function spokenOf(items: readonly NativePart[], display: string | undefined): Spoken | undefined {
  const sent = plainText(items, 0, items.length);
  const data = items.flatMap(dataBlock);
  const start = sent.trimStart();
  if (start.startsWith('<state_snapshot>')) {
    return { kind: 'summary', content: [{ type: 'summary', text: sent }, ...data], expansion: undefined };
  }
  if (injectedStarts.some((text) => start.startsWith(text))) {
    return { kind: 'context', content: [{ type: 'text', text: sent }, ...data], expansion: undefined };
  }
  const hint = hintIn(start);
  if (hint !== undefined)
    return { kind: 'prompt', content: [{ type: 'text', text: hint }, ...data], expansion: undefined };
  const first = items[0];
  const guarded = first?.kind === 'text' && first.text === promptGuard && items.length > 1;
  const from = guarded ? 1 : 0;
  const marker = items.findIndex((item) => item.kind === 'text' && item.text === filesBegin);
  const typed = plainText(items, from, marker < 0 ? items.length : marker);
  const shown = display === undefined || display.trim() === '' ? typed : display;
  let expansion: string | undefined;
  if (marker >= 0) expansion = fileTexts(items, marker);
  else if (shown !== typed && shown.trim() !== typed.trim()) expansion = typed;
  const isAsSent = marker < 0 && shown === typed;
  const content: Block[] = isAsSent
    ? inOrder(items.slice(from))
    : [...(shown.trim() === '' ? [] : [{ type: 'text', text: shown }]), ...data];
  return content.length === 0
    ? undefined
    : { kind: 'prompt', content, expansion: expansion?.trim() === '' ? undefined : expansion };
}

/** Words and data as they stand; texts in a row are one. */
function inOrder(items: readonly NativePart[]): Block[] {
  const blocks: Block[] = [];
  let text = '';
  const endText = (): void => {
    if (text.trim() !== '') blocks.push({ type: 'text', text });
    text = '';
  };
  for (const item of items) {
    const data = dataBlock(item);
    if (item.kind === 'text') text += item.text;
    if (data.length === 0) continue;
    endText();
    blocks.push(...data);
  }
  endText();
  return blocks;
}

/** 32 hex digits that name what user parts say; the same however the CLI re-appends them. */
export function userDigest(items: readonly NativePart[]): string {
  const first = items[0];
  if (items.length === 1 && first?.kind === 'text') return digest('user', first.text);
  return digest('user', items.map(itemText).join('\u0001'));
}

/** Cuts leading `<session_context>` and `<hook_context>` elements off a text; an unclosed one is all context. */
function withoutContext(text: string): { readonly text: string; readonly session?: string; readonly hook?: string } {
  let rest = text;
  let session: string | undefined;
  let hook: string | undefined;
  for (;;) {
    const start = rest.trimStart();
    const name = start.startsWith('<session_context>')
      ? 'session_context'
      : start.startsWith('<hook_context>')
        ? 'hook_context'
        : undefined;
    if (name === undefined) break;
    const close = start.indexOf(`</${name}>`);
    const inside = start.slice(name.length + 2, close < 0 ? undefined : close);
    if (name === 'session_context') session = inside;
    else hook = hook === undefined ? inside : `${hook}\n${inside}`;
    rest = close < 0 ? '' : start.slice(close + name.length + 3);
    if (rest.trim() === '') rest = '';
    else rest = rest.replace(/^\s*\n/, '');
  }
  return { text: rest, ...(session === undefined ? {} : { session }), ...(hook === undefined ? {} : { hook }) };
}

function plainText(items: readonly NativePart[], from: number, to: number): string {
  const only = items[from];
  if (to - from === 1 && only?.kind === 'text') return only.text;
  let text = '';
  for (const item of items.slice(from, to)) if (item.kind === 'text') text += item.text;
  return text;
}

/** The text of files a prompt pointed to (`@path`), as it was sent. */
function fileTexts(items: readonly NativePart[], marker: number): string | undefined {
  const texts = items.slice(marker).flatMap((item) => (item.kind === 'text' ? [item.text] : []));
  const files = texts.filter((text) => text !== filesBegin && text !== filesEnd);
  return files.some((text) => text.trim() !== '') ? texts.join('') : undefined;
}

/** A person's words while the model works: `User steering update:\n<user_input>\n…\n</user_input>\nInternal instruction: …`. */
function hintIn(text: string): string | undefined {
  if (!text.startsWith('User steering update') && !text.startsWith('User hints:')) return undefined;
  const open = text.indexOf('<user_input>');
  const close = text.indexOf('</user_input>', open);
  return open < 0 || close < 0 ? undefined : text.slice(open + '<user_input>'.length, close).trim();
}

function itemText(item: NativePart): string {
  if (item.kind === 'text') return `t${item.text}`;
  if (item.kind === 'data') return `d${item.mimeType}\n${item.data}`;
  return item.kind === 'other' ? `o${jsonText(item.part)}` : item.kind;
}
