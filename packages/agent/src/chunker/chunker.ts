/**
 * Content-defined chunking, keyed. What the chunker `gear64-siphash24-1` computes, exactly:
 *
 * - Keys: HKDF-SHA-256 (no salt) of the domain's `cdcKey` gives, under the info `cofre/v1/chunker/gear-table`,
 *   2048 bytes, which are 256 words T[0] … T[255] of 64 bits, little-endian; and, under the info
 *   `cofre/v1/chunker/sip-key`, the 16 bytes of a SipHash-2-4 key.
 * - State: for a chunk that would end after its byte b[L−1], hence have the length L ≥ 64, the gear state is
 *   h(L) = Σ T[b[L−1−i]] · 2^i for i = 0 … 63, modulo 2^64. Step by step: h ← 2·h + T[b].
 * - Candidate: L with minBytes ≤ L < maxBytes and h(L) < 2^56.
 * - Decision: a candidate ends the chunk if SipHash-2-4 of h(L), written as 8 bytes little-endian, read as a
 *   little-endian number, is below a threshold: ⌊2^73 ∕ (3·spread)⌋ for L < averageBytes, else ⌊2^73 ∕ spread⌋,
 *   where spread = averageBytes − minBytes.
 * - The first such candidate ends the chunk; without one it ends at L = maxBytes, or where the stream ends.
 *   The next chunk begins there afresh. An empty stream has no chunk.
 *
 * So cuts depend on the bytes since the last cut alone; and since a cut is judged by 64 bytes, streams that agree
 * from somewhere on soon meet at a common cut. test/vectors/chunker.json holds keys, content and cuts.
 *
 * Gear, skipping the first minBytes, and a chance of cutting that is smaller before the average than behind it
 * ("normalised") are from FastCDC (Xia et al., USENIX ATC 2016; IEEE TPDS 31(9), 2020). Thresholds of ratio 3
 * rather than FastCDC's usual 16: simulated with the default sizes, the chunk hit by an edit is then 17 % smaller
 * than without (1.27 MiB instead of 1.52), while more steepness makes streams meet later than it gains.
 *
 * Why gear does not decide: the server sees lengths of chunks. Who knows some of the content learns from them the
 * table of a keyed rolling hash, and then tells by their lengths which known files others keep (Truong, Merz,
 * Scarlata, Günther, Paterson: "Breaking and Fixing Content-Defined Chunking", IACR ePrint 2025/558; Alexeev,
 * Percival, Zhang: "Chunking Attacks on File Backup Services using Content-Defined Chunking", arXiv 2504.02095).
 * The remedy of the former is to decide by a PRF of the rolling hash at each byte: with SipHash that was measured at
 * 0.07 GB/s, and WebAssembly has no AES. So the PRF, whose key gear knows nothing of, is asked at candidates only.
 * Take the table as known to the attacker: he then knows where cuts may be, one byte in 256, and no more. The
 * server sees lengths in Padmé's steps only, 8 KiB from 256 KiB on and wider for larger or compressible chunks; 32
 * candidates lie in such a step, so that hardly any sequence of lengths can be ruled out for any content. What a PRF
 * at each byte would show too: equal streams of one domain are cut alike.
 */

import { deriveChunkerKeys } from './chunker-keys.ts';
import { assertChunkerParameters, type ChunkerParameters } from './chunker-parameters.ts';
import { instantiateGear, SLAB_ADDRESS } from './gear-instance.ts';

export const DEFAULT_SLAB_BYTES = 8 * 1024 * 1024;
const SLAB_BYTES_MAX = 1024 * 1024 * 1024;

export interface Chunker {
  readonly parameters: ChunkerParameters;
  /**
   * Where content is put before it is cut: read files straight into it. It lies inside WebAssembly's memory, keeps
   * its address and size for good, and can be neither transferred nor shared with another thread.
   */
  readonly slab: Uint8Array<ArrayBuffer>;
  /**
   * The offsets in the slab at which the chunks end that `start` … `end` decides, ascending; a chunk begins at
   * `start`. If `isFinal`, the stream ends at `end` and the last offset is `end` (none for an empty range).
   * Otherwise what lies behind the last offset is undecided, at most maxBytes − 1: move it to where there is room
   * for more behind it (`slab.copyWithin`), and give it again as the beginning of the next range.
   * Nothing is remembered between calls. Throws a RangeError for a range outside the slab.
   */
  cut(start: number, end: number, isFinal: boolean): number[];
}

/**
 * A chunker with a slab of its own: make one for each stream that is read at the same time; it costs its slab and
 * 64 KiB. `slabBytes` is at least maxBytes; at twice that and more the undecided rest is seldom hashed again.
 * Throws a CofreError for parameters that are unknown or out of bounds, a RangeError for a wrong key or slab.
 */
export function createChunker(
  cdcKey: Uint8Array,
  parameters: ChunkerParameters,
  slabBytes: number = DEFAULT_SLAB_BYTES,
): Chunker {
  assertChunkerParameters(parameters);
  if (!Number.isSafeInteger(slabBytes) || slabBytes < parameters.maxBytes || slabBytes > SLAB_BYTES_MAX) {
    throw new RangeError(`a slab of ${slabBytes} bytes does not hold a chunk of ${parameters.maxBytes}`);
  }
  const { memory, nextCut } = instantiateGear(deriveChunkerKeys(cdcKey), parameters, slabBytes);
  return {
    parameters,
    slab: new Uint8Array(memory, SLAB_ADDRESS, slabBytes),
    cut(start, end, isFinal) {
      assertRange(start, end, slabBytes);
      const cuts: number[] = [];
      let chunkStart = start;
      for (;;) {
        const cut = nextCut(SLAB_ADDRESS + chunkStart, SLAB_ADDRESS + end);
        if (cut === 0) break;
        chunkStart = cut - SLAB_ADDRESS;
        cuts.push(chunkStart);
      }
      if (isFinal && chunkStart < end) cuts.push(end);
      return cuts;
    },
  };
}

/** WebAssembly turns any number into a 32-bit one, and would read keys or trap. */
function assertRange(start: number, end: number, slabBytes: number): void {
  if (
    !Number.isSafeInteger(start) ||
    !Number.isSafeInteger(end) ||
    start < 0 ||
    start > end ||
    end > slabBytes
  ) {
    throw new RangeError(`${start} to ${end} is not a range of a slab of ${slabBytes} bytes`);
  }
}
