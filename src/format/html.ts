/**
 * A session as one HTML file that loads nothing, runs nothing and can be read offline. All of a session is foreign data:
 * each text goes through `escaped`, no foreign text becomes a tag, an address or an id, and the policy in the head forbids the rest.
 */

import type { Block, ImageBlock, ToolResultBlock, ToolUseBlock } from '../model/block.ts';
import { isKnown } from '../model/block.ts';
import type { JsonObject } from '../model/json.ts';
import type { Message } from '../model/message.ts';
import { isHuman, textOf } from '../model/message.ts';
import { htmlStyle } from './html-style.ts';
import type { DiffLine, FileChange, Page } from './page.ts';
import { diffOf, factsOf, inlineImage, jsonText, patchLines, roleTitles, titleOf } from './page.ts';

/** Only what stands in the file itself: its style and images as data. No script, no frame, no form, no address to load from. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The file, piece by piece; no piece is much larger than one message. */
export function* htmlOf(page: Page): Generator<string> {
  const title = escaped(titleOf(page.manifest));
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
<header>
<h1 dir="auto">${title}</h1>
<dl>${factsOf(page)
    .map(([name, value]) => `<div><dt>${name}</dt><dd dir="auto">${escaped(value)}</dd></div>`)
    .join('')}</dl>
<p class="note">A bar at the left marks the live view: what the model would see if the session went on. <a href="#prompts">Prompts</a></p>
</header>
`;
  const prompts: string[] = [];
  let number = 0;
  for (const step of page.steps) {
    if (step.step === 'message') {
      number += 1;
      if (isHuman(step.message)) prompts.push(promptLink(number, step.message));
      yield* messageHtml(page, number, step.message, step.live);
    } else if (step.step === 'end') yield '</details>\n';
    else if (step.part === 'agent')
      yield `<details class="part"><summary>Sub-agent <bdi>${escaped(step.agent === '' ? 'without a name' : step.agent)}</bdi></summary>\n`;
    else yield '<details class="part"><summary>Only in the live view</summary>\n';
  }
  yield `</main>\n<nav id="prompts" aria-label="Prompts"><h2>Prompts</h2><ol>\n${prompts.join('')}</ol></nav>\n</body>\n</html>\n`;
}

function promptLink(number: number, message: Message): string {
  const line = textOf(message)
    .slice(0, 2000)
    .split('\n')
    .find((text) => text.trim() !== '');
  return `<li><a href="#m${number}"><bdi>${escaped(cut(line?.trim() ?? '(an image)', 80))}</bdi></a></li>\n`;
}

function* messageHtml(page: Page, number: number, message: Message, live: boolean): Generator<string> {
  const notes = [
    ...(message.is_meta === true ? ['put in by the tool'] : []),
    ...(live || message.is_sidechain === true || message.metadata?.live_only === true ? [] : ['not in the live view']),
  ];
  const model = typeof message.model === 'string' ? ` · <bdi>${escaped(message.model)}</bdi>` : '';
  yield `<article id="m${number}" class="${message.role}${live ? ' live' : ''}"><h2><a href="#m${number}">${roleTitles[message.role]}</a>${notes
    .map((note) => ` <em>${note}</em>`)
    .join('')}</h2><p class="when"><time>${escaped(message.timestamp)}</time>${model}</p>\n`;
  for (const block of message.content) yield `${blockHtml(page, block)}\n`;
  yield '</article>\n';
}

function blockHtml(page: Page, block: Block): string {
  if (!isKnown(block)) return folded('other', `Block of kind ${code(block.type)}`, json(block));
  switch (block.type) {
    case 'text':
      return prose(block.text);
    case 'thinking':
      return folded(
        'thinking',
        'Thinking',
        block.redacted === true ? '<p>Redacted by the vendor.</p>' : prose(block.text || String(block.summary ?? '')),
      );
    case 'tool_use':
      return callHtml(page, block);
    case 'tool_result':
      return resultHtml(block);
    case 'image':
      return imageHtml(block);
    case 'summary':
      return `<div class="summary"><strong>Summary</strong>${prose(block.text)}</div>`;
    default:
      return block satisfies never;
  }
}

function callHtml(page: Page, call: ToolUseBlock): string {
  const change = page.change(call);
  const brief =
    change?.path ??
    Object.values(call.input)
      .find((value) => typeof value === 'string')
      ?.split('\n', 1)[0];
  const body =
    change === undefined
      ? fieldsHtml(call.input)
      : `<p>${code(change.path)}</p>${diffHtml(diffOf(change))}${changeRest(call.input, change)}`;
  const summary = `<strong>${escaped(call.name)}</strong>${brief === undefined ? '' : ` ${code(cut(brief, 120))}`}`;
  return folded('call', summary, body);
}

/** The fields of a call whose text the diff does not show already. */
function changeRest(input: JsonObject, change: FileChange): string {
  const shown = new Set([change.path, change.before, change.after]);
  const rest = Object.entries(input).filter(
    ([, value]) => !(typeof value === 'string' && (shown.has(value) || patchLines(value) !== undefined)),
  );
  return fieldsHtml(Object.fromEntries(rest));
}

function fieldsHtml(input: JsonObject): string {
  const fields = Object.entries(input).map(([name, value]) => {
    const patch = typeof value === 'string' ? patchLines(value) : undefined;
    if (patch !== undefined) return `<dt>${escaped(name)}</dt><dd>${diffHtml(patch)}</dd>`;
    return `<dt>${escaped(name)}</dt><dd>${typeof value === 'string' ? pre(value) : json(value)}</dd>`;
  });
  return fields.length === 0 ? '' : `<dl class="fields">${fields.join('')}</dl>`;
}

function resultHtml(block: ToolResultBlock): string {
  const exit = typeof block.exit_code === 'number' ? ` (exit ${block.exit_code})` : '';
  const first = escaped(cut(readable(block.content).trim().slice(0, 500).split('\n', 1)[0] ?? '', 100));
  const isError = block.is_error === true;
  const summary = `<strong>${isError ? 'Error' : 'Result'}</strong>${exit} <code dir="auto">${first}</code>`;
  return folded(isError ? 'result error' : 'result', summary, pre(block.content));
}

function imageHtml(block: ImageBlock): string {
  const image = inlineImage(block);
  if (image !== undefined)
    return `<figure><img alt="Image" src="data:${image.mediaType};base64,${image.base64}"></figure>`;
  return `<p class="note">An image that is not in this session: ${code(cut(String(block.source.data), 300))}</p>`;
}

/** Prose as it was written: fenced blocks set apart, `code` in its own type, the rest line by line. */
function prose(text: string): string {
  const parts: string[] = [];
  let lines: string[] = [];
  let fence: string | undefined;
  const close = (): void => {
    const joined = lines.join('\n');
    if (fence !== undefined) parts.push(pre(joined));
    else if (joined.trim() !== '') parts.push(`<div class="prose" dir="auto">${inline(joined)}</div>`);
    lines = [];
  };
  for (const line of text.split('\n')) {
    const marks = /^ {0,3}(`{3,}|~{3,})([^`]*)$/.exec(line);
    const run = marks?.[1];
    const isEnd = fence !== undefined && run?.startsWith(fence) === true && marks?.[2]?.trim() === '';
    if (run === undefined || (fence !== undefined && !isEnd)) lines.push(line);
    else {
      close();
      fence = isEnd ? undefined : run;
    }
  }
  close();
  return parts.join('');
}

function inline(text: string): string {
  return escaped(text.replace(/^\n+/, '').trimEnd()).replaceAll(/`([^`\n]+)`/g, '<code>$1</code>');
}

function diffHtml(lines: readonly DiffLine[]): string {
  const tags = { '-': 'del', '+': 'ins', ' ': 'span', '@': 'b' } as const;
  const html = lines.map(({ mark, text }) => {
    const tag = tags[mark];
    return `<${tag}>${mark === '@' ? '' : mark}${escaped(text)}</${tag}>`;
  });
  return `<pre class="diff">${html.join('\n')}</pre>`;
}

function folded(kind: string, summary: string, body: string): string {
  return `<details class="${kind}"><summary>${summary}</summary>${body}</details>`;
}

function pre(text: string): string {
  return `<pre dir="auto">${escaped(text)}</pre>`;
}

function json(value: unknown): string {
  return pre(jsonText(value));
}

function code(text: string): string {
  return `<code dir="auto">${escaped(text)}</code>`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

const replacements: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that can mean nothing but itself, inside an element or a quoted attribute. */
function escaped(text: string): string {
  return readable(text).replaceAll(/[&<>"']/g, (character) => replacements[character] ?? '');
}

/** Without the colours of a terminal, and without characters that show nothing or turn others round. */
function readable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/\u001B\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replaceAll(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}
