import { constants, zstdCompressSync } from 'node:zlib';

/** Shorter content is not probed: compressing it costs hardly more than the probe. */
const PROBED_BYTES_MIN = 128 * 1024;

/** Bytes that are counted, evenly spread. So many random ones come out near 7.95 bits a byte. */
const COUNTED_BYTES = 4096;
/** Below this many bits a byte, content is worth compressing for its frequent bytes alone. */
const DENSE_BITS_MIN = 7.7;

/** What is compressed on trial: slices long enough to show repetitions, spread so that a part can't hide well. */
const SLICES = 24;
const SLICE_BYTES = 2048;
/** Something that saves less than a hundredth of the sample is not worth compressing, nor decompressing later. */
const SAVED_SHARE_MIN = 0.01;

/**
 * Whether content is not worth compressing, as far as samples tell: media, archives, what is encrypted. Only a guess,
 * always the same for the same content. A wrong no costs time, and a wrong yes some bytes in a hundred: a part that
 * compresses well is seen once it is a tenth of the whole.
 */
export function looksIncompressible(raw: Uint8Array): boolean {
  if (raw.length < PROBED_BYTES_MIN) return false;
  return entropyBits(raw) >= DENSE_BITS_MIN && savedShare(sampleOf(raw)) < SAVED_SHARE_MIN;
}

/** Bits a byte by the frequency of bytes, of a sample. */
function entropyBits(raw: Uint8Array): number {
  const counts = new Uint32Array(256);
  const step = Math.floor(raw.length / COUNTED_BYTES);
  for (let count = 0, at = 0; count < COUNTED_BYTES; count++, at += step) {
    const byte = raw[at] as number;
    counts[byte] = (counts[byte] as number) + 1;
  }
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= count * Math.log2(count / COUNTED_BYTES);
  return bits / COUNTED_BYTES;
}

/** Slices from the beginning to the end, joined. */
function sampleOf(raw: Uint8Array): Uint8Array {
  const sample = new Uint8Array(SLICES * SLICE_BYTES);
  const step = (raw.length - SLICE_BYTES) / (SLICES - 1);
  for (let slice = 0; slice < SLICES; slice++) {
    const start = Math.floor(slice * step);
    sample.set(raw.subarray(start, start + SLICE_BYTES), slice * SLICE_BYTES);
  }
  return sample;
}

function savedShare(sample: Uint8Array): number {
  const compressed = zstdCompressSync(sample, {
    chunkSize: sample.length + 1024,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  return 1 - compressed.length / sample.length;
}
