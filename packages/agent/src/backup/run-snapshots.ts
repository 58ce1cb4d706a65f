import os from 'node:os';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import type { SnapshotId } from '@cofre/shared/ids';
import type { DeviceIdentity } from '../state/agent-context.ts';
import type { BackupOptions } from './backup.ts';
import { commitSnapshot, moveHead, refsetChange, sealInfo } from './commit-snapshot.ts';
import type { OpenRun } from './open-run.ts';
import type { ChunkTable } from './pipeline/chunk-table.ts';
import type { PreviousRun } from './previous-run.ts';
import type { RunClient } from './run-client.ts';
import type { RunEnding } from './run-ending.ts';
import type { RunRecord } from './run-record.ts';

export interface RunSnapshotsParts {
  readonly identity: DeviceIdentity;
  readonly options: BackupOptions;
  readonly record: RunRecord;
  readonly client: RunClient;
  readonly run: OpenRun;
  readonly previous: PreviousRun;
  readonly table: ChunkTable;
  readonly ending: RunEnding;
  readonly startedNs: bigint;
}

/** The snapshot that the next one follows. */
interface ChainHead {
  readonly snapshotId: SnapshotId;
  readonly sequence: number;
  /** Null when this device does not know what it needs: then the whole refset of the next one is told. */
  readonly refset: { readonly state: Buffer; readonly count: number } | null;
}

/** Makes the snapshots of a run, one after the other: its checkpoints, and what it is all about. */
export class RunSnapshots {
  private readonly parts: RunSnapshotsParts;
  private head: ChainHead | null;

  constructor(parts: RunSnapshotsParts) {
    this.parts = parts;
    const { head } = parts.run.session;
    const { last, isOfHead } = parts.previous;
    const isKnown = last !== null && isOfHead && !parts.record.doubtsHead;
    const refset = isKnown ? { state: last.head.refsetState, count: last.head.refsetCount } : null;
    this.head = head === null ? null : { ...head, refset };
  }

  /** Commits what the table says is needed. Everything of it has to be durable. */
  async commit(
    made: Pick<Manifest, 'catalogRoot' | 'statistics' | 'isComplete'>,
  ): Promise<{ readonly snapshotId: SnapshotId; readonly refsetState: Buffer }> {
    const { client, run, table, identity, ending } = this.parts;
    const change = refsetChange(table, this.head?.refset ?? null);
    const { hash } = change;
    const refset = { count: hash.count, digest: hash.digest().toString('hex') };
    const manifest = { ...this.manifestWithout(), ...made, refset };
    // Everything in the manifest is sealed with this run's key: it has to be durable first.
    await ending.unlessEnded(run.keyringStored);
    const snapshotId = await commitSnapshot(client, run.sessionId, manifest, change, identity.signingKey);
    moveHead(table);
    const refsetState = hash.state();
    const { sequence } = manifest;
    this.head = { snapshotId, sequence, refset: { state: refsetState, count: hash.count } };
    return { snapshotId, refsetState };
  }

  private manifestWithout(): Omit<Manifest, 'catalogRoot' | 'statistics' | 'isComplete' | 'refset'> {
    const { identity, options, record, run, previous, startedNs } = this.parts;
    const { setName, roots, excludes } = options;
    const info = { setName, hostName: os.hostname(), roots, excludes, failures: record.failures.kept };
    return {
      tenantId: identity.tenantId,
      deviceId: identity.deviceId,
      domainId: run.domain.domainId,
      setId: run.setId,
      sequence: (this.head?.sequence ?? 0) + 1,
      previous: this.head?.snapshotId ?? null,
      startedNs,
      finishedNs: BigInt(Date.now()) * 1_000_000n,
      kind: previous.kind.kind,
      base: previous.kind.base,
      // What a snapshot of files needs is in its refset: it can be restored without any other.
      requires: [],
      featuresRequired: [],
      sealedInfo: sealInfo(info, run.domain, run.periodKeys),
    };
  }
}
