/** Cursor: an editor with a coding agent. Its chats lie in a SQLite database. */

import type { Adapter } from '../adapter.ts';
import { reader } from './read.ts';
import { userFolder } from './user-folder.ts';
import { vocabulary } from './vocabulary.ts';

/** The adapter of Cursor. */
export const adapter: Adapter = {
  id: 'cursor',
  name: 'Cursor',
  aliases: [],
  home: {
    env: [{ name: 'XDG_CONFIG_HOME', append: 'Cursor/User', on: 'linux' }],
    default: userFolder,
    watch: ['globalStorage'],
  },
  install: { command: 'cursor', versionArgs: ['--version'] },
  carries: ['text', 'thinking', 'tool_use', 'tool_result', 'image'],
  vocabulary,
  reader,
};
