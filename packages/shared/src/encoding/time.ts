import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

const NS_PER_SECOND = 1_000_000_000n;

/** Bytes of a time: seconds since 1970 as i64, then nanoseconds (0–999,999,999) as u32. */
export const TIME_BYTES = 12;

/** Writes nanoseconds since 1970; seconds round down, so times before 1970 have positive nanoseconds. */
export function writeTime(target: ByteWriter, timeNs: bigint): void {
  const nanoseconds = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  target.i64((timeNs - nanoseconds) / NS_PER_SECOND).u32(Number(nanoseconds));
}

/** The nanoseconds since 1970 that {@link writeTime} wrote; a second of more than 10^9 of them is refused as `damaged`. */
export function readTime(source: ByteReader): bigint {
  const seconds = source.i64();
  const nanoseconds = source.u32();
  if (nanoseconds > 999_999_999) source.refuse('a time has too many nanoseconds');
  return seconds * NS_PER_SECOND + BigInt(nanoseconds);
}
