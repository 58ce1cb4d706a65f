import type { ByteString } from '@cofre/shared/bytes';
import type { FileStatus } from '../platform/file-status.ts';

/** What a walk has to say about one path: without leading slash, '' for the root of the file system. */
export type WalkItem = WalkedEntry | WalkSkip | WalkProblem;

export interface WalkedEntry {
  readonly kind: 'entry';
  readonly path: ByteString;
  /** Never of a socket or of an unknown type. */
  readonly status: FileStatus;
  /**
   * A folder above what was asked for: its metadata belongs to the snapshot, whatever else it holds does
   * not. A link in its place was followed.
   */
  readonly ancestor: boolean;
}

/** Something left out on purpose. */
export interface WalkSkip {
  readonly kind: 'skipped';
  readonly path: ByteString;
  readonly reason: SkipReason;
}

/**
 * - `socket`, `unknown-type`: nothing that could be restored
 * - `other-file-system`, `cache`: the folder was walked as an entry, its content is left out
 * - `own-state`: belongs to the agent
 * - `excluded`: a root that an exclusion names; other excluded paths are not told
 * - `link-to-root`: the link at this path is left out, since a root lies behind it: the folder that it leads
 *   to takes its place
 */
export type SkipReason =
  'socket' | 'unknown-type' | 'other-file-system' | 'cache' | 'own-state' | 'excluded' | 'link-to-root';

/** Something that was wanted and is not there in the walk, or not whole. */
export interface WalkProblem {
  readonly kind: 'problem';
  readonly path: ByteString;
  /**
   * `status`: nothing is known of the path, and no entry comes for it. `list`: the folder came as an entry,
   * but its content is unknown or not complete.
   */
  readonly step: 'status' | 'list';
  /** Code of a system error such as `EACCES`; `ESTALE` for a folder that was replaced during the walk. */
  readonly code: string;
  /** Whether the path is one of those that were asked for. */
  readonly isRoot: boolean;
}
