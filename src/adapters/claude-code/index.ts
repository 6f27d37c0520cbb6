/** Claude Code (Anthropic): one file of JSON lines a session. */

import type { Adapter } from '../adapter.ts';
import { reader } from './read.ts';
import { retention } from './retention.ts';
import { vocabulary } from './vocabulary.ts';
import { writer } from './write.ts';

/** The adapter for Claude Code. */
export const adapter: Adapter = {
  id: 'claude-code',
  name: 'Claude Code',
  aliases: ['claude'],
  home: {
    env: [{ name: 'CLAUDE_CONFIG_DIR' }],
    default: { linux: '.claude' },
    watch: ['projects'],
  },
  install: { command: 'claude', npm: '@anthropic-ai/claude-code', versionArgs: ['--version'] },
  retention,
  carries: ['text', 'tool_use', 'tool_result', 'image', 'summary'],
  vocabulary,
  reader,
  writer,
};
