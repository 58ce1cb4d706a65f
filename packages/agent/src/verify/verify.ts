import type { ByteString } from '@cofre/shared/bytes';
import type { SnapshotId } from '@cofre/shared/ids';
import type { Kit } from '../vault-reader/open-trust.ts';
import type { ChainFindingCode } from '../vault-reader/snapshot-chain.ts';

export interface VerifyOptions {
  /** Null: only what can be asked without opening anything, of this computer's own snapshots. */
  readonly kit: Kit | null;
  /** Fetch and open every chunk that a snapshot needs. Takes the kit. */
  readonly readData: boolean;
}

export interface VerifyProgress {
  readonly phase: 'snapshots' | 'catalogs' | 'content' | 'naming' | 'done';
  readonly snapshotsDone: number;
  readonly snapshotsTotal: number;
  readonly chunksRead: number;
  readonly bytesRead: number;
}

/** A later version of this program wrote it: that is no damage, and updating helps. */
export type UnknownFormatCode =
  'snapshot_unknown_format' | 'catalog_unknown_format' | 'content_unknown_format';

export type VerifyFindingCode =
  | 'snapshot_unconfirmed'
  | 'snapshot_unreadable'
  | UnknownFormatCode
  | ChainFindingCode
  /** A node of a catalog is not there, or is not what was sent: what lies below it can't be restored. */
  | 'catalog_missing'
  | 'catalog_damaged'
  /** Chunks are not there, or are not what was sent: the files that need them can't be restored. */
  | 'content_lost';

/** Something that is wrong with one snapshot. */
export interface AgentVerifyFinding {
  readonly code: VerifyFindingCode;
  readonly snapshotId: SnapshotId;
  /** Safe to print. */
  readonly detail: string;
  /** Affected paths; the first of them, at most `PATHS_NAMED_MAX`. */
  readonly paths: readonly ByteString[];
  readonly pathCount: number;
}

export const PATHS_NAMED_MAX = 100;

export interface VerifyObserver {
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly onFinding: (finding: AgentVerifyFinding) => void;
}

export interface VerifySummary {
  readonly snapshots: number;
  readonly findings: number;
  readonly chunksRead: number;
  /** Sealed content that was read. */
  readonly bytesRead: number;
  readonly durationMs: number;
}
