import { zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { craftPayload } from '../../../../test/builders/craft-blob.ts';
import { flippedBits, refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import { LIMITS } from '../limits.ts';
import { decodePayload, encodePayload, padmeLength, payloadLength, type Payload } from './payload.ts';

function join({ header, body, paddingBytes }: Payload): Buffer {
  return Buffer.concat([header, body, Buffer.alloc(paddingBytes)]);
}

const TEXT = Buffer.from('a line of text that is found again and again\n'.repeat(100));

describe('a payload', () => {
  it('gives back its content, and has the Padmé length', () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.nat(5000).map((length) => new Uint8Array(length)),
    );
    fc.assert(
      fc.property(content, (raw) => {
        const payload = encodePayload(raw);
        const encoded = join(payload);
        expect(encoded).toHaveLength(payloadLength(payload));
        expect(padmeLength(9 + payload.body.length)).toBe(encoded.length);
        expect(decodePayload(encoded).equals(raw)).toBe(true);
      }),
    );
  });

  it('is compressed where that saves something, and raw where it does not', () => {
    expect(encodePayload(TEXT).header[0]).toBe(1);
    expect(encodePayload(TEXT).body.length).toBeLessThan(TEXT.length / 10);
    expect(encodePayload(Buffer.from('short')).header[0]).toBe(0);
  });

  it.each([1000, 1_000_000])('of %i random bytes holds them as they are, in their own memory', (length) => {
    const raw = new SeededRandom('payload').bytes(length);
    const payload = encodePayload(raw);
    expect(payload.header[0]).toBe(0);
    expect(payload.body).toBe(raw);
    expect(decodePayload(join(payload)).equals(raw)).toBe(true);
  });

  it('takes the largest content, and no byte more', () => {
    const largest = Buffer.alloc(LIMITS.blobPlaintextBytesMax, 'cofre');
    expect(decodePayload(join(encodePayload(largest))).equals(largest)).toBe(true);
    expect(() => encodePayload(Buffer.alloc(LIMITS.blobPlaintextBytesMax + 1))).toThrow(RangeError);
  });
});

describe('a payload is refused as damaged', () => {
  it('when it is cut anywhere, or goes on', () => {
    const encoded = join(encodePayload(TEXT));
    for (let length = 0; length < encoded.length; length++) {
      expect(refusalOf(() => decodePayload(encoded.subarray(0, length)))).toBe('damaged');
    }
    expect(refusalOf(() => decodePayload(Buffer.concat([encoded, Buffer.alloc(1)])))).toBe('damaged');
  });

  it('when a byte of its padding is not zero', () => {
    const encoded = craftPayload({ length: 1000 }, Buffer.alloc(1000), 0);
    expect(encoded.length).toBeGreaterThan(1009);
    for (let at = 1009; at < encoded.length; at++) {
      const marked = Buffer.from(encoded);
      marked[at] = 1;
      expect(refusalOf(() => decodePayload(marked))).toBe('damaged');
    }
  });

  it('when it is padded to another length than Padmé gives', () => {
    const short = Buffer.concat([craftPayload({ length: 5 }, Buffer.from('short'), 0), Buffer.alloc(50)]);
    expect(refusalOf(() => decodePayload(short))).toBe('damaged');
  });

  it('when something follows the compressed content, which zstd does not notice', () => {
    const frame = zstdCompressSync(TEXT);
    const skippable = Buffer.from('502a4d180000000000', 'hex');
    for (const more of [Buffer.alloc(1), Buffer.from('more'), frame, skippable]) {
      const encoded = craftPayload(TEXT, Buffer.concat([frame, more]), 1);
      expect(refusalOf(() => decodePayload(encoded))).toBe('damaged');
    }
    expect(decodePayload(craftPayload(TEXT, frame, 1)).equals(TEXT)).toBe(true);
  });

  it('when its content is longer or shorter than it says', () => {
    const frame = zstdCompressSync(TEXT);
    for (const length of [0, 1, TEXT.length - 1, TEXT.length + 1, LIMITS.blobPlaintextBytesMax]) {
      expect(refusalOf(() => decodePayload(craftPayload({ length }, frame, 1)))).toBe('damaged');
      expect(refusalOf(() => decodePayload(craftPayload({ length }, TEXT, 0)))).toBe('damaged');
    }
  });

  it('when it holds more than any blob, and says so', () => {
    const large = Buffer.alloc(LIMITS.blobPlaintextBytesMax + 1);
    expect(refusalOf(() => decodePayload(craftPayload(large, zstdCompressSync(large), 1)))).toBe('damaged');
    expect(refusalOf(() => decodePayload(craftPayload(large, large, 0)))).toBe('damaged');
  });

  it('when it only says that it holds more than any blob, before anything is allocated', () => {
    const frame = zstdCompressSync(Buffer.alloc(1));
    for (const length of [LIMITS.blobPlaintextBytesMax + 1, 0xffff_ffff]) {
      expect(refusalOf(() => decodePayload(craftPayload({ length }, frame, 1)))).toBe('damaged');
    }
  });

  it('when it is a bomb: a few bytes that decompress without end', () => {
    const bomb = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(8192);
    for (const length of [1, LIMITS.blobPlaintextBytesMax]) {
      expect(refusalOf(() => decodePayload(craftPayload({ length }, bomb, 1)))).toBe('damaged');
    }
  });

  it('when its frame wants a window larger than 8 MiB', () => {
    // One raw block behind a header with nothing but a window descriptor (RFC 8878).
    const frame = (windowBits: number): Buffer => {
      const block = Buffer.alloc(3);
      block.writeUIntLE(TEXT.length * 8 + 1, 0, 3);
      return Buffer.concat([
        Buffer.from('28b52ffd00', 'hex'),
        Buffer.from([(windowBits - 10) * 8]),
        block,
        TEXT,
      ]);
    };
    expect(decodePayload(craftPayload(TEXT, frame(23), 1)).equals(TEXT)).toBe(true);
    for (const windowBits of [24, 27, 31]) {
      expect(refusalOf(() => decodePayload(craftPayload(TEXT, frame(windowBits), 1)))).toBe('damaged');
    }
  });

  it('when its frame ends early, or is none', () => {
    const frame = zstdCompressSync(TEXT);
    for (const body of [
      frame.subarray(0, -1),
      frame.subarray(0, 5),
      Buffer.from('no frame'),
      Buffer.alloc(0),
    ]) {
      expect(refusalOf(() => decodePayload(craftPayload(TEXT, body, 1)))).toBe('damaged');
    }
  });

  it('or as one of a later version for another codec', () => {
    const encoded = craftPayload(TEXT, TEXT, 0);
    for (const codec of [2, 255]) {
      encoded[0] = codec;
      expect(refusalOf(() => decodePayload(encoded))).toBe('unknown_format');
    }
  });
});

it('a bit that is flipped in a payload is found, or changes the content: the cipher is what protects it', () => {
  const raw = Buffer.from('content');
  for (const { bytes } of flippedBits(join(encodePayload(raw)))) {
    let decoded: Buffer | null = null;
    const code = refusalOf(() => (decoded = decodePayload(bytes)));
    expect(code !== null || decoded === null || !raw.equals(decoded)).toBe(true);
  }
});

describe('the Padmé length', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [9, 10],
    [17, 18],
    [100, 104],
    [1000, 1024],
    [1009, 1024],
    [1025, 1088],
    [65_537, 67_584],
    [1_048_585, 1_081_344],
    [4_194_313, 4_325_376],
  ])('of %i is %i', (length, padded) => {
    expect(padmeLength(length)).toBe(padded);
  });

  it('is never shorter, ends in zeros, stays as it is, and costs less than 12 %', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 2, max: 5_000_000 }), fc.integer({ min: 2, max: 4096 })),
        (length) => {
          const padded = padmeLength(length);
          expect(padded).toBeGreaterThanOrEqual(length);
          expect(padded).toBeLessThan(length * 1.12);
          expect(padmeLength(padded)).toBe(padded);
          expect(padmeLength(length + 1)).toBeGreaterThanOrEqual(padded);
          // Of E = ⌊log2 L⌋, all but the first ⌊log2 E⌋ + 1 bits behind the leading one are zero.
          const exponent = length.toString(2).length - 1;
          const zeros = exponent - exponent.toString(2).length;
          expect(zeros <= 0 || padded % 2 ** zeros === 0).toBe(true);
        },
      ),
    );
  });
});
