import type { RefsetCommitment } from '@cofre/shared/format/envelope/manifest';
import type { ChunkId } from '@cofre/shared/ids';

/** What a manifest in the store says, as far as rows are made of it. */
export interface FoundManifest {
  /** Of its object. */
  readonly number: number;
  readonly snapshotId: string;
  readonly deviceId: string;
  readonly setId: string;
  readonly domainId: string;
  readonly sequence: number;
  readonly previous: string | null;
  readonly isComplete: boolean;
  readonly catalogRoot: ChunkId;
  readonly refset: RefsetCommitment;
  readonly requires: readonly string[];
}

export interface FoundReceipt {
  readonly number: number;
  readonly receivedMs: number;
  readonly lockedUntilMs: number;
}

export interface FoundTombstone {
  readonly number: number;
  readonly deletedMs: number;
  readonly droppedMs: number;
  readonly reason: string;
}

export interface FoundChain {
  readonly deviceId: string;
  readonly setId: string;
  readonly domainId: string;
  /** By sequence. */
  readonly snapshots: readonly FoundManifest[];
  /** Manifests of the same sequence as one of these that nothing continues: such as of a commit that was given up. */
  readonly forks: readonly FoundManifest[];
  /** Sequences that are not there, though later ones are. */
  readonly gaps: readonly number[];
}

/**
 * Puts manifests together to chains, from the newest back to the first, as each names the one before it. A manifest
 * that came last in its chain and has no receipt was never acknowledged: the process ended between the two files.
 */
export function chainsOf(
  manifests: readonly FoundManifest[],
  hasReceipt: (snapshotId: string) => boolean,
): FoundChain[] {
  const bySet = new Map<string, FoundManifest[]>();
  for (const manifest of manifests) {
    const key = `${manifest.deviceId} ${manifest.setId}`;
    const others = bySet.get(key);
    if (others === undefined) bySet.set(key, [manifest]);
    else others.push(manifest);
  }
  return [...bySet.values()].map((found) => chainOf(found, hasReceipt)).filter((chain) => chain !== null);
}

function chainOf(
  found: readonly FoundManifest[],
  hasReceipt: (snapshotId: string) => boolean,
): FoundChain | null {
  const bySequence = new Map<number, FoundManifest[]>();
  let head: FoundManifest | null = null;
  const last = Math.max(...found.map(({ sequence }) => sequence));
  for (const manifest of found) {
    if (manifest.sequence === last && !hasReceipt(manifest.snapshotId)) continue;
    bySequence.set(manifest.sequence, [...(bySequence.get(manifest.sequence) ?? []), manifest]);
    const isLater =
      head === null ||
      manifest.sequence > head.sequence ||
      (manifest.sequence === head.sequence && manifest.number > head.number);
    if (isLater) head = manifest;
  }
  if (head === null) return null;
  const snapshots = [head];
  const gaps: number[] = [];
  let wanted = head.previous;
  for (let sequence = head.sequence - 1; sequence >= 1; sequence--) {
    const candidates = bySequence.get(sequence) ?? [];
    const before = candidates.find(({ snapshotId }) => snapshotId === wanted) ?? candidates.at(-1);
    if (before === undefined) {
      gaps.push(sequence);
      continue;
    }
    snapshots.push(before);
    wanted = before.previous;
  }
  const chosen = new Set(snapshots);
  const forks = found.filter((manifest) => !chosen.has(manifest));
  const { deviceId, setId, domainId } = head;
  return { deviceId, setId, domainId, snapshots: snapshots.reverse(), forks, gaps: gaps.reverse() };
}
