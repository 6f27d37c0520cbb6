/** Which texts in user position the tool put there itself, and how they are told from what a person typed. */

import type { Block, TextBlock } from '../../model/block.ts';

/**
 * What a text in user position is.
 * - `command`: a slash command. `shell`: a `!` command.
 * - `shell-output`, `command-output`, `caveat`, `notification`, `interruption`, `context`: the tool's own words.
 */
export type Injected =
  | 'command'
  | 'command-output'
  | 'caveat'
  | 'shell'
  | 'shell-output'
  | 'notification'
  | 'interruption'
  | 'context';

/** How such texts begin. The tool writes the tags itself and escapes them in what people type. */
const openings: readonly (readonly [string, Injected])[] = [
  ['<command-name>', 'command'],
  ['<command-message>', 'command'],
  ['<local-command-stdout>', 'command-output'],
  ['<local-command-stderr>', 'command-output'],
  ['<local-command-caveat>', 'caveat'],
  ['<bash-input>', 'shell'],
  ['<bash-stdout>', 'shell-output'],
  ['<bash-stderr>', 'shell-output'],
  ['<task-notification>', 'notification'],
  ['[Request interrupted by user', 'interruption'],
];

/** What a text is by its beginning; `undefined`: what it says. */
export function injectedKind(text: string): Injected | undefined {
  const first = text[0];
  if (first !== '<' && first !== '[') return undefined;
  for (const [opening, kind] of openings) if (text.startsWith(opening)) return kind;
  return isContext(text) ? 'context' : undefined;
}

/** Blocks that are only the tool's context, and what is left of the others. */
export interface Split {
  readonly said: readonly Block[];
  readonly context: readonly TextBlock[];
}

/** Parts what a person said from the reminders the tool put beside it, block by block and at the end of a text. */
export function splitContext(blocks: readonly Block[]): Split {
  if (!blocks.some(holdsContext)) return { said: blocks, context: [] };
  const said: Block[] = [];
  const context: TextBlock[] = [];
  for (const block of blocks) {
    if (block.type !== 'text' || typeof block.text !== 'string' || !holdsContext(block)) {
      said.push(block);
      continue;
    }
    if (isContext(block.text)) {
      context.push({ type: 'text', text: block.text });
      continue;
    }
    const at = block.text.lastIndexOf('<system-reminder>');
    const before = block.text.slice(0, at).trimEnd();
    if (before === '') context.push({ type: 'text', text: block.text });
    else {
      said.push({ type: 'text', text: before });
      context.push({ type: 'text', text: block.text.slice(at) });
    }
  }
  return { said, context };
}

const contextTags = [
  'system-reminder',
  'ide_opened_file',
  'ide_selection',
  'ide_diagnostics',
  'user-prompt-submit-hook',
  'session-start-hook',
  'post-tool-use-hook',
] as const;

/** Is the whole text one tagged piece of context? */
function isContext(text: string): boolean {
  if (text[0] !== '<') return false;
  return contextTags.some((tag) => text.startsWith(`<${tag}>`) && text.trimEnd().endsWith(`</${tag}>`));
}

function holdsContext(block: Block): boolean {
  if (block.type !== 'text' || typeof block.text !== 'string') return false;
  return (
    isContext(block.text) || (block.text.endsWith('</system-reminder>') && block.text.includes('<system-reminder>'))
  );
}
