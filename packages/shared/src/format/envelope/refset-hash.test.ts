import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleChunkId } from '../../../../../test/builders/format-samples.ts';
import type { ChunkId } from '../../ids.ts';
import { RefsetHash } from './refset-hash.ts';

const ids = fc.uniqueArray(fc.nat(0xffff), { maxLength: 12 }).map((all) => all.map(sampleChunkId));

function hashOf(...all: readonly ChunkId[]): RefsetHash {
  const hash = RefsetHash.empty();
  for (const id of all) hash.add(id);
  return hash;
}

const summary = (hash: RefsetHash) => [hash.count, hash.digest().toString('hex')];

describe('the hash of a refset', () => {
  it('does not depend on the order', () => {
    fc.assert(
      fc.property(
        ids.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(summary(hashOf(...shuffled))).toEqual(summary(hashOf(...all)));
        },
      ),
    );
  });

  it('forgets what is removed, in any order', () => {
    fc.assert(
      fc.property(ids, ids, (kept, extra) => {
        const hash = hashOf(...extra, ...kept);
        for (const id of extra) hash.remove(id);
        expect(summary(hash)).toEqual(summary(hashOf(...kept)));
      }),
    );
  });

  it('differs for different sets', () => {
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        const isSame = [...a].sort().join() === [...b].sort().join();
        expect(
          hashOf(...a)
            .digest()
            .equals(hashOf(...b).digest()),
        ).toBe(isSame);
      }),
    );
  });

  it('goes on from a kept state, which is a copy', () => {
    const hash = hashOf(sampleChunkId(1));
    const state = hash.state();
    const resumed = RefsetHash.fromState(state, hash.count);
    hash.add(sampleChunkId(3));
    resumed.add(sampleChunkId(2));
    expect(state).toHaveLength(2048);
    expect(summary(resumed)).toEqual(summary(hashOf(sampleChunkId(2), sampleChunkId(1))));
  });

  it('takes a state that lies anywhere in its buffer, and of its length only', () => {
    const state = hashOf(sampleChunkId(1)).state();
    const shifted = Buffer.concat([Buffer.alloc(1), state]).subarray(1);
    expect(RefsetHash.fromState(shifted, 1).digest()).toEqual(hashOf(sampleChunkId(1)).digest());
    expect(() => RefsetHash.fromState(state.subarray(1), 1)).toThrow(RangeError);
  });

  it('counts an id twice that is added twice: it is for who keeps a set', () => {
    const id = sampleChunkId(1);
    expect(hashOf(id, id).count).toBe(2);
    expect(hashOf(id, id).digest()).not.toEqual(hashOf(id).digest());
  });
});
