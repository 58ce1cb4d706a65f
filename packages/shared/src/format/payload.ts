import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import { CofreError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { releaseMemory } from '../release-memory.ts';
import { looksIncompressible } from './payload-probe.ts';

/**
 * What is inside a blob once it is opened:
 *
 *     codec u8 (0 raw, 1 zstd) ‖ raw length u32 ‖ payload length u32 ‖ payload ‖ zeros
 *
 * Zeros fill it up to the Padmé length (Nikitin and others, "Reducing Metadata Leakage from Encrypted
 * Files and Communication with PURBs", 2019), so that a length tells little about the content.
 */
export const PAYLOAD_HEADER_BYTES = 9;
const CODECS = { raw: 0, zstd: 1 } as const;

/**
 * How hard zstd tries: level 3 with tables that stay in the processor's second cache. Measured on 200 MiB of
 * /usr/lib in chunks of 1 MiB, this is 30 % faster than level 3 as it comes and makes 1 % more of it
 * (docs/adr/0007-compression.md).
 */
const ZSTD_PARAMETERS = {
  [constants.ZSTD_c_compressionLevel]: 3,
  [constants.ZSTD_c_hashLog]: 15,
  [constants.ZSTD_c_chainLog]: 14,
};
/** zstd's window: 8 MiB, what every decoder supports (RFC 8878). Frames of ours need 4 MiB at most. */
const WINDOW_BITS_MAX = 23;
const WHAT = 'The inside of a blob';

/** A payload in the parts of which it is made, so that nothing has to be joined before it is encrypted. */
export interface Payload {
  readonly header: Buffer;
  readonly body: Uint8Array;
  readonly paddingBytes: number;
}

/**
 * Compresses `raw` where that saves something, as far as can be told without trying all of it.
 * @param raw at most `blobPlaintextBytesMax` bytes
 */
export function encodePayload(raw: Uint8Array): Payload {
  if (raw.length > LIMITS.blobPlaintextBytesMax) throw new RangeError(`a payload of ${raw.length} bytes`);
  const compressed = compress(raw);
  const body = compressed ?? raw;
  const header = Buffer.allocUnsafe(PAYLOAD_HEADER_BYTES);
  header[0] = compressed === null ? CODECS.raw : CODECS.zstd;
  header.writeUInt32LE(raw.length, 1);
  header.writeUInt32LE(body.length, 5);
  const length = PAYLOAD_HEADER_BYTES + body.length;
  return { header, body, paddingBytes: padmeLength(length) - length };
}

/** Whole length of an encoded payload. */
export function payloadLength(payload: Payload): number {
  return PAYLOAD_HEADER_BYTES + payload.body.length + payload.paddingBytes;
}

/**
 * The raw content of a payload. Every length, the padding and the result are checked; the raw length is
 * bounded before anything is allocated.
 * @throws CofreError `damaged`, or `unknown_format` for a codec of a later version
 */
export function decodePayload(encoded: Buffer): Buffer {
  if (encoded.length < PAYLOAD_HEADER_BYTES) refuse('it ends too early');
  const codec = encoded[0];
  const rawLength = encoded.readUInt32LE(1);
  const bodyLength = encoded.readUInt32LE(5);
  const end = PAYLOAD_HEADER_BYTES + bodyLength;
  if (rawLength > LIMITS.blobPlaintextBytesMax) refuse(`${rawLength} bytes of content`);
  if (end > encoded.length || padmeLength(end) !== encoded.length) refuse('its length is wrong');
  if (!isZero(encoded, end)) refuse('its padding is not empty');
  const body = encoded.subarray(PAYLOAD_HEADER_BYTES, end);
  const raw = decompress(codec, body, rawLength);
  if (raw.length !== rawLength) refuse(`${raw.length} bytes instead of ${rawLength}`);
  return raw;
}

/** The Padmé length of `length` bytes: overhead below 12 %, and below 3.2 % from 64 KiB on. */
export function padmeLength(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const significantBits = Math.floor(Math.log2(exponent)) + 1;
  const unit = 2 ** Math.max(0, exponent - significantBits);
  return Math.ceil(length / unit) * unit;
}

/** Null where it saves nothing. */
function compress(raw: Uint8Array): Buffer | null {
  if (raw.length < 32 || looksIncompressible(raw)) return null;
  const compressed = zstdCompressSync(raw, {
    // Enough for whatever zstd makes of it (its compress bound), so that it never has to be joined of two buffers;
    // of memory that nothing is written to, the system gives none.
    chunkSize: Math.max(1024, raw.length + (raw.length >> 8) + 128),
    params: ZSTD_PARAMETERS,
    pledgedSrcSize: raw.length,
  });
  if (compressed.length < raw.length) return compressed;
  releaseMemory(compressed);
  return null;
}

function decompress(codec: number | undefined, body: Buffer, rawLength: number): Buffer {
  if (codec === CODECS.raw) return body;
  if (codec !== CODECS.zstd)
    throw new CofreError('unknown_format', { what: WHAT, problem: `codec ${codec}` });
  const { buffer, engine } = decompressFrame(body, rawLength);
  // The decoder stops behind the first frame and says nothing of what follows.
  if (engine.bytesWritten !== body.length) refuse('something follows the compressed content');
  return buffer;
}

function decompressFrame(body: Buffer, rawLength: number): ZstdResult {
  try {
    return zstdDecompressSync(body, {
      // A little more than comes out: zlib would get itself a second buffer when the first is full to the end.
      chunkSize: Math.max(1024, rawLength + 64),
      maxOutputLength: Math.max(1, rawLength),
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_BITS_MAX },
      info: true,
    }) as unknown as ZstdResult;
  } catch (cause) {
    throw new CofreError('damaged', { what: WHAT, problem: 'it does not decompress' }, { cause });
  }
}

/** What `info: true` gives, which the typings don't know. */
interface ZstdResult {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function isZero(bytes: Buffer, start: number): boolean {
  for (let index = start; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: WHAT, problem });
}
