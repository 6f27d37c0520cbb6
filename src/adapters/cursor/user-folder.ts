/** Where Cursor keeps its `User` folder, below the home directory, by platform. */

/** Parts joined with `/`. */
export const userFolder = {
  linux: '.config/Cursor/User',
  darwin: 'Library/Application Support/Cursor/User',
  win32: 'AppData/Roaming/Cursor/User',
} as const;
