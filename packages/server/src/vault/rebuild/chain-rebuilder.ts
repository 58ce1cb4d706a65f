import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { LIMITS } from '@cofre/shared/limits';
import type { IndexConnection } from '../index/connection.ts';
import {
  finishChain,
  insertChain,
  insertHeadRef,
  insertPastRef,
  insertRequired,
  insertSnapshot,
} from '../index/rebuild-chains.store.ts';
import { findDomainRow, insertDomain, inTransaction } from '../index/rebuild.store.ts';
import { ChainWalk } from './chain-walk.ts';
import {
  chainsOf,
  type FoundChain,
  type FoundManifest,
  type FoundReceipt,
  type FoundTombstone,
} from './found-snapshots.ts';

/** What the objects of a store said about snapshots. */
export interface FoundSnapshots {
  readonly manifests: readonly FoundManifest[];
  readonly receipts: ReadonlyMap<string, FoundReceipt>;
  readonly tombstones: ReadonlyMap<string, FoundTombstone>;
}

type Find = (code: string, detail: string, affectedSnapshots?: readonly string[]) => void;

/** What all chains of a rebuild are made with. */
interface Rebuild {
  readonly index: IndexConnection;
  readonly found: FoundSnapshots;
  readonly nowMs: number;
  readonly find: Find;
}

/**
 * Makes the rows of chains and snapshots, and of what they need as their catalogs say, and compares each snapshot with
 * what its device signed.
 * @returns how many snapshots there are
 */
export function rebuildChains(rebuild: Rebuild): number {
  const { index, found, find } = rebuild;
  const chains = chainsOf(found.manifests, (snapshotId) => found.receipts.has(snapshotId));
  const known = new Set(found.manifests.map(({ snapshotId }) => snapshotId));
  for (const snapshotId of found.receipts.keys()) {
    if (!known.has(snapshotId))
      find('snapshot_lost', 'its receipt is there without its manifest', [snapshotId]);
  }
  let count = 0;
  for (const chain of chains) {
    reportOdd(rebuild, chain);
    const domain = domainOf(rebuild, chain);
    walkChain(rebuild, { chain, domain, number: insertSnapshots(rebuild, chain, domain) });
    count += chain.snapshots.length;
  }
  inTransaction(index, () => {
    for (const { number, snapshotId, requires } of chains.flatMap(({ snapshots }) => snapshots)) {
      for (const required of requires) {
        if (insertRequired(index, number, required)) continue;
        find('required_missing', `snapshot ${required}, which it requires, is not there`, [snapshotId]);
      }
    }
  });
  return count;
}

function reportOdd({ found, find }: Rebuild, chain: FoundChain): void {
  const [next] = chain.snapshots;
  if (chain.gaps.length > 0 && next !== undefined) {
    const named = `${chain.gaps.slice(0, 10).join(', ')}${chain.gaps.length > 10 ? ' …' : ''}`;
    find('chain_gap', `set ${chain.setId} lacks the manifests of its snapshots ${named}`);
  }
  for (const fork of chain.forks) {
    // Without a receipt it was never acknowledged, and nobody misses it.
    if (!found.receipts.has(fork.snapshotId)) continue;
    find('chain_fork', `object ${fork.number} is a second snapshot ${fork.sequence} of its set`, [
      fork.snapshotId,
    ]);
  }
}

function domainOf({ index, find }: Rebuild, { domainId, deviceId }: FoundChain): number {
  const known = findDomainRow(index, domainId);
  if (known !== null) return known.domain;
  find('domain_missing', `the record of domain ${domainId} is not there`);
  return insertDomain(index, { domainId, deviceId });
}

/** @returns the row of the chain */
function insertSnapshots({ index, found, nowMs, find }: Rebuild, chain: FoundChain, domain: number): number {
  const head = chain.snapshots.at(-1) as FoundManifest;
  return inTransaction(index, () => {
    const number = insertChain(index, {
      deviceId: chain.deviceId,
      setId: chain.setId,
      domain,
      headSnapshot: head.snapshotId,
      headSequence: head.sequence,
    });
    for (const manifest of chain.snapshots) {
      const receipt = found.receipts.get(manifest.snapshotId);
      if (receipt === undefined) {
        const detail = 'its receipt is not there: it counts as received now';
        find('receipt_missing', detail, [manifest.snapshotId]);
      }
      insertSnapshot(index, {
        number: manifest.number,
        snapshotId: manifest.snapshotId,
        receipt: receipt?.number ?? manifest.number,
        chain: number,
        sequence: manifest.sequence,
        isComplete: manifest.isComplete,
        receivedMs: receipt?.receivedMs ?? nowMs,
        lockedUntilMs: receipt?.lockedUntilMs ?? nowMs + LIMITS.lockDefaultMs,
        refsetCount: manifest.refset.count,
        tombstone: found.tombstones.get(manifest.snapshotId) ?? null,
      });
    }
    return number;
  });
}

/** Walks the snapshots whose content is there, in their order, a transaction each. */
function walkChain(
  { index, found, find }: Rebuild,
  { chain, domain, number }: { chain: FoundChain; domain: number; number: number },
): void {
  const { snapshots } = chain;
  const { tombstones } = found;
  const walk = new ChainWalk(index, domain, (ref) => insertPastRef(index, number, ref));
  for (const manifest of snapshots) {
    if (tombstones.has(manifest.snapshotId)) continue;
    inTransaction(index, () => walk.advance(manifest.catalogRoot, manifest.sequence));
    compare(walk, manifest, find);
  }
  const head = snapshots.at(-1);
  const isHeadGone = head !== undefined && tombstones.has(head.snapshotId);
  inTransaction(index, () => {
    if (isHeadGone) endWalk(index, number, walk);
    else for (const member of walk.members()) insertHeadRef(index, number, member);
    const refsetState = isHeadGone ? RefsetHash.empty().state() : walk.state;
    finishChain(index, { chain: number, refsetState, refsetCount: isHeadGone ? 0 : walk.count });
  });
}

/** Of a set whose head is gone only earlier snapshots need anything: what comes next is sent whole. */
function endWalk(index: IndexConnection, chain: number, walk: ChainWalk): void {
  const toSequence = walk.sequence + 1;
  for (const { chunk, fromSequence } of walk.members()) {
    insertPastRef(index, chain, { chunk, fromSequence, toSequence });
  }
}

function compare(walk: ChainWalk, { snapshotId, refset }: FoundManifest, find: Find): void {
  if (walk.lostCount > 0) {
    find('snapshot_incomplete', `it lacks ${walk.lostCount} pieces`, [snapshotId]);
  }
  if (walk.count !== refset.count || walk.digest !== refset.digest) {
    find('refset_mismatch', `its catalog needs other pieces than its manifest says`, [snapshotId]);
  }
}
