import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readTime, TIME_BYTES, writeTime } from './time.ts';

function encoded(timeNs: bigint): Buffer {
  const writer = new ByteWriter();
  writeTime(writer, timeNs);
  return writer.take();
}

it('gives back every nanosecond that a file system can say, and more', () => {
  const years = 400n * 366n * 86_400n * 1_000_000_000n;
  fc.assert(
    fc.property(fc.bigInt({ min: -years * 1000n, max: years * 1000n }), (timeNs) => {
      const bytes = encoded(timeNs);
      expect(bytes).toHaveLength(TIME_BYTES);
      expect(readTime(new ByteReader(bytes, 'A time'))).toBe(timeNs);
    }),
  );
});

it('rounds seconds down, so that nanoseconds are positive before 1970 too', () => {
  expect(encoded(-1n).toString('hex')).toBe('ffffffffffffffffffc99a3b');
  expect(encoded(1_000_000_002n).toString('hex')).toBe('010000000000000002000000');
});

it('refuses a second of more than a second', () => {
  const bytes = Buffer.from('000000000000000000ca9a3b', 'hex');
  expect(refusalOf(() => readTime(new ByteReader(bytes, 'A time')))).toBe('damaged');
});
