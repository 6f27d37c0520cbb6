/** Where Cursor keeps its `User` folder, below the home directory, by platform; and where `cursor-agent` keeps its chats. */

import type { Machine } from '../../io/machine.ts';

/** Parts joined with `/`. */
export const userFolder = {
  linux: '.config/Cursor/User',
  darwin: 'Library/Application Support/Cursor/User',
  win32: 'AppData/Roaming/Cursor/User',
} as const;

/** The folder `.cursor` that goes with a `User` folder: in the home directory the latter lies in. */
export function dotFolderOf(machine: Machine, folder: string): string | undefined {
  const { homeDir, env } = machine;
  const ends = Object.values(userFolder).find((end) => folder.endsWith(`/${end}`));
  const isMoved = env['XDG_CONFIG_HOME'] !== undefined && folder === `${env['XDG_CONFIG_HOME']}/Cursor/User`;
  const home = isMoved ? homeDir : ends === undefined ? undefined : folder.slice(0, -ends.length - 1);
  if (home === undefined) return undefined;
  return (home === homeDir ? env['CURSOR_DATA_DIR'] : undefined) ?? `${home}/.cursor`;
}
