import { haveChunks, locateChunks, reviveChunks } from './chunks.store.ts';
import { condemnLoose, doomDeadPacks, dropCondemned } from './collection.store.ts';
import { clearDraft, concludeWalk, resolveRefs, walkAdded, walkRemoved } from './commit-draft.store.ts';
import { findCommitted, finishCommit, startCommit } from './commits.store.ts';
import type { IndexConnection } from './connection.ts';
import { countDamages, listDamages } from './damages.store.ts';
import { beginObjects, doomFiles, dropIntents, forgetDoomed, listUnfinished } from './intents.store.ts';
import {
  findDescription,
  findObject,
  listObjects,
  recordDescription,
  recordDomain,
  recordKeyring,
  recordRoster,
} from './objects.store.ts';
import { beginPack, recordPack } from './packs.store.ts';
import { beginRepack, listLiveBlobs, pickRepackable, swapBlobs } from './repack.store.ts';
import { finishObjectScrub, listObjectsToScrub, noteObjectDamage } from './scrub-objects.store.ts';
import {
  describeScrub,
  finishPackScrub,
  lookAtPack,
  nextPackToScrub,
  noteScrub,
  quarantineChunks,
  releaseChunks,
  scrubFirst,
} from './scrub.store.ts';
import {
  closeExpiredSessions,
  closeSession,
  openSession,
  renewSession,
  requireUnrevoked,
} from './sessions.store.ts';
import { lastLockMs, listSnapshots } from './snapshots.store.ts';
import { clearPreview, previewHead, previewPast, sumPreview } from './retention-preview.store.ts';
import { listDue, recordTombstones, releaseStep } from './retention-release.store.ts';
import {
  bringBack,
  countSets,
  listRetained,
  listRetentionSettings,
  listRosterKeys,
  markByPerson,
  markByRule,
  markSet,
  nextRuleKey,
  recordRetentionSetting,
} from './retention.store.ts';
import { checkPart, stagePart } from './staging.store.ts';
import {
  checkHeadClosure,
  countChain,
  countUnheld,
  findMiscounted,
  findUnknown,
  listChains,
  listHeadRefs,
  listPackChunks,
  listPacks,
  listSigningKeys,
  listSnapshotsNeeding,
} from './verify.store.ts';
import { countVault, createVault, describeVault } from './vault.store.ts';

/**
 * What a database thread can be asked. Each is bounded: a slow one would hold up every tenant of its thread.
 * Reads are answered at once; writes that wait together become one transaction.
 */
export const READS = {
  checkHeadClosure,
  checkPart,
  concludeWalk,
  countChain,
  countDamages,
  countUnheld,
  countVault,
  describeScrub,
  describeVault,
  findCommitted,
  findDescription,
  findMiscounted,
  findObject,
  findUnknown,
  haveChunks,
  listChains,
  listDamages,
  listHeadRefs,
  listLiveBlobs,
  listObjects,
  listObjectsToScrub,
  listPackChunks,
  listPacks,
  listSigningKeys,
  lastLockMs,
  listSnapshots,
  listSnapshotsNeeding,
  listUnfinished,
  locateChunks,
  lookAtPack,
  nextPackToScrub,
  pickRepackable,
  requireUnrevoked,
  startCommit,
  countSets,
  listDue,
  listRetained,
  listRetentionSettings,
  listRosterKeys,
  nextRuleKey,
  sumPreview,
};

export const WRITES = {
  beginObjects,
  beginPack,
  beginRepack,
  clearDraft,
  closeExpiredSessions,
  closeSession,
  condemnLoose,
  createVault,
  doomDeadPacks,
  doomFiles,
  dropCondemned,
  dropIntents,
  finishCommit,
  finishObjectScrub,
  finishPackScrub,
  forgetDoomed,
  noteObjectDamage,
  noteScrub,
  openSession,
  quarantineChunks,
  recordDescription,
  recordDomain,
  recordKeyring,
  recordPack,
  recordRoster,
  releaseChunks,
  renewSession,
  resolveRefs,
  reviveChunks,
  scrubFirst,
  stagePart,
  swapBlobs,
  walkAdded,
  walkRemoved,
  bringBack,
  clearPreview,
  markByPerson,
  markByRule,
  markSet,
  previewHead,
  previewPast,
  recordRetentionSetting,
  recordTombstones,
  releaseStep,
};

type Operations = typeof READS & typeof WRITES;
export type OperationName = keyof Operations;
export type OperationInput<Name extends OperationName> =
  Parameters<Operations[Name]> extends [IndexConnection, infer Input] ? Input : undefined;
export type OperationOutput<Name extends OperationName> = ReturnType<Operations[Name]>;

/** An operation as the thread runs it; the types are checked where it is asked for. */
export type AnyOperation = (index: IndexConnection, input: unknown) => unknown;

/** A read by its name, or undefined. */
export function readOperation(name: string): AnyOperation | undefined {
  return (READS as Record<string, unknown>)[name] as AnyOperation | undefined;
}

/** A write by its name, or undefined. */
export function writeOperation(name: string): AnyOperation | undefined {
  return (WRITES as Record<string, unknown>)[name] as AnyOperation | undefined;
}
