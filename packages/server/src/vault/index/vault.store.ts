import { LIMITS } from '@cofre/shared/limits';
import type { IndexConnection } from './connection.ts';

/** The single row about the vault itself. */
export interface VaultRow {
  readonly tenantId: string;
  readonly quotaBytes: number;
  /** Stored length of all chunks. */
  readonly usedBytes: number;
  readonly generation: number;
  readonly livenessEpoch: number;
  readonly authorityKey: string | null;
  readonly rosterVersion: number | null;
  /** No file of the store may have these numbers yet, nor higher ones. */
  readonly nextPack: number;
  readonly nextObject: number;
  readonly lockMs: number;
  readonly softDeleteMs: number;
  readonly frozenReason: string | null;
}

/** Makes the vault's row if it is not there. */
export function createVault(index: IndexConnection, input: { tenantId: string; nowMs: number }): void {
  index.run(
    `INSERT INTO vault (only_row, tenant_id, created_ms, lock_ms, soft_delete_ms) VALUES (1, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    input.tenantId,
    input.nowMs,
    LIMITS.lockDefaultMs,
    LIMITS.softDeleteDefaultMs,
  );
}

/** Null for a database whose making was interrupted. */
export function describeVault(index: IndexConnection): VaultRow | null {
  return (
    index.get<VaultRow>(
      `SELECT tenant_id AS tenantId, quota_bytes AS quotaBytes, used_bytes AS usedBytes, generation,
         liveness_epoch AS livenessEpoch, authority_key AS authorityKey, roster_version AS rosterVersion,
         next_pack AS nextPack, next_object AS nextObject, lock_ms AS lockMs, soft_delete_ms AS softDeleteMs,
         frozen_reason AS frozenReason
       FROM vault`,
    ) ?? null
  );
}

export interface VaultCounts {
  /** What counts towards the quota: pieces, and the objects that devices brought. */
  readonly usedBytes: number;
  readonly chunkBytes: number;
  readonly packs: number;
  readonly packBytes: number;
  readonly chunks: number;
  readonly snapshots: number;
}

/** What the vault holds. Packs and snapshots are counted, so this takes some milliseconds. */
export function countVault(index: IndexConnection): VaultCounts {
  return index.get<VaultCounts>(
    `SELECT used_bytes + object_bytes AS usedBytes, used_bytes AS chunkBytes,
       (SELECT count(*) FROM packs) AS packs,
       (SELECT coalesce(sum(length), 0) FROM packs) AS packBytes,
       (SELECT coalesce(sum(chunk_count), 0) FROM domains) AS chunks,
       (SELECT count(*) FROM snapshots) AS snapshots
     FROM vault`,
  ) as VaultCounts;
}
