/** A session as a page shows it: what HTML and Markdown have in common. Read piece by piece, so that any size fits. */

import type { ImageBlock, ToolUseBlock } from '../model/block.ts';
import type { Manifest, Workspace } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';

/** A session to be shown. */
export interface Page {
  readonly manifest: Manifest;
  readonly workspace: Workspace | undefined;
  /** The tool's name as people know it. */
  readonly tool: string;
  /** In order; read once. */
  readonly steps: Iterable<PageStep>;
  /** What a call does to a file, when that is known. */
  change(call: ToolUseBlock): FileChange | undefined;
}

/** A message, or the begin or end of a part: a sub-agent's, or what only the live view holds. */
export type PageStep =
  | { readonly step: 'message'; readonly message: Message; readonly live: boolean }
  | { readonly step: 'begin'; readonly part: 'agent'; readonly agent: string }
  | { readonly step: 'begin'; readonly part: 'live-only' }
  | { readonly step: 'end' };

/** A file's text, or a piece of it, before and after a call. */
export interface FileChange {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** A line of a diff. */
export interface DiffLine {
  readonly mark: ' ' | '-' | '+' | '@';
  readonly text: string;
}

/** How roles are called. */
export const roleTitles = {
  user: 'User',
  assistant: 'Assistant',
  system: 'System',
  developer: 'Context',
  tool: 'Tool result',
} as const satisfies Record<Message['role'], string>;

/** What is known of the session, name and value, in the order it is shown. */
export function factsOf({ manifest, workspace, tool }: Page): readonly (readonly [name: string, value: string])[] {
  const { source, stats, model } = manifest;
  const counts = Object.entries(manifest.metadata?.losses ?? {});
  const facts: readonly (readonly [string, unknown])[] = [
    ['Session', manifest.session_id],
    ['Tool', [tool, source.tool_version, source.interface].filter(Boolean).join(' ')],
    ['Native id', source.original_session_id],
    ['Model', model?.model_id],
    ['Workspace', workspace?.root_path],
    ['Branch', workspace?.git?.branch],
    ['Created', manifest.created_at],
    ['Updated', manifest.updated_at],
    ['Messages', stats?.message_count],
    ['Turns', stats?.turn_count],
    ['Tool calls', stats?.tool_use_count],
    ['Tokens', stats == null ? undefined : `${stats.total_input_tokens} in, ${stats.total_output_tokens} out`],
    ['Cost', typeof stats?.estimated_cost_usd === 'number' ? `$${stats.estimated_cost_usd.toFixed(2)}` : undefined],
    ['Goes on from', manifest.parent_session_id],
    ['Taken in from', manifest.metadata?.['imported_from']],
    ['Not captured', counts.map(([name, count]) => `${name} ×${count}`).join(', ')],
  ];
  // A manifest from elsewhere can hold anything where it should hold text.
  return facts.flatMap(([name, value]) =>
    (typeof value === 'string' && value !== '') || typeof value === 'number' ? [[name, String(value)] as const] : [],
  );
}

/** The title, also of a session nobody named. */
export function titleOf({ title }: Manifest): string {
  return typeof title === 'string' && title !== '' ? title : 'Untitled session';
}

/** Any value as indented JSON, also one nested deeper than the runtime can write. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value, null, 2) ?? '';
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return '(nested too deeply to be shown)';
  }
}

/** The lines two texts share at their beginning and end, and between them what went and what came. */
export function diffOf({ before, after }: Pick<FileChange, 'before' | 'after'>): DiffLine[] {
  const old = before === '' ? [] : before.split('\n');
  const now = after === '' ? [] : after.split('\n');
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const marked = (mark: DiffLine['mark'], lines: readonly string[]): DiffLine[] =>
    lines.map((text) => ({ mark, text }));
  return [
    ...marked(' ', old.slice(0, head)),
    ...marked('-', old.slice(head, old.length - tail)),
    ...marked('+', now.slice(head, now.length - tail)),
    ...marked(' ', old.slice(old.length - tail)),
  ];
}

/** A text that is a patch already, line by line; `undefined` when it is none. */
export function patchLines(text: string): DiffLine[] | undefined {
  if (!/^(\*\*\* Begin Patch|@@ )/m.test(text) || !/^[+-]/m.test(text)) return undefined;
  return text.split('\n').map((line): DiffLine => {
    const mark = line[0];
    if (line.startsWith('@@') || line.startsWith('*** ')) return { mark: '@', text: line };
    return mark === '-' || mark === '+' || mark === ' ' ? { mark, text: line.slice(1) } : { mark: ' ', text: line };
  });
}

/** The bytes an image block holds, as base64 without white space; `undefined` when it holds none a page can show. */
export function inlineImage({
  source,
}: ImageBlock): { readonly mediaType: string; readonly base64: string } | undefined {
  if (typeof source.data !== 'string') return undefined;
  const inUrl = source.type === 'url' ? /^data:([a-z0-9/+.-]+);base64,/i.exec(source.data) : null;
  if (source.type !== 'base64' && inUrl === null) return undefined;
  const stated = inUrl === null ? source.media_type : inUrl[1];
  const data = inUrl === null ? source.data : source.data.slice(inUrl[0].length);
  const mediaType = typeof stated === 'string' && stated !== '' ? stated.toLowerCase() : 'image/png';
  const base64 = /\s/.test(data) ? data.replaceAll(/\s+/g, '') : data;
  if (!Object.hasOwn(imageEndings, mediaType) || base64 === '' || /[^A-Za-z0-9+/=]/.test(base64)) return undefined;
  return { mediaType, base64 };
}

/** The kinds of image that pages show, and how their files' names end. */
export const imageEndings: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/jpg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/bmp': 'bmp',
};
