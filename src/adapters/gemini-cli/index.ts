/** Gemini CLI: Google's coding agent in the terminal. */

import type { Adapter } from '../adapter.ts';
import { reader } from './read.ts';
import { retention } from './retention.ts';
import { vocabulary } from './vocabulary.ts';
import { writer } from './write.ts';

/** The adapter of Gemini CLI. */
export const adapter: Adapter = {
  id: 'gemini-cli',
  name: 'Gemini CLI',
  aliases: ['gemini'],
  home: {
    env: [{ name: 'GEMINI_CLI_HOME', append: '.gemini' }],
    default: { linux: '.gemini' },
    watch: ['tmp'],
  },
  install: { command: 'gemini', npm: '@google/gemini-cli', versionArgs: ['--version'] },
  retention,
  // It holds thinking too, but only its own models': a conversion loses it.
  carries: ['text', 'tool_use', 'tool_result', 'image', 'summary'],
  vocabulary,
  reader,
  writer,
};
