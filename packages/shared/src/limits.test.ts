import { describe, expect, it } from 'vitest';
import { ageKeyPairFromSeed } from './crypto/age-identity.ts';
import { blobLength } from './format/envelope/blob.ts';
import { PACK_HEADER_BYTES, packTailLength } from './format/envelope/pack.ts';
import { encodeRoster, type Roster, type RosterDevice } from './format/envelope/roster.ts';
import { PAYLOAD_HEADER_BYTES, padmeLength } from './format/payload.ts';
import type { DeviceId, DomainId, TenantId } from './ids.ts';
import { LIMITS } from './limits.ts';

const {
  blobPlaintextBytesMax,
  blobSealedBytesMax,
  catalogNodeBytesAverage,
  catalogNodeBytesMax,
  catalogNodeBytesMin,
  nodeTableIdsMax,
} = LIMITS;

const IDS_BYTES = 32;
const largestBlobBytes = blobLength({ tableCount: nodeTableIdsMax, sealedLength: blobSealedBytesMax });

describe('content', () => {
  it('is cut into sizes of which each is well above the one before', () => {
    expect(LIMITS.chunkBytesAverage).toBeGreaterThanOrEqual(2 * LIMITS.chunkBytesMin);
    expect(LIMITS.chunkBytesMax).toBeGreaterThanOrEqual(2 * LIMITS.chunkBytesAverage);
  });

  it('of the largest chunk fits into a blob, padding and all', () => {
    expect(LIMITS.chunkBytesMax).toBeLessThanOrEqual(blobPlaintextBytesMax);
    expect(blobSealedBytesMax).toBeGreaterThanOrEqual(
      padmeLength(PAYLOAD_HEADER_BYTES + blobPlaintextBytesMax),
    );
  });

  it('of a bundled file fits into a bundle, and a bundle has several chunks', () => {
    expect(LIMITS.bundledFileBytesMax).toBeLessThanOrEqual(LIMITS.chunkBytesMax);
    expect(LIMITS.bundleBytesMax).toBeGreaterThanOrEqual(LIMITS.chunkBytesMax + LIMITS.bundledFileBytesMax);
    expect(LIMITS.segmentBytes % LIMITS.chunkBytesMax).toBe(0);
  });
});

describe('a pack', () => {
  it('that is closed at its target is never larger than one may be', () => {
    const largest =
      PACK_HEADER_BYTES + LIMITS.packBytesTarget + largestBlobBytes + packTailLength(LIMITS.packBlobsMax);
    expect(largest).toBeLessThanOrEqual(LIMITS.packBytesMax);
  });

  it('has room for the largest blob', () => {
    expect(LIMITS.packBytesTarget).toBeGreaterThanOrEqual(largestBlobBytes);
  });

  it('has a length, and so has each blob, that fits into the 32 bits that they have', () => {
    expect(LIMITS.packBytesMax).toBeLessThan(2 ** 32);
    expect(largestBlobBytes).toBeLessThan(2 ** 32);
  });
});

describe('a catalog', () => {
  it('has leaves of sizes of which each is well above the one before', () => {
    expect(catalogNodeBytesAverage).toBeGreaterThanOrEqual(2 * catalogNodeBytesMin);
    expect(catalogNodeBytesMax).toBeGreaterThanOrEqual(2 * catalogNodeBytesAverage);
  });

  it('has room in a node for the largest entry behind an almost full leaf, and in a blob for the node', () => {
    const streamBytes = LIMITS.pathComponentBytesMax + 8 + LIMITS.streamInlineSlicesMax * 16;
    const largestEntry =
      LIMITS.pathBytesMax +
      LIMITS.entryBytesMax +
      LIMITS.inlineSlicesMax * 16 +
      LIMITS.namedStreamsMax * streamBytes;
    expect(catalogNodeBytesMax + largestEntry).toBeLessThanOrEqual(blobPlaintextBytesMax);
  });

  it('has room in a table for the ids of the largest entry, and for those of any list', () => {
    const entryIds = LIMITS.inlineSlicesMax + LIMITS.namedStreamsMax * LIMITS.streamInlineSlicesMax;
    expect(entryIds).toBeLessThanOrEqual(nodeTableIdsMax);
    expect(LIMITS.listNodeSlicesMax).toBeLessThanOrEqual(nodeTableIdsMax);
    // An inner node: an item takes 40 bytes and more of its bound.
    expect(catalogNodeBytesMax / 40).toBeLessThanOrEqual(nodeTableIdsMax);
  });

  it('has lists that get shorter from level to level, and hold a file of any size that can be said', () => {
    expect(LIMITS.inlineSlicesMax).toBeGreaterThanOrEqual(LIMITS.streamInlineSlicesMax);
    expect(LIMITS.listNodeSlicesAverage).toBeGreaterThan(LIMITS.listNodeSlicesMin);
    expect(LIMITS.listNodeSlicesMax).toBeGreaterThan(LIMITS.listNodeSlicesAverage);
    const slices = LIMITS.listNodeSlicesMin ** LIMITS.listDepthMax;
    expect(slices * LIMITS.chunkBytesMin).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it('has room for paths that Linux allows', () => {
    expect(LIMITS.pathComponentBytesMax).toBeGreaterThanOrEqual(255);
    expect(LIMITS.pathBytesMax).toBeGreaterThanOrEqual(4096);
  });
});

describe('signed objects', () => {
  it('have room for the largest roster', async () => {
    const { recipient } = await ageKeyPairFromSeed(Buffer.alloc(32, 1));
    const device: RosterDevice = {
      deviceId: 'ff'.repeat(16) as DeviceId,
      signingKey: 'ff'.repeat(32),
      inbox: recipient,
      domainId: 'ff'.repeat(16) as DomainId,
      isRevoked: true,
    };
    const roster: Roster = {
      tenantId: 'ff'.repeat(16) as TenantId,
      version: Number.MAX_SAFE_INTEGER,
      previous: 'ff'.repeat(32),
      createdNs: 1n,
      recipients: Array.from({ length: LIMITS.recipientsMax }, () => recipient),
      devices: Array.from({ length: LIMITS.rosterDevicesMax }, () => device),
      successor: 'ff'.repeat(32),
    };
    expect(encodeRoster(roster).length).toBeLessThanOrEqual(LIMITS.objectBytesMax);
  });

  it('are never smaller than a manifest', () => {
    expect(LIMITS.manifestBytesMax).toBeLessThanOrEqual(LIMITS.objectBytesMax);
  });
});

describe('the wire', () => {
  it('carries an answer to each question: what is missing, what was read', () => {
    expect(LIMITS.missingIdsReportedMax).toBeGreaterThanOrEqual(LIMITS.haveIdsMax);
    expect(LIMITS.refsPartIdsMax * IDS_BYTES).toBeLessThanOrEqual(LIMITS.packBytesMax);
  });

  it('has an enrolment line for any address that a name may have', () => {
    expect(LIMITS.enrolmentLineCharactersMax).toBeGreaterThanOrEqual(7 + 8 + 253 + 6 + 1 + 64 + 1 + 43 + 7);
  });

  it('gives a tenant a share of the uploads, not all of them', () => {
    expect(LIMITS.uploadsPerTenantMax).toBeLessThan(LIMITS.uploadsMax);
  });
});

describe('time', () => {
  it('renews a lease many times in the life of a session, and more often than a request may take', () => {
    expect(LIMITS.sessionAgeMaxMs).toBeGreaterThanOrEqual(10 * LIMITS.sessionLeaseMs);
    expect(LIMITS.sessionLeaseMs).toBeGreaterThanOrEqual(4 * LIMITS.requestTimeoutMs);
  });

  it('a client waits for a server for less than its session lives', () => {
    expect(LIMITS.serverAwayMaxMs).toBeLessThan(LIMITS.sessionLeaseMs);
  });

  it('a scrub reads 10 TiB in half of its cycle, and makes its share up before it is due again', () => {
    const bytes = LIMITS.scrubBytesPerSecond * (LIMITS.scrubCycleMs / 2000);
    expect(bytes).toBeGreaterThanOrEqual(10 * 2 ** 40);
    expect(LIMITS.scrubShareBytesMin).toBeGreaterThanOrEqual(LIMITS.packBytesMax);
    expect(LIMITS.indexCheckMs).toBeLessThan(LIMITS.scrubCycleMs);
  });

  it('a run leaves its session before the server ends it, and has made checkpoints by then', () => {
    expect(LIMITS.sessionWorkMaxMs).toBeLessThan(LIMITS.sessionAgeMaxMs - LIMITS.sessionLeaseMs);
    expect(LIMITS.checkpointIntervalMs).toBeLessThan(LIMITS.sessionWorkMaxMs / 10);
    expect(LIMITS.checkpointIntervalMs).toBeLessThan(LIMITS.condemnedGraceMs);
  });

  it('a full backup asks for a time that may be asked for', () => {
    expect(LIMITS.verifiedWithinDefaultMs).toBeLessThanOrEqual(LIMITS.verifiedWithinMaxMs);
  });

  it('a lock has an end', () => {
    expect(LIMITS.lockDefaultMs).toBeLessThanOrEqual(LIMITS.lockMaxMs);
  });
});

describe('a collection', () => {
  it('writes packs that may be kept, and lets the disk have more than it takes', () => {
    expect(
      PACK_HEADER_BYTES + LIMITS.repackBytesTarget + largestBlobBytes + packTailLength(LIMITS.repackBlobsMax),
    ).toBeLessThanOrEqual(LIMITS.packBytesMax);
    expect(LIMITS.repackHeadroomBytes).toBeLessThan(LIMITS.storeHeadroomBytes);
  });

  it('finds each pack in which nothing is alive among those with dead bytes', () => {
    const smallest = blobLength({ tableCount: 0, sealedLength: 1 });
    const packBytes = PACK_HEADER_BYTES + smallest + packTailLength(1);
    expect(smallest * 100).toBeGreaterThanOrEqual(packBytes * LIMITS.repackDeadPercentMin);
  });
});

it('every bound is a whole number above zero', () => {
  for (const [name, value] of Object.entries(LIMITS)) {
    expect([name, Number.isSafeInteger(value) && value > 0]).toEqual([name, true]);
  }
});

it('the memory of an agent holds a slab and a pack for each of three workers', () => {
  const worker = LIMITS.bundleBytesMax + LIMITS.packBytesTarget + largestBlobBytes;
  expect(3 * worker).toBeLessThan(LIMITS.agentMemoryBytes / 2);
});
