/** A session as Markdown: everything that was said, called and printed, with fences no content can close. */

import type { Block } from '../model/block.ts';
import { isKnown } from '../model/block.ts';
import type { Manifest, Workspace } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';

const titles = {
  user: 'User',
  assistant: 'Assistant',
  system: 'System',
  developer: 'Context',
  tool: 'Tool result',
} as const satisfies Record<Message['role'], string>;

/** The whole document, `\n` line ends. `timeline` in reading order. */
export function markdownOf(manifest: Manifest, workspace: Workspace | undefined, timeline: readonly Message[]): string {
  const facts = [
    `Session \`${manifest.session_id}\``,
    `Tool: ${manifest.source.tool}${manifest.source.tool_version == null ? '' : ` ${manifest.source.tool_version}`}`,
    ...(manifest.model?.model_id === undefined ? [] : [`Model: ${manifest.model.model_id}`]),
    ...(workspace === undefined ? [] : [`Workspace: \`${workspace.root_path}\``]),
    `Created: ${manifest.created_at}`,
    ...(manifest.updated_at == null ? [] : [`Updated: ${manifest.updated_at}`]),
  ];
  const head = [`# ${escapeInline(manifest.title ?? 'Untitled session')}`, facts.map((fact) => `- ${fact}`).join('\n')];
  return `${[...head, ...timeline.map(messageOf)].join('\n\n')}\n`;
}

function messageOf(message: Message): string {
  const marks = [
    titles[message.role],
    ...(message.is_meta === true ? ['(injected)'] : []),
    ...(message.agent_id == null ? [] : [`(sub-agent ${message.agent_id})`]),
  ];
  const model = message.model == null ? '' : ` · ${message.model}`;
  return [`## ${marks.join(' ')}`, `*${message.timestamp}${model}*`, ...message.content.map(blockOf)].join('\n\n');
}

function blockOf(block: Block): string {
  if (!isKnown(block)) return details(`Block of kind ${block.type}`, fenced(JSON.stringify(block, null, 2), 'json'));
  switch (block.type) {
    case 'text':
      return block.text;
    case 'thinking':
      return details(
        'Thinking',
        block.redacted === true ? '*redacted*' : block.text === '' ? (block.summary ?? '') : block.text,
      );
    case 'tool_use':
      return `**${escapeInline(block.name)}** \`${block.tool_use_id}\`\n\n${fenced(JSON.stringify(block.input, null, 2), 'json')}`;
    case 'tool_result': {
      const exit = block.exit_code == null ? '' : ` (exit ${block.exit_code})`;
      return `**${block.is_error === true ? 'Error' : 'Result'}**${exit} \`${block.tool_use_id}\`\n\n${fenced(block.content ?? '', '')}`;
    }
    case 'image':
      return imageOf(block.source);
    case 'summary':
      return `> **Summary**\n>\n${block.text
        .split('\n')
        .map((line) => `> ${line}`)
        .join('\n')}`;
    default:
      return block satisfies never;
  }
}

function imageOf(source: {
  readonly type: string;
  readonly data: string;
  readonly media_type?: string | null;
}): string {
  const target =
    source.type === 'base64' ? `data:${source.media_type ?? 'image/png'};base64,${source.data}` : source.data;
  return `![image](<${target.replaceAll(/[<>\n]/g, encodeURIComponent)}>)`;
}

function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** A fence longer than any run of backticks inside. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function escapeInline(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#]/g, '\\$&');
}
