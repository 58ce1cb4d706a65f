import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';

/** The only chunker there is; `chunker.ts` says what it computes. Another algorithm gets another id. */
export const CHUNKER_ID = 'gear64-siphash24-1';

/** As it stands in a domain record: whoever shares a domain must cut alike, or nothing is deduplicated. */
export interface ChunkerParameters {
  readonly id: typeof CHUNKER_ID;
  /** Every chunk but the last of a stream has at least so many bytes. From 1024. */
  readonly minBytes: number;
  /** Where cutting becomes easier; the mean of random content is 1 to 2 % below. From twice `minBytes`. */
  readonly averageBytes: number;
  /** A chunk is cut here at the latest. From twice `averageBytes` to `LIMITS.blobPlaintextBytesMax`. */
  readonly maxBytes: number;
}

/**
 * What new domains get. The hiding of boundaries was reckoned for sizes like these: below some 128 KiB for the
 * least chunk, padding no longer covers the candidates (see `chunker.ts`).
 */
export const DEFAULT_CHUNKER_PARAMETERS: ChunkerParameters = {
  id: CHUNKER_ID,
  minBytes: LIMITS.chunkBytesMin,
  averageBytes: LIMITS.chunkBytesAverage,
  maxBytes: LIMITS.chunkBytesMax,
};

const MIN_BYTES_LEAST = 1024;

/** Throws `unknown_format` for a chunker of a later version, `damaged` for sizes outside their bounds. */
export function assertChunkerParameters(parameters: {
  readonly [Name in keyof ChunkerParameters]: Name extends 'id' ? string : number;
}): asserts parameters is ChunkerParameters {
  const { id, minBytes, averageBytes, maxBytes } = parameters;
  if (id !== CHUNKER_ID) {
    throw new CofreError('unknown_format', {
      what: 'The domain record',
      problem: `chunker ${JSON.stringify(id)}`,
    });
  }
  const inBounds =
    [minBytes, averageBytes, maxBytes].every(Number.isSafeInteger) &&
    minBytes >= MIN_BYTES_LEAST &&
    averageBytes >= 2 * minBytes &&
    maxBytes >= 2 * averageBytes &&
    maxBytes <= LIMITS.blobPlaintextBytesMax;
  if (!inBounds) {
    const problem = `chunk sizes ${minBytes}, ${averageBytes}, ${maxBytes} are outside their bounds`;
    throw new CofreError('damaged', { what: 'The domain record', problem });
  }
}

/** A candidate ends a chunk when its 64-bit pseudo-random value is below the threshold for its length. */
export interface CutThresholds {
  /** For lengths below `averageBytes`. */
  readonly short: bigint;
  /** From `averageBytes` on. */
  readonly long: bigint;
}

/** Chances per byte of 2 ∕ 3·spread and 2 ∕ spread, divided by the 2⁻⁸ with which a byte is a candidate. */
export function cutThresholds({ minBytes, averageBytes }: ChunkerParameters): CutThresholds {
  const spread = BigInt(averageBytes - minBytes);
  return { short: 2n ** 73n / (3n * spread), long: 2n ** 73n / spread };
}
