import { displayName } from '@cofre/shared/bytes';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { Command } from 'commander';
import type { AgentVerifyFinding, VerifyObserver, VerifySummary } from '../../verify/verify.ts';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags, Invocation } from '../invocation.ts';
import { absolutePath, pathFields } from '../path-fields.ts';
import { formatBytes, formatDuration } from '../quantities.ts';

interface VerifyFlags extends CommonFlags {
  readonly kit?: string;
  readonly readData?: boolean;
}

const STATUS_INTERVAL_MS = 1000;
const ID_CHARACTERS = 12;
/** For people; programs get all that are named. */
const PATHS_SHOWN_MAX = 5;

/** `cofre verify [--read-data --kit FILE]` */
export function addVerifyCommand(program: Command, { say, run }: CommandLine): void {
  withGeneralOptions(program.command('verify'), say)
    .description(say('verifyDescription'))
    .option('--kit <file>', say('kitOption'))
    .option('--read-data', say('readDataOption'))
    .action(async (flags: VerifyFlags) => run(flags, async (invocation) => verify(invocation, flags)));
}

async function verify(invocation: Invocation, flags: VerifyFlags): Promise<number> {
  const { optionalKit } = await import('../kit-argument.ts');
  const { openContext } = await import('../open-context.ts');
  const { verifySnapshots } = await import('../../verify/verify-snapshots.ts');
  const { output, say, signal } = invocation;
  const options = { kit: await optionalKit(flags.kit), readData: flags.readData === true };
  const { context } = await openContext(invocation);
  const { observer, stop } = await observe(invocation);
  let summary: VerifySummary;
  try {
    summary = await verifySnapshots(context, options, observer, signal);
  } finally {
    stop();
  }
  const fields = {
    snapshots: summary.snapshots,
    findings: summary.findings,
    chunks_read: summary.chunksRead,
    bytes_read: summary.bytesRead,
    data_was_read: options.readData,
    duration_s: summary.durationMs / 1000,
  };
  const places = {
    snapshots: summary.snapshots,
    findings: summary.findings,
    read: formatBytes(summary.bytesRead),
    time: formatDuration(summary.durationMs),
  };
  output.summary(fields, () => [say(summary.findings === 0 ? 'verifyClean' : 'verifyFound', places)]);
  return summary.findings === 0 ? EXIT.done : EXIT.failed;
}

async function observe(invocation: Invocation): Promise<{ observer: VerifyObserver; stop: () => void }> {
  const { progressLine } = await import('../progress-line.ts');
  const { output, say } = invocation;
  const line = progressLine(output);
  let toldMs = performance.now();
  return {
    stop: () => line.stop(),
    observer: {
      onFinding: (finding) => reportFinding(finding, invocation),
      onProgress: ({ phase, snapshotsDone, snapshotsTotal, chunksRead, bytesRead }) => {
        const places = {
          done: snapshotsDone,
          total: snapshotsTotal,
          read: formatBytes(bytesRead),
        };
        line.update(snapshotsDone, snapshotsTotal, say('progressVerify', places));
        if (!output.isJson || performance.now() - toldMs < STATUS_INTERVAL_MS) return;
        toldMs = performance.now();
        output.status({
          phase,
          snapshots_done: snapshotsDone,
          snapshots_total: snapshotsTotal,
          chunks_read: chunksRead,
          bytes_read: bytesRead,
        });
      },
    },
  };
}

function reportFinding(finding: AgentVerifyFinding, { output, say }: Invocation): void {
  const { code, snapshotId, detail, paths, pathCount } = finding;
  const fields = {
    code,
    snapshot_id: snapshotId,
    detail,
    paths: paths.map((path) => pathFields(absolutePath(path))),
    path_count: pathCount,
  };
  const shown = paths.slice(0, PATHS_SHOWN_MAX).map((path) => `  ${displayName(absolutePath(path))}`);
  const more = pathCount > shown.length ? [`  ${say('morePaths', { count: pathCount - shown.length })}`] : [];
  const first = say('finding', { id: snapshotId.slice(0, ID_CHARACTERS), code, detail });
  output.problem('error', fields, [first, ...shown, ...more].join('\n'));
}
