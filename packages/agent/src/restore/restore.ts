import type { ByteString } from '@cofre/shared/bytes';
import type { CofreError } from '@cofre/shared/errors';
import type { LostRange } from '@cofre/shared/catalog/lost-range';
import type { SnapshotId } from '@cofre/shared/ids';
import type { Kit } from '../vault-reader/open-trust.ts';
import type { SnapshotArgument } from '../vault-reader/vault-reader.ts';
import type { TargetOptions, TargetProblem, TargetReport } from './target/target.ts';

/** What a restore is asked to do. */
export interface RestoreOptions extends SnapshotArgument, TargetOptions {
  readonly kit: Kit;
  /** Absolute paths as the snapshot has them, with or without the leading slash; none means everything. */
  readonly paths: readonly ByteString[];
  /** Folder that the tree is restored into, each entry at its absolute path below it. Not looked at in a dry run. */
  readonly target: string;
  /** Walk the catalog and count, but fetch no content and write nothing. */
  readonly isDryRun: boolean;
}

/** Where a restore is; numbers only grow. */
export interface RestoreProgress {
  readonly phase: 'opening' | 'restoring' | 'finishing' | 'done';
  readonly filesDone: number;
  readonly filesTotal: number;
  /** Length of files, holes included. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly currentPath: ByteString | null;
}

export type RestoreNoteKind =
  /** Not read by this snapshot's run: what is restored is an earlier run's. */
  | 'stale'
  /** Changed while it was read: what is restored may be of no single moment. */
  | 'changed-while-read'
  /** Its content was not on the machine that was backed up. */
  | 'placeholder'
  /** Its content is missing or damaged on the server. */
  | 'content-lost'
  /** A folder whose own entry is lost: it was made for what is in it, without its owner, permissions and times. */
  | 'folder-unknown'
  /** Its content, or the list of it, was written by a later version of this program. */
  | 'later-format';

/** Something that whoever restores should know about one path. */
export interface RestoreNote {
  readonly kind: RestoreNoteKind;
  readonly path: ByteString;
  /** Safe to print; may be empty. */
  readonly detail: string;
}

export interface RestoreObserver {
  readonly onProgress: (progress: RestoreProgress) => void;
  readonly onNote: (note: RestoreNote) => void;
  /** Entries that the snapshot's catalog has lost: once for each range of them. */
  readonly onLost: (lost: LostRange) => void;
}

/** What was restored; of a dry run, what would be. */
export interface RestoreSummary {
  readonly snapshotId: SnapshotId;
  /** False for the checkpoint of a first backup that was not finished: it has a part of the files. */
  readonly isSnapshotComplete: boolean;
  readonly isDryRun: boolean;
  readonly filesRestored: number;
  readonly foldersRestored: number;
  readonly linksRestored: number;
  readonly specialsRestored: number;
  /** Length of the restored files, holes included. */
  readonly bytesRestored: number;
  /** Bytes of sealed content that came from the server; content that several places need may come twice. */
  readonly bytesReceived: number;
  readonly chunksLost: number;
  readonly filesLost: number;
  /** That the catalog has lost, in the parts of it that were read: nobody knows what they were. */
  readonly entriesLost: number;
  readonly filesStale: number;
  readonly filesChangedWhileRead: number;
  /** What the target could not do; null for a dry run. */
  readonly problems: TargetReport['problems'] | null;
  readonly problemSamples: readonly TargetProblem[];
  readonly durationMs: number;
  /** Why the restore is not whole: `entries_lost`, `chunk_missing`, `unknown_format`, … or null. Everything else was restored nevertheless. */
  readonly failure: CofreError | null;
}
