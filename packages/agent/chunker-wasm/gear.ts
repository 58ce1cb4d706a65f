/* oxlint-disable no-loss-of-precision -- a literal for a u64 is exact here */
// AssemblyScript, not TypeScript. `node scripts/build-chunker.ts` compiles it into src/chunker/gear-wasm.ts;
// what it computes, and why, is told in src/chunker/chunker.ts.
//
// Memory is imported, and written by the caller (little-endian) before the first call:
//      0  the gear table, 256 × u64
//   2048  SipHash key, low word · 2056  high word · 2064  threshold for short chunks · 2072  for long ones (u64)
//   2080  minBytes · 2084  averageBytes · 2088  maxBytes (u32)
// The slab with the content lies anywhere after that. No address of content is 0, so 0 stands for "none".

const SIP_KEY_LOW: usize = 2048;
const SIP_KEY_HIGH: usize = 2056;
const SHORT_THRESHOLD: usize = 2064;
const LONG_THRESHOLD: usize = 2072;
const MIN_BYTES: usize = 2080;
const AVERAGE_BYTES: usize = 2084;
const MAX_BYTES: usize = 2088;

/** Bytes that reach the state: each step shifts by one bit, so the state of 64 bits forgets what is older. */
const WINDOW_BYTES: u32 = 64;
/** A state below it is a candidate: its upper 8 bits are zero, which happens every 256 bytes. */
const CANDIDATE_LIMIT: u64 = 1 << 56;

/** The gear state after the byte that was hashed last. */
let state: u64 = 0;

/**
 * The address after the chunk that begins at `start`, or 0 if the content before `end` does not decide it.
 * The caller answers for slab ≤ start ≤ end ≤ size of the memory.
 */
export function nextCut(start: u32, end: u32): u32 {
  const first = start + load<u32>(MIN_BYTES) - 1;
  const firstLong = start + load<u32>(AVERAGE_BYTES) - 1;
  const last = start + load<u32>(MAX_BYTES) - 1;
  if (end <= first) return 0;
  startWindow(first);
  const shortCut = seekCut(first, min(end, firstLong), load<u64>(SHORT_THRESHOLD));
  if (shortCut !== 0 || end <= firstLong) return shortCut;
  const longCut = seekCut(firstLong, min(end, last), load<u64>(LONG_THRESHOLD));
  if (longCut !== 0 || end <= last) return longCut;
  return last + 1;
}

/** Hashes the window of the byte at `first` but for this byte; nothing before it can matter. */
function startWindow(first: u32): void {
  let hash: u64 = 0;
  for (let at = first - WINDOW_BYTES + 1; at < first; at++) hash = roll(hash, load<u8>(at));
  state = hash;
}

/** The address after the first byte in [at, stop) that ends a chunk, or 0 with the state after `stop`. */
function seekCut(at: u32, stop: u32, threshold: u64): u32 {
  let rejected: u64 = 0;
  let rejectedAt: u32 = 0;
  while (at < stop) {
    at = nextCandidate(at, stop);
    if (at === 0) return 0;
    if (rejectedAt === 0 || state !== rejected) {
      if (sipHash(state) < threshold) return at;
      rejected = state;
    } else if (at === rejectedAt + 1) {
      // The same candidate at each byte: the last byte leaves the state as it is, and so will its repetitions.
      at = endOfRun(at, stop);
    }
    rejectedAt = at;
  }
  return 0;
}

/** The address after the first byte in [at, stop) whose state is a candidate, or 0. */
function nextCandidate(at: u32, stop: u32): u32 {
  let hash = state;
  // Unrolled: a third faster than one byte at a time.
  while (at + 8 <= stop) {
    hash = roll(hash, load<u8>(at, 0));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 1);
    hash = roll(hash, load<u8>(at, 1));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 2);
    hash = roll(hash, load<u8>(at, 2));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 3);
    hash = roll(hash, load<u8>(at, 3));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 4);
    hash = roll(hash, load<u8>(at, 4));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 5);
    hash = roll(hash, load<u8>(at, 5));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 6);
    hash = roll(hash, load<u8>(at, 6));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 7);
    hash = roll(hash, load<u8>(at, 7));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 8);
    at += 8;
  }
  for (; at < stop; at++) {
    hash = roll(hash, load<u8>(at));
    if (hash < CANDIDATE_LIMIT) return found(hash, at + 1);
  }
  state = hash;
  return 0;
}

function roll(hash: u64, byte: u32): u64 {
  return (hash << 1) + load<u64>(byte << 3);
}

function found(hash: u64, after: u32): u32 {
  state = hash;
  return after;
}

function endOfRun(at: u32, stop: u32): u32 {
  while (at < stop && load<u8>(at) === load<u8>(at - 1)) at++;
  return at;
}

/** SipHash-2-4 of one word's eight bytes. One loop over locals: a function for a round would need globals. */
function sipHash(word: u64): u64 {
  const lengthBlock: u64 = 8 << 56;
  const low = load<u64>(SIP_KEY_LOW);
  const high = load<u64>(SIP_KEY_HIGH);
  let v0 = low ^ 0x736f6d6570736575;
  let v1 = high ^ 0x646f72616e646f6d;
  let v2 = low ^ 0x6c7967656e657261;
  let v3 = high ^ 0x7465646279746573 ^ word;
  for (let round = 0; round < 8; round++) {
    if (round === 2) {
      v0 ^= word;
      v3 ^= lengthBlock;
    } else if (round === 4) {
      v0 ^= lengthBlock;
      v2 ^= 0xff;
    }
    v0 += v1;
    v1 = rotl(v1, 13) ^ v0;
    v0 = rotl(v0, 32);
    v2 += v3;
    v3 = rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl(v1, 17) ^ v2;
    v2 = rotl(v2, 32);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
