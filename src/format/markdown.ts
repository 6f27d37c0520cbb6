/**
 * A session as Markdown: everything that was said, called and printed. Prose stays Markdown; what could swallow the rest of the
 * page (an open fence, raw HTML) is closed or escaped, and fences are longer than any inside.
 */

import type { Block, ImageBlock, ToolResultBlock, ToolUseBlock } from '../model/block.ts';
import { isKnown } from '../model/block.ts';
import type { Message } from '../model/message.ts';
import type { Page } from './page.ts';
import { diffOf, factsOf, inlineImage, jsonText, roleTitles, titleOf } from './page.ts';

/** Keeps an image's base64 bytes and gives the address the page shows it by, relative to the page. */
export interface KeepImage {
  (mediaType: string, base64: string): string;
}

/** The document, piece by piece, `\n` line ends. */
export function* markdownOf(page: Page, keepImage: KeepImage): Generator<string> {
  yield `# ${inlineText(titleOf(page.manifest))}\n\n`;
  yield `${factsOf(page)
    .map(([name, value]) => `- ${name}: ${inlineText(value)}`)
    .join('\n')}\n`;
  for (const step of page.steps) {
    if (step.step === 'message') yield* messageOf(page, step.message, step.live, keepImage);
    else if (step.step === 'end') yield '\n</details>\n';
    else {
      const title = step.part === 'live-only' ? 'Only in the live view' : `Sub-agent ${htmlText(step.agent)}`.trim();
      yield `\n<details><summary>${title}</summary>\n`;
    }
  }
}

function* messageOf(page: Page, message: Message, live: boolean, keepImage: KeepImage): Generator<string> {
  const marks = [
    roleTitles[message.role],
    ...(message.is_meta === true ? ['(put in by the tool)'] : []),
    ...(live || message.is_sidechain === true || message.metadata?.live_only === true
      ? []
      : ['(not in the live view)']),
  ];
  const model = typeof message.model === 'string' ? ` · ${inlineText(message.model)}` : '';
  yield `\n## ${marks.join(' ')}\n\n*${inlineText(message.timestamp)}*${model}\n`;
  for (const block of message.content) yield `\n${blockOf(page, block, keepImage)}\n`;
}

function blockOf(page: Page, block: Block, keepImage: KeepImage): string {
  if (!isKnown(block)) return details(`Block of kind ${htmlText(block.type)}`, fenced(jsonText(block), 'json'));
  switch (block.type) {
    case 'text':
      return prose(block.text);
    case 'thinking':
      return details(
        'Thinking',
        block.redacted === true ? '*redacted*' : prose(block.text || String(block.summary ?? '')),
      );
    case 'tool_use':
      return callOf(page, block);
    case 'tool_result':
      return resultOf(block);
    case 'image':
      return imageOf(block, keepImage);
    case 'summary':
      return ['**Summary**', '', ...prose(block.text).split('\n')].map((line) => `> ${line}`.trimEnd()).join('\n');
    default:
      return block satisfies never;
  }
}

/** The call as it was made; what it does to a file follows as a diff. */
function callOf(page: Page, call: ToolUseBlock): string {
  const change = page.change(call);
  const made = `**${inlineText(call.name)}** ${codeSpan(call.tool_use_id)}\n\n${fenced(jsonText(call.input), 'json')}`;
  if (change === undefined) return made;
  const diff = diffOf(change).map(({ mark, text }) => `${mark}${text}`);
  return `${made}\n\n${codeSpan(change.path)}\n\n${fenced(diff.join('\n'), 'diff')}`;
}

function resultOf(block: ToolResultBlock): string {
  const exit = typeof block.exit_code === 'number' ? ` (exit ${block.exit_code})` : '';
  return `**${block.is_error === true ? 'Error' : 'Result'}**${exit} ${codeSpan(block.tool_use_id)}\n\n${fenced(block.content, '')}`;
}

function imageOf(block: ImageBlock, keepImage: KeepImage): string {
  const image = inlineImage(block);
  if (image !== undefined) return `![image](${keepImage(image.mediaType, image.base64)})`;
  // Not shown as an image: a page that is opened must not load from an address somebody else chose.
  return `*An image that is not in this session:* ${codeSpan(String(block.source.data).slice(0, 300))}`;
}

function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** A fence longer than any run of backticks inside. */
function fenced(text: string, language: string): string {
  const fence = '`'.repeat(Math.max(2, longestRun(text)) + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** A code span that its text cannot leave: on one line, between longer runs of backticks than it holds. */
function codeSpan(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const run = '`'.repeat(longestRun(line) + 1);
  const space = /^`|`$|^$/.test(line) ? ' ' : '';
  return `${run}${space}${line}${space}${run}`;
}

function longestRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}

/** Somebody's Markdown, so that it ends where it ends: what looks like HTML outside of code is text, and an open fence is closed. */
function prose(text: string): string {
  let fence: string | undefined;
  const lines = text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => {
      const [, run, info = ''] = /^\s*(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
      if (fence !== undefined) {
        if (run?.startsWith(fence) === true && info.trim() === '') fence = undefined;
        return line;
      }
      if (run === undefined || (run.startsWith('`') && info.includes('`'))) return withoutHtml(line);
      fence = run;
      return line;
    });
  return [...lines, ...(fence === undefined ? [] : [fence])].join('\n');
}

/** `<` that could begin HTML is text, but for what stands in a code span. */
function withoutHtml(line: string): string {
  const parts = line.split(/(?<!`)(`{1,8})(?!`)/);
  let result = '';
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? '';
    const end = index % 2 === 1 ? parts.indexOf(part, index + 1) : -1;
    if (end === -1 || end % 2 === 0) result += part.replaceAll(/<(?=[A-Za-z/!?])/g, '&lt;');
    else {
      result += parts.slice(index, end + 1).join('');
      index = end;
    }
  }
  return result;
}

function htmlText(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** Text on one line that means nothing but itself. */
function inlineText(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, ' ').replaceAll(/[\\`*_[\]<>#&|~!]/g, '\\$&');
}
