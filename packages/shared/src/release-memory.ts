/** Below this it is not worth the call, and the memory may be a pool that others share. */
const RELEASE_BYTES_MIN = 128 * 1024;

/**
 * Gives the memory of a buffer back at once instead of when the garbage collector comes: `zlib` and `crypto`
 * put every result in new memory, several times the content that went through, and V8 lets hundreds of
 * megabytes of it gather. Freed at once, the same warm memory is used over and over, which makes opening a
 * blob more than twice as fast. The buffer, and everything that shares its memory, is empty afterwards: only
 * for whoever knows that nobody else has it.
 */
export function releaseMemory({ buffer: memory }: Uint8Array): void {
  if (memory instanceof ArrayBuffer && memory.byteLength >= RELEASE_BYTES_MIN) memory.transfer(0);
}
