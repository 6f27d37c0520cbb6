/** Memory outside the heap. */

/**
 * Gives the memory of a buffer back at once; nobody may look at it again. V8 counts such memory but frees it with the heap's
 * garbage only, so that a file passing through in pieces of a megabyte holds 64 MB, each of them fresh.
 */
export function freeBuffer({ buffer }: Buffer): void {
  // Small buffers are parts of one that Node shares between them.
  if (buffer instanceof ArrayBuffer && buffer.byteLength !== Buffer.poolSize) buffer.transfer(0);
}
