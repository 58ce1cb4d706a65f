import type { SnapshotKind } from '@cofre/shared/format/envelope/manifest';
import type { TextKey } from './texts.ts';

/** What people call the kinds of snapshots. */
export const KIND_TEXTS: Readonly<Record<SnapshotKind, TextKey>> = {
  full: 'kindFull',
  incremental: 'kindIncremental',
  differential: 'kindDifferential',
};
