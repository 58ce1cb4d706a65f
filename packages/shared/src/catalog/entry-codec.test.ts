import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SAMPLE_ENTRY, SMALL_ENTRY } from '../../../../test/builders/format-samples.ts';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import type { ByteString } from '../bytes.ts';
import { RecordReader, RecordWriter } from '../encoding/record.ts';
import type { EntryType } from '../format/entry.ts';
import { decodeEntryMetadata, encodeEntryMetadata, type EntryMetadata } from './entry-codec.ts';

const TYPES: EntryType[] = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'character-device',
  'block-device',
  'stream',
];

const bytes = fc.uint8Array({ maxLength: 20 }).map((all) => Buffer.from(all));
const byteString = bytes.map((all) => all.toString('latin1') as ByteString);
const years = 10_000n * 366n * 86_400n * 1_000_000_000n;
const time = fc.bigInt({ min: -years, max: years });
const number = fc.nat(0xffff_ffff);

/** Holes from gaps and lengths, none of them empty, and the size that they fit into. */
const sparse = fc
  .tuple(fc.array(fc.tuple(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e12 }))), fc.nat(1e9))
  .map(([pairs, rest]) => {
    let position = 0;
    const holes = pairs.map(([gap, length], index) => {
      const offset = position + gap - (index === 0 ? 1 : 0);
      position = offset + length;
      return { offset, length };
    });
    return { size: position + rest, ...(holes.length > 0 ? { holes } : {}) };
  });

const optional = fc.record(
  {
    userName: fc.string(),
    groupName: fc.string(),
    atimeNs: time,
    birthtimeNs: time,
    xattrs: fc.array(fc.record({ name: byteString, value: bytes }), { minLength: 1, maxLength: 4 }),
    linkTarget: byteString,
    hardLinkTo: byteString,
    device: fc.record({ major: number, minor: number }),
    windowsAttributes: number,
    securityDescriptor: bytes,
    nameEncoding: fc.constantFrom('posix', 'utf16le', 'utf8-nfd'),
  },
  { requiredKeys: [] },
);

const entry: fc.Arbitrary<EntryMetadata> = fc
  .tuple(
    fc.record({
      type: fc.constantFrom(...TYPES),
      mode: fc.nat(0o7777),
      uid: number,
      gid: number,
      mtimeNs: time,
    }),
    sparse,
    optional,
  )
  .map(([required, extents, rest]) => ({ ...required, ...extents, ...rest }));

describe('the metadata of an entry', () => {
  it('is given back, whatever it has', () => {
    fc.assert(
      fc.property(entry, (one) => {
        const encoded = encodeEntryMetadata(one);
        expect(decodeEntryMetadata(encoded)).toEqual(one);
      }),
    );
  });

  it('is given back with every field, and with as few as there can be', () => {
    for (const one of [SAMPLE_ENTRY, SMALL_ENTRY]) {
      const encoded = encodeEntryMetadata(one);
      expect(decodeEntryMetadata(encoded)).toEqual(one);
      expect(encodeEntryMetadata(decodeEntryMetadata(encoded))).toEqual(encoded);
    }
    expect(encodeEntryMetadata(SMALL_ENTRY).toString('hex')).toBe(
      ['030102', '050100', '070100', '090100', '0f0c000000000000000000000000'].join(''),
    );
  });

  it.each([
    [{ changedWhileRead: true }],
    [{ placeholder: true }],
    [{ stale: { sinceNs: -5n, reason: '' } }],
    [{ changedWhileRead: true, stale: { sinceNs: 5n, reason: 'EIO' } }],
  ] satisfies [EntryMetadata['flags']][])('keeps the flags %o', (flags) => {
    const flagged = { ...SMALL_ENTRY, flags };
    expect(decodeEntryMetadata(encodeEntryMetadata(flagged))).toEqual(flagged);
  });

  it('is refused when it is cut anywhere, unless the rest is an entry that lacks its last fields', () => {
    const encoded = encodeEntryMetadata(SAMPLE_ENTRY);
    for (let length = 0; length < encoded.length; length++) {
      const cut = encoded.subarray(0, length);
      const code = refusalOf(() => expect(encodeEntryMetadata(decodeEntryMetadata(cut))).toEqual(cut));
      expect([null, 'damaged']).toContain(code);
    }
  });
});

/** A small entry with one field written by hand. */
function withField(field: number, value: readonly number[] | Buffer, critical = true): Buffer {
  const record = new RecordReader(encodeEntryMetadata({ ...SMALL_ENTRY, size: 5000 }), 'A test');
  const writer = new RecordWriter();
  for (let known = 1; known <= 30; known++) {
    if (known === field) writer.field(field, critical, Buffer.from(value));
    const kept = record.optional(known);
    if (kept !== null && known !== field) writer.field(known, true, kept);
  }
  return writer.take();
}

const tooLongTime = Buffer.concat([Buffer.alloc(12), Buffer.from([0])]);

describe('an entry is refused as damaged', () => {
  it.each<[string, number, readonly number[] | Buffer]>([
    ['a number with more behind it', 3, [1, 1]],
    ['a mode with more than permissions', 2, [0x80, 0x20]],
    ['a time with more behind it', 7, tooLongTime],
    ['a time that is cut', 8, Buffer.alloc(11)],
    ['a name that is not UTF-8', 5, [0xff]],
    ['a size of zero that is written', 10, [0]],
    ['attributes that are none', 11, []],
    ['an attribute without its value', 11, [1, 0x61]],
    ['a device number with more behind it', 14, [1, 2, 3]],
    ['half a device number', 14, [1]],
    ['holes that are none', 15, []],
    ['a hole without length', 15, [1, 0]],
    ['holes that touch', 15, [1, 1, 0, 1]],
    ['a hole beyond the size', 15, [0x80, 0x20, 0x80, 0x20]],
    ['a hole beyond all numbers', 15, [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['flags that are none', 16, [0]],
    ['a mark without a time', 17, [0x45]],
  ])('with %s', (_, field, value) => {
    expect(refusalOf(() => decodeEntryMetadata(withField(field, value)))).toBe('damaged');
  });

  it.each([1, 2, 3, 4, 7])('without field %i', (missing) => {
    const record = new RecordReader(encodeEntryMetadata(SMALL_ENTRY), 'A test');
    const writer = new RecordWriter();
    for (let field = 1; field <= 7; field++) {
      const value = record.optional(field);
      if (value !== null && field !== missing) writer.field(field, true, value);
    }
    expect(refusalOf(() => decodeEntryMetadata(writer.take()))).toBe('damaged');
  });
});

describe('an entry of a later version', () => {
  it.each([
    ['another type', 1, 8],
    ['another encoding of names', 20, 3],
    ['a critical field that is new', 21, 0],
  ])('is refused as such for %s', (_, field, value) => {
    expect(refusalOf(() => decodeEntryMetadata(withField(field, [value])))).toBe('unknown_format');
  });

  it('is read without the fields and flags that are not critical', () => {
    expect(decodeEntryMetadata(withField(21, [7], false))).toEqual({ ...SMALL_ENTRY, size: 5000 });
    expect(decodeEntryMetadata(withField(16, [0x05], false)).flags).toEqual({ changedWhileRead: true });
  });
});

it('a writer writes holes only in order', () => {
  const holes = [
    { offset: 100, length: 10 },
    { offset: 50, length: 10 },
  ];
  expect(() => encodeEntryMetadata({ ...SMALL_ENTRY, size: 1000, holes })).toThrow(RangeError);
});
