import type { ByteString } from '@cofre/shared/bytes';
import type { SnapshotId } from '@cofre/shared/ids';
import type { SnapshotKind } from '@cofre/shared/format/envelope/manifest';

/** What a run of a backup set is asked to do. */
export interface BackupOptions {
  readonly setName: string;
  /** Absolute paths without the leading slash, as the walk yields them; at least one. */
  readonly roots: readonly ByteString[];
  /** gitignore-style patterns. */
  readonly excludes: readonly string[];
  readonly oneFileSystem: boolean;
  /** Leave out the content of folders with a CACHEDIR.TAG. */
  readonly excludeCaches: boolean;
  /**
   * `incremental` compares with the last snapshot, `differential` with the last full one. `full` reads every file
   * again and asks the server about every chunk; the first snapshot of a set is always one.
   */
  readonly kind: SnapshotKind;
  /** Walk and compare with the last run, but read and send nothing. */
  readonly isDryRun: boolean;
}

/** Where a run is; numbers only grow. */
export interface BackupProgress {
  /** `scanning` while more files may be found, `sending` when only the rest of what was found is read and sent. */
  readonly phase: 'scanning' | 'sending' | 'committing' | 'done';
  readonly filesDone: number;
  readonly filesFound: number;
  readonly bytesRead: number;
  readonly bytesSent: number;
  /** Bytes of all files that were looked at. */
  readonly bytesSeen: number;
  readonly currentPath: ByteString | null;
}

/** A path that could not be backed up whole. */
export interface BackupFailure {
  readonly path: ByteString;
  /** A stable code: `EACCES`, `changed`, `vanished`, `socket`, … */
  readonly reason: string;
  /** Sockets and the like are noted and are no failure of the run. */
  readonly isSkip: boolean;
}

export interface BackupSummary {
  /** Null for a dry run. */
  readonly snapshotId: SnapshotId | null;
  /** What the snapshot is; a first one is full, whatever was asked for. */
  readonly kind: SnapshotKind;
  readonly filesNew: number;
  readonly filesChanged: number;
  readonly filesUnmodified: number;
  readonly filesFailed: number;
  readonly foldersTotal: number;
  /** Bytes of all files of the snapshot. */
  readonly bytesTotal: number;
  readonly bytesRead: number;
  /** Bytes of packs sent. */
  readonly bytesSent: number;
  /** Pieces sent that the server did not have. */
  readonly chunksNew: number;
  /** Pieces that were damaged on the server and are whole again. */
  readonly chunksHealed: number;
  /** Of a full run: pieces of the snapshot that the server has, but has not looked at on its disk lately. */
  readonly chunksUnverified: number;
  readonly durationMs: number;
}

export interface BackupObserver {
  readonly onProgress: (progress: BackupProgress) => void;
  readonly onFailure: (failure: BackupFailure) => void;
}
