import { PEOPLE_LIMITS } from './limits/people-limits.ts';
import { TENANT_LIMITS } from './limits/tenant-limits.ts';

/**
 * Every bound of the product, with its why. Parsers, the wire and the agent's memory budget rely on them;
 * `limits.test.ts` asserts how they relate.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const LIMITS = {
  ...PEOPLE_LIMITS,
  ...TENANT_LIMITS,

  /** One module of quota, as it was sold. */
  quotaModuleBytes: 50 * MIB,
  quotaModulesMax: 100_000_000,

  // Content
  chunkBytesMin: 256 * KIB,
  chunkBytesAverage: 1 * MIB,
  chunkBytesMax: 4 * MIB,
  /** Files up to this size are bundled with their neighbours. */
  bundledFileBytesMax: 512 * KIB,
  /** A bundle ends at the latest here: one job of a chunk worker, and its input slab. */
  bundleBytesMax: 6 * MIB,
  /** Files of a bundle at most: bounds the answer of one job. */
  bundleFilesMax: 2048,
  /** Large files are cut at multiples of this, so that several workers can read one file. */
  segmentBytes: 128 * MIB,

  // Blobs and packs
  /** Plaintext of a blob: a chunk, or a node of a catalog. Readers check it before they allocate. */
  blobPlaintextBytesMax: 4 * MIB,
  /** Payload header and Padmé padding on top of the largest plaintext (Padmé adds at most 12 %). */
  blobSealedBytesMax: 4 * MIB + 512 * KIB,
  /** Ids that one node may refer to. */
  nodeTableIdsMax: 8192,
  /** A pack is closed when it has reached this. */
  packBytesTarget: 8 * MIB,
  packBytesMax: 64 * MIB,
  packBlobsMax: 65_536,

  // Catalog
  catalogNodeBytesMin: 8 * KIB,
  catalogNodeBytesAverage: 24 * KIB,
  /** A leaf is cut before it passes this, unless a single entry is larger. */
  catalogNodeBytesMax: 96 * KIB,
  /** One entry (long xattrs, ACLs): above it the extended attributes are left out and reported. */
  entryBytesMax: 1 * MIB,
  catalogDepthMax: 16,
  /** A whole path; Linux has no bound of its own for paths reached step by step. */
  pathBytesMax: 1 * MIB,
  pathComponentBytesMax: 1024,
  /** Named streams of one entry (Windows), and slices of each that stay in the leaf: its table has room for them. */
  namedStreamsMax: 1024,
  streamInlineSlicesMax: 4,
  /** Content lists longer than this become trees of list nodes. */
  inlineSlicesMax: 128,
  listNodeSlicesMin: 128,
  listNodeSlicesAverage: 512,
  listNodeSlicesMax: 2048,
  listDepthMax: 6,

  // Signed objects
  manifestBytesMax: 256 * KIB,
  objectBytesMax: 1 * MIB,
  /** A device takes 2 KiB of a roster, most of it for its post-quantum inbox: what `objectBytesMax` holds. */
  rosterDevicesMax: 480,
  recipientsMax: 16,

  // Wire
  jsonBodyBytesMax: 256 * KIB,
  headerBytesMax: 16 * KIB,
  haveIdsMax: 10_000,
  refsPartIdsMax: 50_000,
  readIdsMax: 1024,
  missingIdsReportedMax: 10_000,
  pageItemsMax: 500,
  nameCharactersMax: 200,
  enrolmentLineCharactersMax: 1024,

  // Time
  sessionLeaseMs: 10 * MINUTE_MS,
  /** A key period lasts one session, and a session no longer than this. */
  sessionAgeMaxMs: 24 * HOUR_MS,
  /** So long a session that has ended is known: an agent that slept for weeks is told so, and goes on in another. */
  sessionRememberedMs: 60 * 24 * HOUR_MS,
  invitationLifetimeMs: 7 * 24 * HOUR_MS,
  readGrantLifetimeMs: 12 * HOUR_MS,
  lockDefaultMs: 7 * 24 * HOUR_MS,
  lockMaxMs: 3650 * 24 * HOUR_MS,
  /** A deleted snapshot can be brought back for this long, unless the tenant has another period. */
  softDeleteDefaultMs: 14 * 24 * HOUR_MS,
  softDeleteMaxMs: 365 * 24 * HOUR_MS,
  /** Nothing goes sooner than this after it was deleted: a mistake can be noticed. */
  softDeleteMinMs: 24 * HOUR_MS,
  /** Largest parts of a retention rule: more snapshots than one an hour for a year, and a century. */
  retentionCountMax: 10_000,
  retentionDaysMax: 36_500,
  /** The oldest look at a piece on the server's disk that a full backup may call recent. */
  verifiedWithinMaxMs: 365 * 24 * HOUR_MS,
  /** Pieces that no snapshot needs stay this long after they were condemned: an interrupted run goes on from them. */
  condemnedGraceMs: 48 * HOUR_MS,
  /** A first backup makes a checkpoint when this has passed, or so much was sent: what may go if nobody goes on. */
  checkpointIntervalMs: 30 * MINUTE_MS,
  checkpointBytes: 32 * 1024 * MIB,
  /** A run that lasts longer goes on in another session, before the server ends this one. */
  sessionWorkMaxMs: 23 * HOUR_MS,
  /** A full backup asks for pieces that the server has looked at on its disk since then. */
  verifiedWithinDefaultMs: 30 * 24 * HOUR_MS,
  /** How long a run waits for a server that went away. */
  serverAwayMaxMs: MINUTE_MS,
  requestTimeoutMs: 2 * MINUTE_MS,
  /** No bytes for this long: a connection is given up. */
  bodyIdleTimeoutMs: MINUTE_MS,

  // Server
  uploadsPerTenantMax: 16,
  uploadsMax: 128,
  /** Kept free on the store so that reads, commits and deletes go on when it is full. */
  storeHeadroomBytes: 64 * MIB,

  // Scrub
  /** Everything that is kept is read and compared once in this time. */
  scrubCycleMs: 30 * 24 * HOUR_MS,
  /** How fast it reads: a fifth of what an old hard disk gives, so that backups and restores go on beside it. */
  scrubBytesPerSecond: 32 * MIB,
  /** What it reads in a turn at least, so that a small vault is not read in crumbs. */
  scrubShareBytesMin: 64 * MIB,
  /** The longest pause that a share makes good for: after a long one it goes on slowly rather than all at once. */
  scrubShareMaxMs: 24 * HOUR_MS,
  /** The database of a vault is checked as often as this. */
  indexCheckMs: 7 * 24 * HOUR_MS,
  /** How long it is told what was damaged and is whole again. */
  damageKeptMs: 365 * 24 * HOUR_MS,
  /** Damages that are listed at once, open ones first. */
  damageItemsMax: 10_000,

  // Collection
  /** Pieces that one step condemns or drops: tens of milliseconds on a thread that other tenants wait for. */
  collectionStepChunksMax: 500,
  /** A drop waits this many turns for commits that are being prepared, so that they need not start over. */
  collectionWaitsMax: 100,
  /** Packs without anything alive that one step gives up. */
  collectionStepPacksMax: 100,
  /**
   * A pack is written anew when this much of it is dead: at most a fifth of the disk is lost to what nobody needs, and
   * at most four bytes are copied for each that comes back.
   */
  repackDeadPercentMin: 20,
  /** A pack that is written anew is closed when it has reached this. */
  repackBytesTarget: 16 * MIB,
  /** Blobs of it: their rows move in one transaction, which takes some tens of milliseconds. */
  repackBlobsMax: 4096,
  /** Packs that one new pack is made of. */
  repackSourcesMax: 64,
  /** What one read of a blob brings; in between others have their turn. */
  repackReadBytes: 512 * KIB,
  /** What a new pack may not take of a nearly full disk: commits and deletes need some of it. */
  repackHeadroomBytes: 32 * MIB,
  /** How fast packs are written anew beside the ordinary work of a server. */
  repackBytesPerSecond: 32 * MIB,
  /** A pack whose pieces have moved stays this long: whoever has just looked up where they are still finds them. */
  readersGraceMs: 10 * SECOND_MS,

  // Copies of the appliance's own database
  /** Days and weeks of which the newest copy is kept. */
  applianceCopiesDailyMax: 7,
  applianceCopiesWeeklyMax: 4,

  // Agent memory, which a single budget shares out
  agentWorkersMax: 8,
  agentMemoryBytes: 256 * MIB,
} as const;
