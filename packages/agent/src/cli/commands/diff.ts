import { displayName } from '@cofre/shared/bytes';
import type { Command } from 'commander';
import type { SnapshotDifference } from '../../browse/diff-snapshots.ts';
import { withGeneralOptions } from '../general-options.ts';
import { entryFields } from '../entry-row.ts';
import type { CommandLine, Invocation } from '../invocation.ts';
import { absolutePath, pathFields } from '../path-fields.ts';
import { reportLost } from '../report-lost.ts';
import { snapshotArgument, withSnapshotOptions, type SnapshotFlags } from '../snapshot-options.ts';

/** `cofre diff A B --kit FILE` */
export function addDiffCommand(program: Command, { say, run }: CommandLine): void {
  withSnapshotOptions(withGeneralOptions(program.command('diff'), say), say)
    .description(say('diffDescription'))
    .argument('<before>', say('snapshotArgument'))
    .argument('<after>', say('snapshotArgument'))
    .action(async (before: string, after: string, flags: SnapshotFlags) =>
      run(flags, async (invocation) => compare(invocation, before, after, flags)),
    );
}

async function compare(
  invocation: Invocation,
  before: string,
  after: string,
  flags: SnapshotFlags,
): Promise<void> {
  const { openVault } = await import('../open-vault.ts');
  const { diffSnapshots } = await import('../../browse/diff-snapshots.ts');
  const { LostEntries } = await import('../../vault-reader/lost-entries.ts');
  const { output, say } = invocation;
  const vault = await openVault(invocation, flags.kit);
  const left = await vault.resolve(snapshotArgument(before, flags));
  const right = await vault.resolve(snapshotArgument(after, flags));
  const lost = new LostEntries((range) => reportLost(range, invocation));
  const counts = { added: 0, removed: 0, changed: 0 };
  for await (const difference of diffSnapshots(vault, left, right, lost.note)) {
    if (output.isBroken) return;
    counts[difference.kind] += 1;
    output.row('difference', fieldsOf(difference), () => lineOf(difference));
  }
  const fields = { before: left.snapshotId, after: right.snapshotId, ...counts };
  output.summary(fields, () => [say('diffDone', counts)]);
  lost.throwIfAny();
}

function fieldsOf(difference: SnapshotDifference): object {
  const { kind, path } = difference;
  return {
    kind,
    ...pathFields(absolutePath(path)),
    ...(difference.kind === 'changed' ? { changes: difference.changes } : {}),
    ...(difference.kind === 'added' ? {} : { before: entryFields(path, difference.before.entry) }),
    ...(difference.kind === 'removed' ? {} : { after: entryFields(path, difference.after.entry) }),
  };
}

const MARKS = { added: '+', removed: '-' } as const;
const CHANGE_MARKS = { type: 'T', content: 'M', metadata: 'U' } as const;

function lineOf(difference: SnapshotDifference): string {
  const mark =
    difference.kind === 'changed'
      ? difference.changes.map((change) => CHANGE_MARKS[change]).join('')
      : MARKS[difference.kind];
  return `${mark.padEnd(2)} ${displayName(absolutePath(difference.path))}`;
}
