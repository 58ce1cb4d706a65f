import { expect, test } from 'vitest';
import {
  assertChunkerParameters,
  CHUNKER_ID,
  cutThresholds,
  DEFAULT_CHUNKER_PARAMETERS,
} from './chunker-parameters.ts';

const MIB = 1024 * 1024;

test('the defaults, the least and the largest sizes are accepted', () => {
  for (const sizes of [
    {},
    { minBytes: 1024, averageBytes: 2048, maxBytes: 4096 },
    { minBytes: MIB, averageBytes: 2 * MIB, maxBytes: 4 * MIB },
  ]) {
    expect(() => assertChunkerParameters({ ...DEFAULT_CHUNKER_PARAMETERS, ...sizes })).not.toThrow();
  }
});

test.each([
  ['a minimum below 1024', { minBytes: 1023 }],
  ['an average below twice the minimum', { minBytes: 524_289 }],
  ['a maximum below twice the average', { maxBytes: 2 * MIB - 1 }],
  ['a maximum that no blob holds', { maxBytes: 4 * MIB + 1 }],
  ['a fraction', { minBytes: 4096.5 }],
  ['a size that is not a number', { averageBytes: Number.NaN }],
])('%s is damaged', (_, sizes) => {
  const parameters = { ...DEFAULT_CHUNKER_PARAMETERS, ...sizes };
  expect(() => assertChunkerParameters(parameters)).toThrow(expect.objectContaining({ code: 'damaged' }));
});

test('a chunker that we do not know is an unknown format', () => {
  const parameters = { ...DEFAULT_CHUNKER_PARAMETERS, id: 'gear64-siphash24-2' };
  expect(() => assertChunkerParameters(parameters)).toThrow(
    expect.objectContaining({ code: 'unknown_format' }),
  );
});

test('no threshold exceeds the range of the value that it bounds', () => {
  const least = { id: CHUNKER_ID, minBytes: 1024, averageBytes: 2048, maxBytes: 4096 } as const;
  expect(cutThresholds(least)).toEqual({ short: 2n ** 63n / 3n, long: 2n ** 63n });
});
