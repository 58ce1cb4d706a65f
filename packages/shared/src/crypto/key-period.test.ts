import { describe, expect, it } from 'vitest';
import {
  DEVICE_ID,
  DOMAIN_ID,
  SAMPLE_PERIOD,
  sampleChunkId,
} from '../../../../test/builders/format-samples.ts';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import type { BlobType } from '../format/envelope/blob.ts';
import { decodeKeyPeriod, encodeKeyPeriod, newKeyPeriod, periodKeys } from './key-period.ts';

const TYPES: BlobType[] = ['data', 'catalog', 'list', 'info'];

describe('the keys of a period', () => {
  it('are different for each blob, each type and each period', () => {
    const periods = [SAMPLE_PERIOD, newKeyPeriod(DEVICE_ID, DOMAIN_ID), newKeyPeriod(DEVICE_ID, DOMAIN_ID)];
    const keys = periods.flatMap((period) =>
      TYPES.flatMap((type) =>
        [1, 2, 3].map((number) => periodKeys(period).blobKey(type, sampleChunkId(number)).toString('hex')),
      ),
    );
    expect(new Set(keys).size).toBe(3 * 4 * 3);
    expect(keys.every((key) => key.length === 64)).toBe(true);
  });

  it('come from the secret alone', () => {
    const again = { ...SAMPLE_PERIOD, secret: Buffer.from(SAMPLE_PERIOD.secret) };
    const id = sampleChunkId(1);
    expect(periodKeys(again).blobKey('data', id)).toEqual(periodKeys(SAMPLE_PERIOD).blobKey('data', id));
  });
});

describe('a key period', () => {
  it('is given back', () => {
    const fresh = newKeyPeriod(DEVICE_ID, DOMAIN_ID);
    for (const period of [SAMPLE_PERIOD, fresh])
      expect(decodeKeyPeriod(encodeKeyPeriod(period))).toEqual(period);
    expect(fresh.secret).toHaveLength(32);
  });

  it('is refused when its secret has another length', () => {
    for (const length of [0, 31, 33]) {
      const period = encodeKeyPeriod({ ...SAMPLE_PERIOD, secret: Buffer.alloc(length) });
      expect(refusalOf(() => decodeKeyPeriod(period))).toBe('damaged');
    }
  });
});
