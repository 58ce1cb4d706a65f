import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import type { ByteString } from '../bytes.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

const readerOf = (hex: string): ByteReader => new ByteReader(Buffer.from(hex, 'hex'), 'A test');
const count = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(127, 128, 2 ** 32, 2 ** 53 - 1));
const latin1 = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1') as ByteString);

describe('what a writer wrote', () => {
  it('is read back: variable integers, in 7 bits a byte', () => {
    fc.assert(
      fc.property(fc.array(count), (values) => {
        const writer = new ByteWriter(1);
        for (const value of values) writer.varint(value);
        const reader = new ByteReader(writer.take(), 'A test');
        expect(values.map(() => reader.varint())).toEqual(values);
        reader.expectEnd();
      }),
    );
    expect(new ByteWriter().varint(300).take().toString('hex')).toBe('ac02');
    expect(
      new ByteWriter()
        .varint(2 ** 53 - 1)
        .take()
        .toString('hex'),
    ).toBe('ffffffffffffff0f');
  });

  it('is read back: integers of fixed width, bytes and strings', () => {
    fc.assert(
      fc.property(fc.uint8Array(), latin1, fc.string(), (bytes, name, text) => {
        const writer = new ByteWriter(1).u8(255).u16(65_535).u32(4_294_967_295);
        writer.u64(2n ** 64n - 1n).i64(-(2n ** 63n));
        writer.sized(bytes).sizedLatin1(name).sized(Buffer.from(text, 'utf8')).bytes(bytes).latin1(name);
        const reader = new ByteReader(writer.take(), 'A test');
        expect([reader.u8(), reader.u16(), reader.u32()]).toEqual([255, 65_535, 4_294_967_295]);
        expect([reader.u64(), reader.i64()]).toEqual([2n ** 64n - 1n, -(2n ** 63n)]);
        expect([...reader.sized(1000)]).toEqual([...bytes]);
        expect(reader.sizedLatin1(1000)).toBe(name);
        expect(reader.sizedText(1000)).toBe(Buffer.from(text, 'utf8').toString('utf8'));
        expect([...reader.bytes(bytes.length)]).toEqual([...bytes]);
        expect(reader.latin1(name.length)).toBe(name);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it('stays as it was taken when the writer is used again', () => {
    const writer = new ByteWriter().u8(1);
    const first = writer.take();
    writer.clear().u8(2);
    expect([...first, ...writer.take()]).toEqual([1, 2]);
  });
});

describe('a writer', () => {
  it.each([-1, 0.5, 2 ** 53, Number.NaN])('refuses %d as a variable integer', (value) => {
    expect(() => new ByteWriter().varint(value)).toThrow(RangeError);
  });
});

describe('a reader refuses', () => {
  it.each([
    ['a zero that is spun out', '8000'],
    ['a number that is spun out', 'ff00'],
    ['a number that is spun out to eight bytes', '8180808080808000'],
    ['2^53', '8080808080808010'],
    ['eight bytes of ones', 'ffffffffffffff7f'],
    ['nine bytes', 'ffffffffffffffff01'],
    ['a number without end', '80808080'],
    ['nothing', ''],
  ])('a variable integer: %s', (_, hex) => {
    expect(refusalOf(() => readerOf(hex).varint())).toBe('damaged');
  });

  it('to read past the end, whatever is read', () => {
    const reads: ((reader: ByteReader) => unknown)[] = [
      (reader) => reader.u8(),
      (reader) => reader.u16(),
      (reader) => reader.u32(),
      (reader) => reader.u64(),
      (reader) => reader.i64(),
      (reader) => reader.bytes(1),
      (reader) => reader.latin1(1),
      (reader) => reader.inner(1),
    ];
    for (const read of reads) expect(refusalOf(() => read(readerOf('')))).toBe('damaged');
    const part = new ByteReader(Buffer.alloc(8), 'A test', 2, 4);
    expect(refusalOf(() => part.u32())).toBe('damaged');
  });

  it('a length that lies, before anything is allocated for it', () => {
    const huge = 'ffffffffffffff0f';
    expect(refusalOf(() => readerOf(`${huge}00`).sized(Number.MAX_SAFE_INTEGER))).toBe('damaged');
    expect(refusalOf(() => readerOf('0200').sized(100))).toBe('damaged');
    expect(refusalOf(() => readerOf('0200').sizedLatin1(100))).toBe('damaged');
    expect(refusalOf(() => readerOf('020000').sized(1))).toBe('damaged');
  });

  it('a text that is not UTF-8', () => {
    for (const hex of ['01ff', '02c080', '03eda080', '02c3']) {
      expect(refusalOf(() => readerOf(hex).sizedText(100))).toBe('damaged');
    }
    expect(readerOf('02c3b1').sizedText(100)).toBe('ñ');
  });

  it('bytes that are too many', () => {
    const reader = readerOf('0000');
    reader.u8();
    expect(refusalOf(() => reader.expectEnd())).toBe('damaged');
  });
});

describe('an inner reader', () => {
  it('ends where its part ends, and the outer one goes on behind it', () => {
    const reader = readerOf('010203');
    const inner = reader.inner(2);
    expect([inner.u8(), inner.u8(), reader.u8()]).toEqual([1, 2, 3]);
    expect(refusalOf(() => inner.u8())).toBe('damaged');
  });
});
