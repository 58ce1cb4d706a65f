import { displayName, textFromByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { SnapshotKind } from '@cofre/shared/format/envelope/manifest';
import type { Command } from 'commander';
import type {
  BackupFailure,
  BackupObserver,
  BackupOptions,
  BackupProgress,
  BackupSummary,
} from '../../backup/backup.ts';
import { collect, withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags, Invocation } from '../invocation.ts';
import { absolutePath, pathFields } from '../path-fields.ts';
import { formatBytes, formatDuration } from '../quantities.ts';
import { collectPaths, readListFile } from '../source-paths.ts';
import { KIND_TEXTS } from '../snapshot-kinds.ts';
import { formatTable } from '../table.ts';
import type { Say, TextKey } from '../texts.ts';

interface BackupFlags extends CommonFlags {
  readonly set: string;
  readonly exclude?: readonly string[];
  readonly excludeFile?: readonly string[];
  readonly excludeCaches?: boolean;
  readonly oneFileSystem?: boolean;
  readonly filesFrom?: readonly string[];
  readonly filesFromRaw?: readonly string[];
  readonly full?: boolean;
  readonly differential?: boolean;
  readonly dryRun?: boolean;
}

/** How often programs are told where a run is. */
const STATUS_INTERVAL_MS = 1000;

/** `cofre backup PATH…` */
export function addBackupCommand(program: Command, { say, run }: CommandLine): void {
  withGeneralOptions(program.command('backup'), say)
    .description(say('backupDescription'))
    .argument('[paths...]', say('backupPaths'))
    .option('--set <name>', say('backupSet'), 'default')
    .option('--exclude <pattern>', say('excludeOption'), collect)
    .option('--exclude-file <file>', say('excludeFileOption'), collect)
    .option('--exclude-caches', say('excludeCachesOption'))
    .option('--one-file-system', say('oneFileSystemOption'))
    .option('--files-from <file>', say('filesFromOption'), collect)
    .option('--files-from-raw <file>', say('filesFromRawOption'), collect)
    .option('--full', say('fullOption'))
    .option('--differential', say('differentialOption'))
    .option('-n, --dry-run', say('dryRunOption'))
    .action(async (paths: string[], flags: BackupFlags) =>
      run(flags, async (invocation) => backUp(invocation, await optionsFrom(paths, flags))),
    );
}

async function optionsFrom(paths: readonly string[], flags: BackupFlags): Promise<BackupOptions> {
  if (flags.set.trim() === '') throw new CofreError('usage', { problem: 'the name of the set is empty' });
  const sources = {
    arguments: paths,
    listFiles: flags.filesFrom ?? [],
    rawListFiles: flags.filesFromRaw ?? [],
  };
  return {
    setName: flags.set,
    roots: await collectPaths(sources),
    excludes: [...(flags.exclude ?? []), ...(await excludesIn(flags.excludeFile ?? []))],
    oneFileSystem: flags.oneFileSystem === true,
    excludeCaches: flags.excludeCaches === true,
    kind: kindOf(flags),
    isDryRun: flags.dryRun === true,
  };
}

function kindOf(flags: BackupFlags): SnapshotKind {
  if (flags.full === true && flags.differential === true) {
    throw new CofreError('usage', { problem: '--full and --differential exclude each other' });
  }
  if (flags.full === true) return 'full';
  return flags.differential === true ? 'differential' : 'incremental';
}

async function excludesIn(files: readonly string[]): Promise<string[]> {
  if (files.length === 0) return [];
  const { parseExcludeFile } = await import('../../source/filters.ts');
  const patterns: string[] = [];
  for (const file of files)
    patterns.push(...parseExcludeFile(await readListFile(file)).map(textFromByteString));
  return patterns;
}

async function backUp(invocation: Invocation, options: BackupOptions): Promise<number> {
  const { openContext } = await import('../open-context.ts');
  const { lockState } = await import('../../state/run-lock.ts');
  const { runBackup } = await import('../../backup/run-backup.ts');
  const { context } = await openContext(invocation);
  const { output, say, signal, folders } = invocation;
  using _lock = lockState(folders.stateFolder);
  const { observer, stop } = await observe(invocation);
  let summary: BackupSummary;
  try {
    summary = await runBackup(context, options, observer, signal);
  } finally {
    stop();
  }
  output.summary(summaryFields(summary, options), () => summaryLines(summary, options, say));
  if (summary.filesFailed === 0) return EXIT.done;
  output.note(say('sourceIncomplete'));
  return EXIT.sourceIncomplete;
}

async function observe(invocation: Invocation): Promise<{ observer: BackupObserver; stop: () => void }> {
  const { progressLine } = await import('../progress-line.ts');
  const { output, say } = invocation;
  const line = progressLine(output);
  let toldMs = performance.now();
  return {
    stop: () => line.stop(),
    observer: {
      onFailure: (failure) => reportSourceProblem(failure, invocation),
      onProgress: (progress) => {
        line.update(progress.filesDone, progress.filesFound, progressText(progress, say));
        if (!output.isJson || performance.now() - toldMs < STATUS_INTERVAL_MS) return;
        toldMs = performance.now();
        output.status(statusFields(progress));
      },
    },
  };
}

const REASONS: Readonly<Record<string, TextKey>> = {
  changed: 'reasonChanged',
  vanished: 'reasonVanished',
  ENOENT: 'reasonVanished',
  EACCES: 'reasonDenied',
  EPERM: 'reasonDenied',
  socket: 'reasonSocket',
  lost: 'reasonLost',
};

function reportSourceProblem({ path, reason, isSkip }: BackupFailure, { output, say }: Invocation): void {
  const absolute = absolutePath(path);
  const fields = { ...(isSkip ? {} : { code: 'source_unreadable' }), ...pathFields(absolute), reason };
  const known = REASONS[reason];
  const places = { path: displayName(absolute), reason: known === undefined ? reason : say(known) };
  const text = say(isSkip ? 'sourceSkipped' : 'sourceProblem', places);
  if (!isSkip) output.problem('error', fields, text);
  else if (output.isJson || output.verbosity === 'verbose') output.problem('skipped', fields, text);
}

function progressText(progress: BackupProgress, say: Say): string {
  return say('progressBackup', {
    done: progress.filesDone,
    found: progress.filesFound,
    read: formatBytes(progress.bytesRead),
    sent: formatBytes(progress.bytesSent),
  });
}

function statusFields(progress: BackupProgress): object {
  return {
    phase: progress.phase,
    files_done: progress.filesDone,
    files_found: progress.filesFound,
    bytes_read: progress.bytesRead,
    bytes_sent: progress.bytesSent,
    bytes_seen: progress.bytesSeen,
    ...(progress.currentPath === null ? {} : pathFields(absolutePath(progress.currentPath))),
  };
}

function summaryFields(summary: BackupSummary, { setName, isDryRun }: BackupOptions): object {
  return {
    snapshot_id: summary.snapshotId,
    set: setName,
    kind: summary.kind,
    dry_run: isDryRun,
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    files_failed: summary.filesFailed,
    folders_total: summary.foldersTotal,
    bytes_total: summary.bytesTotal,
    bytes_read: summary.bytesRead,
    bytes_sent: summary.bytesSent,
    chunks_new: summary.chunksNew,
    chunks_healed: summary.chunksHealed,
    chunks_unverified: summary.chunksUnverified,
    duration_s: summary.durationMs / 1000,
  };
}

function summaryLines(summary: BackupSummary, { setName, kind }: BackupOptions, say: Say): string[] {
  const { snapshotId, chunksHealed, chunksUnverified } = summary;
  const counts = {
    new: summary.filesNew,
    changed: summary.filesChanged,
    unmodified: summary.filesUnmodified,
    failed: summary.filesFailed,
  };
  const bytes = { read: formatBytes(summary.bytesRead), total: formatBytes(summary.bytesTotal) };
  const rows = [
    [say('files'), say('filesCounts', counts)],
    [say('read'), say('readOf', bytes)],
    [say('sent'), formatBytes(summary.bytesSent)],
    [say('duration'), formatDuration(summary.durationMs)],
  ];
  const done = { id: snapshotId ?? '', set: setName, kind: say(KIND_TEXTS[summary.kind]) };
  const becameFull = kind === 'differential' && summary.kind === 'full';
  return [
    snapshotId === null ? say('backupDry') : say('backupDone', done),
    ...formatTable(rows, ['left', 'left']),
    ...(becameFull ? [say('becameFull')] : []),
    ...(chunksHealed > 0 ? [say('healed', { count: chunksHealed })] : []),
    ...(chunksUnverified > 0 ? [say('unverified', { count: chunksUnverified })] : []),
  ];
}
