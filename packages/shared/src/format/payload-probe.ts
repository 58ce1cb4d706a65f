import { constants, zstdCompressSync } from 'node:zlib';

/** Shorter content is not probed: compressing it costs hardly more than the probe. */
const PROBED_BYTES_MIN = 128 * 1024;

/** What is looked at: slices long enough to show their frequencies, spread so that a part can't hide well. */
const SLICES = 24;
const SLICE_BYTES = 2048;
/** Below this many bits a byte, a slice is worth compressing for its frequent bytes alone. Random ones have 7.9. */
const DENSE_BITS_MIN = 7.6;
/** Slices that are dense are tried for repetitions. Saving less than this share is not worth the time. */
const SAVED_SHARE_MIN = 0.01;

/**
 * Whether content is not worth compressing, as far as samples tell: media, archives, what is encrypted. Only a guess,
 * always the same for the same content. A wrong no costs time, and a wrong yes some bytes in a hundred: a part that
 * compresses well is seen once it is a tenth of the whole.
 */
export function looksIncompressible(raw: Uint8Array): boolean {
  if (raw.length < PROBED_BYTES_MIN) return false;
  const slices = slicesOf(raw);
  return (
    slices.every((slice) => entropyBits(slice) >= DENSE_BITS_MIN) && savedShare(slices) < SAVED_SHARE_MIN
  );
}

/** From the very beginning to the very end. */
function slicesOf(raw: Uint8Array): Uint8Array[] {
  const step = (raw.length - SLICE_BYTES) / (SLICES - 1);
  return Array.from({ length: SLICES }, (_, slice) => {
    const start = Math.floor(slice * step);
    return raw.subarray(start, start + SLICE_BYTES);
  });
}

/** `count · log2(count)` for the counts that there can be, which is most of the work. */
const COUNT_BITS = Float64Array.from({ length: SLICE_BYTES + 1 }, (_, count) =>
  count === 0 ? 0 : count * Math.log2(count),
);
const byteCounts = new Uint16Array(256);

/** Bits a byte, by how often each is there. */
function entropyBits(slice: Uint8Array): number {
  byteCounts.fill(0);
  for (let at = 0; at < SLICE_BYTES; at++) {
    const byte = slice[at] as number;
    byteCounts[byte] = (byteCounts[byte] as number) + 1;
  }
  let bits = COUNT_BITS[SLICE_BYTES] as number;
  for (let byte = 0; byte < 256; byte++) bits -= COUNT_BITS[byteCounts[byte] as number] as number;
  return bits / SLICE_BYTES;
}

function savedShare(slices: readonly Uint8Array[]): number {
  const sample = Buffer.concat(slices);
  const compressed = zstdCompressSync(sample, {
    chunkSize: sample.length + 1024,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  return 1 - compressed.length / sample.length;
}
