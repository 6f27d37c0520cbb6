/** Hashes of bytes. */

import { builtin } from './builtin.ts';

/** sha256 in lower-case hex. */
export function hashOf(data: Uint8Array): string {
  return builtin('node:crypto').createHash('sha256').update(data).digest('hex');
}
