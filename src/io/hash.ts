/** Hashes of bytes. */

import { builtin } from './builtin.ts';

/** sha256 in lower-case hex. */
export function hashOf(data: Uint8Array): string {
  return builtin('node:crypto').createHash('sha256').update(data).digest('hex');
}

/** Of pieces one after the other; none is looked at after the next was asked for. */
export function hashOfPieces(pieces: Iterable<Uint8Array>): string {
  const hash = builtin('node:crypto').createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** The same, made on the thread pool: where a processor is free. */
export async function hashAside(data: Uint8Array): Promise<string> {
  // Shared memory, which this type allows and digest does not, holds no bytes of sessions.
  const digest = await builtin('node:crypto').subtle.digest('SHA-256', data as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}
