/** Hashes of bytes. */

import { builtin } from './builtin.ts';

/** sha256 in lower-case hex, computed on the thread pool. */
export async function hashLater(data: Buffer): Promise<string> {
  // The whole view is hashed; the checker does not see that its memory is not shared between threads.
  const digest = await builtin('node:crypto').webcrypto.subtle.digest('SHA-256', data as Buffer<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}

/** sha256 in lower-case hex. */
export function hashOf(data: Uint8Array): string {
  return builtin('node:crypto').createHash('sha256').update(data).digest('hex');
}
