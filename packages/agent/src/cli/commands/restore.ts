import { displayName } from '@cofre/shared/bytes';
import type { ErrorCode } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import { Option, type Command } from 'commander';
import type { RestoreNote, RestoreObserver, RestoreOptions, RestoreSummary } from '../../restore/restore.ts';
import type { OwnerPolicy, TargetProblemKind } from '../../restore/target/target.ts';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, Invocation } from '../invocation.ts';
import { absolutePath, pathFields } from '../path-fields.ts';
import { formatBytes, formatDuration } from '../quantities.ts';
import { bytesOfArguments } from '../raw-arguments.ts';
import { reportLost } from '../report-lost.ts';
import { reportFailure } from '../report-failure.ts';
import { snapshotArgument, withSnapshotOptions, type SnapshotFlags } from '../snapshot-options.ts';
import { formatTable } from '../table.ts';
import type { Say, TextKey } from '../texts.ts';

interface RestoreFlags extends SnapshotFlags {
  readonly target: string;
  readonly existing?: 'keep' | 'replace' | 'rename';
  readonly owners?: OwnerPolicy;
  readonly devices?: boolean;
  readonly setuid?: boolean;
  readonly dryRun?: boolean;
}

const STATUS_INTERVAL_MS = 1000;
/** Of each kind; `--verbose` and `--json` have them all. */
const NOTES_SHOWN_MAX = 10;

/** `cofre restore SNAPSHOT [PATH…] --target DIR --kit FILE` */
export function addRestoreCommand(program: Command, { say, run }: CommandLine): void {
  withSnapshotOptions(withGeneralOptions(program.command('restore'), say), say)
    .description(say('restoreDescription'))
    .argument('<snapshot>', say('snapshotArgument'))
    .argument('[paths...]', say('restorePaths'))
    .requiredOption('--target <dir>', say('targetOption'))
    .addOption(
      new Option('--existing <policy>', say('existingOption')).choices(['keep', 'replace', 'rename']),
    )
    .addOption(
      new Option('--owners <policy>', say('ownersOption')).choices(['numbers', 'names', 'own', 'leave']),
    )
    .option('--no-devices', say('devicesOption'))
    .option('--no-setuid', say('setuidOption'))
    .option('-n, --dry-run', say('dryRunOption'))
    .action(async (snapshot: string, paths: string[], flags: RestoreFlags) =>
      run(flags, async (invocation) => restore(invocation, snapshot, paths, flags)),
    );
}

async function restore(
  invocation: Invocation,
  snapshot: string,
  paths: readonly string[],
  flags: RestoreFlags,
): Promise<number> {
  const { requireKit } = await import('../kit-argument.ts');
  const { openContext } = await import('../open-context.ts');
  const { runRestore } = await import('../../restore/run-restore.ts');
  const { output, say, language, signal } = invocation;
  const options: RestoreOptions = {
    ...snapshotArgument(snapshot, flags),
    kit: await requireKit(flags.kit),
    paths: bytesOfArguments(paths),
    target: flags.target,
    existing: flags.existing ?? 'refuse',
    owners: flags.owners ?? defaultOwners(),
    devices: flags.devices !== false,
    setuid: flags.setuid !== false,
    isDryRun: flags.dryRun === true,
  };
  const { context } = await openContext(invocation);
  const { observer, stop } = await observe(invocation);
  let summary: RestoreSummary;
  try {
    summary = await runRestore(context, options, observer, signal);
  } finally {
    stop();
  }
  for (const { path, kind, detail } of summary.problemSamples) {
    const text = say('targetProblem', {
      path: displayName(absolutePath(path)),
      kind: say(PROBLEMS[kind]),
      detail,
    });
    output.problem('problem', { kind, ...pathFields(absolutePath(path)), detail }, text);
  }
  output.summary(summaryFields(summary, flags.target), () => summaryLines(summary, flags.target, say));
  return summary.failure === null ? EXIT.done : reportFailure(summary.failure, output, language);
}

/** Only root can give files to others. */
function defaultOwners(): OwnerPolicy {
  return process.getuid?.() === 0 ? 'numbers' : 'own';
}

async function observe(invocation: Invocation): Promise<{ observer: RestoreObserver; stop: () => void }> {
  const { progressLine } = await import('../progress-line.ts');
  const { output, say } = invocation;
  const line = progressLine(output);
  const shown = new Map<RestoreNote['kind'], number>();
  let toldMs = performance.now();
  return {
    stop: () => line.stop(),
    observer: {
      onNote: (note) => {
        const count = (shown.get(note.kind) ?? 0) + 1;
        shown.set(note.kind, count);
        const isShown = output.isJson || output.verbosity === 'verbose' || count <= NOTES_SHOWN_MAX;
        if (isShown || LOSSES.has(note.kind)) reportNote(note, invocation);
      },
      onLost: (lost) => reportLost(lost, invocation),
      onProgress: ({ phase, filesDone, filesTotal, bytesDone, bytesTotal, currentPath }) => {
        const counts = {
          done: filesDone,
          total: filesTotal,
          bytes: formatBytes(bytesDone),
        };
        line.update(bytesDone, bytesTotal, say('progressRestore', counts));
        if (!output.isJson || performance.now() - toldMs < STATUS_INTERVAL_MS) return;
        toldMs = performance.now();
        output.status({
          phase,
          files_done: filesDone,
          files_total: filesTotal,
          bytes_done: bytesDone,
          bytes_total: bytesTotal,
          ...(currentPath === null ? {} : pathFields(absolutePath(currentPath))),
        });
      },
    },
  };
}

const NOTES: Readonly<Record<RestoreNote['kind'], TextKey>> = {
  stale: 'noteStale',
  'changed-while-read': 'noteChanged',
  placeholder: 'notePlaceholder',
  'content-lost': 'noteLost',
  'later-format': 'noteLaterFormat',
  'folder-unknown': 'noteFolderUnknown',
};

/** Notes on files that are not restored, however many there are, and the codes that stand for them. */
const LOSSES: ReadonlyMap<RestoreNote['kind'], ErrorCode> = new Map([
  ['content-lost', 'chunk_missing'],
  ['later-format', 'unknown_format'],
]);

const PROBLEMS: Readonly<Record<TargetProblemKind, TextKey>> = {
  'not-restored': 'problemNotRestored',
  'unsafe-path': 'problemUnsafePath',
  'kept-existing': 'problemKept',
  renamed: 'problemRenamed',
  'device-left-out': 'problemDevice',
  'owner-not-set': 'problemOwner',
  'mode-not-set': 'problemMode',
  'setuid-left-out': 'problemSetuid',
  'xattr-not-set': 'problemXattr',
  'times-not-set': 'problemTimes',
};

function reportNote({ kind, path, detail }: RestoreNote, { output, say }: Invocation): void {
  const absolute = absolutePath(path);
  const lossCode = LOSSES.get(kind);
  const messageType = lossCode === undefined ? 'note' : 'error';
  const text = say(NOTES[kind], { path: displayName(absolute), detail });
  const code = lossCode === undefined ? {} : { code: lossCode };
  output.problem(messageType, { ...code, kind, ...pathFields(absolute), detail }, text);
}

function summaryFields(summary: RestoreSummary, target: string): object {
  return {
    snapshot_id: summary.snapshotId,
    snapshot_is_complete: summary.isSnapshotComplete,
    target,
    dry_run: summary.isDryRun,
    files_restored: summary.filesRestored,
    folders_restored: summary.foldersRestored,
    links_restored: summary.linksRestored,
    specials_restored: summary.specialsRestored,
    bytes_restored: summary.bytesRestored,
    bytes_received: summary.bytesReceived,
    chunks_lost: summary.chunksLost,
    files_lost: summary.filesLost,
    entries_lost: summary.entriesLost,
    files_stale: summary.filesStale,
    files_changed_while_read: summary.filesChangedWhileRead,
    problems: summary.problems ?? {},
    is_complete: summary.failure === null,
    duration_s: summary.durationMs / 1000,
  };
}

function summaryLines(summary: RestoreSummary, target: string, say: Say): string[] {
  const counts = {
    files: summary.filesRestored,
    folders: summary.foldersRestored,
    links: summary.linksRestored,
    specials: summary.specialsRestored,
  };
  const rows = [
    [say('files'), say('restoreCounts', counts)],
    [say('content'), formatBytes(summary.bytesRestored)],
    [say('received'), formatBytes(summary.bytesReceived)],
    [say('duration'), formatDuration(summary.durationMs)],
  ];
  const problems = Object.entries(summary.problems ?? {}) as [TargetProblemKind, number][];
  const id = summary.snapshotId;
  return [
    summary.isDryRun ? say('restoreDry', { id }) : say('restoreDone', { id, target }),
    ...(summary.isSnapshotComplete ? [] : [say('restorePartial')]),
    ...formatTable(rows, ['left', 'left']),
    ...problems.map(([kind, count]) => `${count} × ${say(PROBLEMS[kind])}`),
  ];
}
