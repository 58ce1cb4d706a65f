import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { ByteWriter } from './byte-writer.ts';
import { RecordReader, RecordWriter } from './record.ts';
import { writeTime } from './time.ts';

const readerOf = (hex: string): RecordReader => new RecordReader(Buffer.from(hex, 'hex'), 'A test');

describe('a record', () => {
  it('is a row of fields: number and whether it is critical, length, bytes', () => {
    const bytes = new RecordWriter()
      .number(1, true, 300)
      .text(2, false, 'ñ')
      .hex(5, true, 'beef')
      .field(200, false, Buffer.alloc(0))
      .take();
    expect(bytes.toString('hex')).toBe(['0302ac02', '0402c3b1', '0b02beef', '900300'].join(''));
  });

  it('gives back what was written, whatever the numbers', () => {
    const anyField = fc.record({
      number: fc.integer({ min: 1, max: 5000 }),
      critical: fc.boolean(),
      value: fc.uint8Array(),
    });
    fc.assert(
      fc.property(fc.uniqueArray(anyField, { selector: ({ number }) => number, maxLength: 50 }), (fields) => {
        const ordered = [...fields].sort((a, b) => a.number - b.number);
        const writer = new RecordWriter();
        for (const { number, critical, value } of ordered) writer.field(number, critical, value);
        const reader = new RecordReader(writer.take(), 'A test');
        for (const { number, value } of ordered) expect([...reader.required(number)]).toEqual([...value]);
        reader.close();
      }),
    );
  });

  it('writes fields in ascending order only', () => {
    const writer = new RecordWriter().number(2, true, 0);
    expect(() => writer.number(2, true, 0)).toThrow(RangeError);
    expect(() => writer.number(1, true, 0)).toThrow(RangeError);
    expect(() => new RecordWriter().number(0, true, 0)).toThrow(RangeError);
  });
});

describe('a record is refused as damaged', () => {
  it.each([
    ['fields out of order', '05000300'],
    ['a field that comes twice', '03000300'],
    ['a field that comes twice, critical and not', '02000300'],
    ['a field number 0', '0100'],
    ['a field number in too many bytes', '830000'],
    ['a length in too many bytes', '038000'],
    ['a length that passes the end', '030500'],
    ['a length that is missing', '03'],
    ['more fields than any record has', Array.from({ length: 300 }, (_, i) => field(i + 1)).join('')],
  ])('with %s', (_, hex) => {
    expect(refusalOf(() => readerOf(hex))).toBe('damaged');
  });

  it('when a field that must be there is missing', () => {
    expect(refusalOf(() => readerOf('').required(1))).toBe('damaged');
    expect(refusalOf(() => readerOf('').time(1))).toBe('damaged');
  });

  it('when a field holds more or less than its kind', () => {
    const number = readerOf('03020000');
    expect(refusalOf(() => number.number(1))).toBe('damaged');
    expect(refusalOf(() => readerOf('030102').flag(1))).toBe('damaged');
    expect(refusalOf(() => readerOf('0302beef').hex(1, 3))).toBe('damaged');
    expect(refusalOf(() => readerOf('0302beef').bytes(1, 1))).toBe('damaged');
    expect(refusalOf(() => readerOf('0301ff').text(1))).toBe('damaged');
    const time = new ByteWriter();
    writeTime(time, 1n);
    const longTime = new RecordWriter().field(1, true, time.u8(0).take()).take();
    expect(refusalOf(() => new RecordReader(longTime, 'A test').time(1))).toBe('damaged');
  });
});

describe('a field that is not known', () => {
  it('is skipped when it is not critical', () => {
    const reader = readerOf('0301070402beef');
    expect(reader.number(1)).toBe(7);
    expect(() => reader.close()).not.toThrow();
  });

  it('makes the record one of a newer version when it is critical', () => {
    const reader = readerOf('0301070502beef');
    expect(reader.number(1)).toBe(7);
    expect(refusalOf(() => reader.close())).toBe('unknown_format');
  });
});

describe('optional fields', () => {
  it('are null where they are missing, and values where they are there', () => {
    const reader = readerOf('0301070401610702beef');
    expect(reader.optionalNumber(1)).toBe(7);
    expect(reader.optionalText(2)).toBe('a');
    expect(reader.optionalHex(3, 2)).toBe('beef');
    expect([reader.optionalNumber(4), reader.optionalText(5), reader.optionalHex(6, 2)]).toEqual([
      null,
      null,
      null,
    ]);
    expect([reader.optionalTime(7), reader.optionalReader(8), reader.optional(9)]).toEqual([
      null,
      null,
      null,
    ]);
    reader.close();
  });
});

function field(number: number): string {
  return new ByteWriter()
    .varint(number * 2)
    .u8(0)
    .take()
    .toString('hex');
}
