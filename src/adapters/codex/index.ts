/** Codex CLI of OpenAI: append-only rollouts below `~/.codex`, a state database beside them. */

import type { Adapter } from '../adapter.ts';
import { rolloutFolders } from './discover.ts';
import { reader } from './read.ts';
import { vocabulary } from './vocabulary.ts';
import { writer } from './write.ts';

/** What SessionFS knows of Codex CLI. */
export const adapter: Adapter = {
  id: 'codex',
  name: 'Codex CLI',
  aliases: ['codex-cli'],
  home: {
    env: [{ name: 'CODEX_HOME' }],
    default: { linux: '.codex' },
    watch: rolloutFolders,
  },
  install: { command: 'codex', npm: '@openai/codex', versionArgs: ['--version'] },
  // Thinking is shown and not sent to the model, which takes only what it has encrypted itself.
  carries: ['text', 'tool_use', 'tool_result', 'image', 'summary'],
  vocabulary,
  reader,
  writer,
};
