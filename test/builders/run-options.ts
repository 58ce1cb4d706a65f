import type { ByteString } from '@cofre/shared/bytes';
import type { BackupOptions } from '../../packages/agent/src/backup/backup.ts';
import type { RestoreOptions } from '../../packages/agent/src/restore/restore.ts';

/** A backup of one folder, as the command line asks for it when nothing else is said. */
export function backupOptions(source: string, changes: Partial<BackupOptions> = {}): BackupOptions {
  return {
    setName: 'default',
    roots: [source.slice(1) as ByteString],
    excludes: [],
    oneFileSystem: false,
    excludeCaches: false,
    kind: 'incremental',
    isDryRun: false,
    ...changes,
  };
}

/** A restore of the latest snapshot, as the command line asks for it when nothing else is said. */
export function restoreOptions(
  kit: RestoreOptions['kit'],
  target: string,
  changes: Partial<RestoreOptions> = {},
): RestoreOptions {
  return {
    snapshot: 'latest',
    kit,
    paths: [],
    target,
    isDryRun: false,
    existing: 'refuse',
    owners: 'numbers',
    devices: false,
    setuid: false,
    ...changes,
  };
}
