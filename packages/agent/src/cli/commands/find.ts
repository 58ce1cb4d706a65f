import { displayName, type ByteString } from '@cofre/shared/bytes';
import type { Command } from 'commander';
import { withGeneralOptions } from '../general-options.ts';
import { entryFields } from '../entry-row.ts';
import type { CommandLine, Invocation } from '../invocation.ts';
import { absolutePath } from '../path-fields.ts';
import { reportLost } from '../report-lost.ts';
import { bytesOfArguments } from '../raw-arguments.ts';
import { snapshotArgument, withSnapshotOptions, type SnapshotFlags } from '../snapshot-options.ts';

/** `cofre find SNAPSHOT PATTERN --kit FILE` */
export function addFindCommand(program: Command, { say, run }: CommandLine): void {
  withSnapshotOptions(withGeneralOptions(program.command('find'), say), say)
    .description(say('findDescription'))
    .argument('<snapshot>', say('snapshotArgument'))
    .argument('<pattern>', say('findPattern'))
    .action(async (snapshot: string, pattern: string, flags: SnapshotFlags) =>
      run(flags, async (invocation) => find(invocation, snapshot, pattern, flags)),
    );
}

async function find(
  invocation: Invocation,
  snapshot: string,
  pattern: string,
  flags: SnapshotFlags,
): Promise<void> {
  const { openVault } = await import('../open-vault.ts');
  const { findEntries } = await import('../../browse/find-entries.ts');
  const { LostEntries } = await import('../../vault-reader/lost-entries.ts');
  const { output } = invocation;
  const vault = await openVault(invocation, flags.kit);
  const lost = new LostEntries((range) => reportLost(range, invocation));
  const catalog = await vault.catalog(await vault.resolve(snapshotArgument(snapshot, flags)), lost.note);
  const [bytes = '' as ByteString] = bytesOfArguments([pattern]);
  for await (const { path, entry } of findEntries(catalog, bytes)) {
    if (output.isBroken) return;
    output.row('entry', entryFields(path, entry), () => displayName(absolutePath(path)));
  }
  lost.throwIfAny();
}
