import type { DeviceId, SetId, SnapshotId } from '@cofre/shared/ids';
import type { ReadableSnapshot, Snapshot } from './snapshot.ts';

/**
 * - `chain_gap`: a snapshot between two others, or the first ones, are not there
 * - `chain_fork`: two snapshots claim the same place
 * - `chain_broken`: a snapshot names another one before it than the one that is there
 */
export type ChainFindingCode = 'chain_gap' | 'chain_fork' | 'chain_broken';

/** Something that does not fit in the sequence of one device's snapshots of one set. */
export interface ChainFinding {
  readonly code: ChainFindingCode;
  readonly deviceId: DeviceId;
  readonly setId: SetId;
  /** The snapshot at which it shows. */
  readonly snapshotId: SnapshotId;
  readonly detail: string;
}

/**
 * Whether each device's snapshots of each set form one unbroken chain from the first. A server that hides
 * one, or that keeps two histories, shows here. Only confirmed snapshots count: others prove nothing. That
 * the newest were held back cannot be seen from the chain alone.
 */
export function checkChains(snapshots: readonly Snapshot[]): ChainFinding[] {
  const chains = new Map<string, ReadableSnapshot[]>();
  for (const snapshot of snapshots) {
    const { manifest } = snapshot;
    if (snapshot.standing !== 'confirmed' || manifest === null) continue;
    const key = `${manifest.deviceId} ${manifest.setId}`;
    const chain = chains.get(key) ?? [];
    chain.push({ ...snapshot, manifest });
    chains.set(key, chain);
  }
  return [...chains.values()].flatMap(checkChain);
}

function checkChain(chain: ReadableSnapshot[]): ChainFinding[] {
  const findings: ChainFinding[] = [];
  chain.sort((a, b) => a.manifest.sequence - b.manifest.sequence || a.number - b.number);
  let before: ReadableSnapshot | null = null;
  for (const snapshot of chain) {
    const problem = problemBetween(before, snapshot);
    if (problem !== null) {
      const { snapshotId, deviceId, setId } = snapshot;
      findings.push({ ...problem, deviceId, setId, snapshotId });
    }
    before = snapshot;
  }
  return findings;
}

function problemBetween(
  before: ReadableSnapshot | null,
  { manifest, snapshotId }: ReadableSnapshot,
): { code: ChainFindingCode; detail: string } | null {
  const last = before?.manifest.sequence ?? 0;
  const { sequence, previous } = manifest;
  if (sequence === last && before?.snapshotId !== snapshotId) {
    return { code: 'chain_fork', detail: `there are two snapshots number ${sequence}` };
  }
  if (sequence > last + 1) {
    const missing = sequence === last + 2 ? `${last + 1}` : `${last + 1} to ${sequence - 1}`;
    return { code: 'chain_gap', detail: `number ${missing} is not there` };
  }
  if (previous !== (before?.snapshotId ?? null)) {
    return { code: 'chain_broken', detail: `number ${sequence} does not follow the one before it` };
  }
  return null;
}
