import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { domainKeys, newDomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { newKeyPeriod, periodKeys } from '@cofre/shared/crypto/key-period';
import { newRandomId, type DeviceId, type DomainId } from '@cofre/shared/ids';
import { chunkIdOf, craftBlob, craftPayload } from '../../../../test/builders/craft-blob.ts';
import { ChunkOpener } from './job-work.ts';

const domain = domainKeys(newDomainSecrets(newRandomId<DomainId>()));
const period = newKeyPeriod(newRandomId<DeviceId>(), domain.domainId);
const content = Buffer.from('what was backed up');

/** A blob that is genuine but for its payload's codec. */
function blobOf(codec: number): Buffer {
  const payload = craftPayload(content, content, 0);
  payload[0] = codec;
  const chunkId = chunkIdOf(domain, 'data', content);
  return craftBlob({
    type: 'data',
    domain,
    period: periodKeys(period),
    nonce: randomBytes(12),
    payload,
    chunkId,
  });
}

function opener(): ChunkOpener {
  const made = new ChunkOpener(domain);
  made.addPeriod(period);
  return made;
}

describe('a chunk', () => {
  it('is opened', () => {
    expect(opener().open(blobOf(0))).toEqual(content);
  });

  it('is damaged when it was altered, and when its key is not known', () => {
    const altered = blobOf(0);
    altered[altered.length - 1]! ^= 1;
    expect(opener().open(altered)).toBe('damaged');
    expect(new ChunkOpener(domain).open(blobOf(0))).toBe('damaged');
  });

  it('is of a later format by its outside, and by what is sealed in it', () => {
    const later = blobOf(0);
    later[4] = 2;
    expect(opener().open(later)).toBe('later-format');
    expect(opener().open(blobOf(9))).toBe('later-format');
  });
});
