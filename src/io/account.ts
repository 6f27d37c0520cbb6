/** Who this process works for. */

import { userInfo } from 'node:os';

let known: string | undefined;

/** The account's name; its number where the system has no name for it. */
export function accountName(): string {
  known ??= nameOf();
  return known;
}

function nameOf(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container under any number.
    return String(process.getuid?.() ?? 'unknown');
  }
}
