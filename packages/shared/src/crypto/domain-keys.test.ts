import { describe, expect, it } from 'vitest';
import { SAMPLE_DOMAIN, sampleChunkId } from '../../../../test/builders/format-samples.ts';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { RecordWriter } from '../encoding/record.ts';
import { isChunkId, isRandomId, newRandomId, type DomainId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { decodeDomainSecrets, domainKeys, encodeDomainSecrets, newDomainSecrets } from './domain-keys.ts';

const keys = domainKeys(SAMPLE_DOMAIN);
const TABLE = Buffer.from(sampleChunkId(1), 'hex');
const NO_TABLE = Buffer.alloc(0);
const CONTENT = Buffer.from('content');

describe('the keys of a domain', () => {
  it('name the same by the same name, and everything else by another', () => {
    const ids = [
      keys.dataId(CONTENT),
      keys.dataId(Buffer.from('Content')),
      keys.nodeId('catalog', NO_TABLE, CONTENT),
      keys.nodeId('list', NO_TABLE, CONTENT),
      keys.nodeId('info', NO_TABLE, CONTENT),
      keys.nodeId('catalog', TABLE, CONTENT),
      // What is in the table in one and in the content in the other.
      keys.nodeId('catalog', NO_TABLE, Buffer.concat([TABLE, CONTENT])),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every(isChunkId)).toBe(true);
    expect(domainKeys(SAMPLE_DOMAIN).dataId(CONTENT)).toBe(ids[0]);
  });

  it('depend on the secret of ids, or on that of cuts', () => {
    const otherIds = domainKeys({ ...SAMPLE_DOMAIN, idSecret: Buffer.alloc(32, 9) });
    const otherCuts = domainKeys({ ...SAMPLE_DOMAIN, cutSecret: Buffer.alloc(32, 9) });
    expect(otherIds.dataId(CONTENT)).not.toBe(keys.dataId(CONTENT));
    expect(otherIds.nodeId('list', TABLE, CONTENT)).not.toBe(keys.nodeId('list', TABLE, CONTENT));
    expect(otherIds.setId('default')).not.toBe(keys.setId('default'));
    expect(otherIds.chunkerKey).toEqual(keys.chunkerKey);
    expect(otherCuts.dataId(CONTENT)).toBe(keys.dataId(CONTENT));
    expect(otherCuts.chunkerKey).not.toEqual(keys.chunkerKey);
    expect(otherCuts.catalogCutKey).not.toEqual(keys.catalogCutKey);
  });

  it('are as long as what they are for', () => {
    expect([keys.chunkerKey.length, keys.catalogCutKey.length]).toEqual([32, 8]);
  });

  it('find a set by its name, so that a computer which lost its state goes on with its chain', () => {
    expect(isRandomId(keys.setId('documentos ñ'))).toBe(true);
    expect(keys.setId('documentos ñ')).toBe(domainKeys(SAMPLE_DOMAIN).setId('documentos ñ'));
    expect(keys.setId('documentos')).not.toBe(keys.setId('documentos ñ'));
  });
});

describe('the secrets of a domain', () => {
  it('are given back', () => {
    const fresh = newDomainSecrets(newRandomId<DomainId>());
    for (const secrets of [SAMPLE_DOMAIN, fresh]) {
      expect(decodeDomainSecrets(encodeDomainSecrets(secrets))).toEqual(secrets);
    }
    expect(fresh.chunker).toEqual({
      chunkerId: 1,
      bytesMin: LIMITS.chunkBytesMin,
      bytesAverage: LIMITS.chunkBytesAverage,
      bytesMax: LIMITS.chunkBytesMax,
    });
    expect(fresh.idSecret).not.toEqual(fresh.cutSecret);
  });

  it('are refused when a secret is shorter, or something follows the settings', () => {
    const record = (idSecret: Buffer, chunker: number[]): Buffer =>
      new RecordWriter()
        .hex(1, true, SAMPLE_DOMAIN.domainId)
        .field(2, true, idSecret)
        .field(3, true, SAMPLE_DOMAIN.cutSecret)
        .field(4, true, Buffer.from(chunker))
        .take();
    expect(refusalOf(() => decodeDomainSecrets(record(Buffer.alloc(32), [1, 2, 3, 4])))).toBeNull();
    expect(refusalOf(() => decodeDomainSecrets(record(Buffer.alloc(0), [1, 2, 3, 4])))).toBe('damaged');
    expect(refusalOf(() => decodeDomainSecrets(record(Buffer.alloc(33), [1, 2, 3, 4])))).toBe('damaged');
    expect(refusalOf(() => decodeDomainSecrets(record(Buffer.alloc(32), [1, 2, 3, 4, 5])))).toBe('damaged');
    expect(refusalOf(() => decodeDomainSecrets(record(Buffer.alloc(32), [1, 2, 3])))).toBe('damaged');
  });
});
