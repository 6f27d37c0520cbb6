/** Cursor: an editor with a coding agent. Its chats lie in a SQLite database. */

import type { Adapter } from '../adapter.ts';
import { exchange } from './exchange.ts';
import { reader } from './read.ts';
import { dotFolderOf, userFolder } from './user-folder.ts';
import { vocabulary } from './vocabulary.ts';
import { writer } from './write.ts';

/** The adapter of Cursor. */
export const adapter: Adapter = {
  id: 'cursor',
  name: 'Cursor',
  aliases: [],
  home: {
    env: [{ name: 'XDG_CONFIG_HOME', append: 'Cursor/User', on: 'linux' }],
    default: userFolder,
    watch: ['globalStorage'],
    beside: (machine, home) => {
      const folder = dotFolderOf(machine, home.replaceAll('\\', '/'));
      return folder === undefined ? [] : ['chats', 'acp-sessions', 'projects'].map((name) => `${folder}/${name}`);
    },
  },
  install: { command: 'cursor-agent', also: ['cursor'], versionArgs: ['--version'] },
  carries: ['text', 'thinking', 'tool_use', 'tool_result', 'image', 'summary'],
  vocabulary,
  reader,
  writer,
  exchange,
};
