import type { ByteString } from '@cofre/shared/bytes';
import type { Command } from 'commander';
import { withGeneralOptions } from '../general-options.ts';
import { entryFields, entryLine } from '../entry-row.ts';
import type { CommandLine, Invocation } from '../invocation.ts';
import { reportLost } from '../report-lost.ts';
import { bytesOfArguments } from '../raw-arguments.ts';
import { snapshotArgument, withSnapshotOptions, type SnapshotFlags } from '../snapshot-options.ts';

interface LsFlags extends SnapshotFlags {
  readonly recursive?: boolean;
}

/** `cofre ls SNAPSHOT [PATH] --kit FILE` */
export function addLsCommand(program: Command, { say, run }: CommandLine): void {
  withSnapshotOptions(withGeneralOptions(program.command('ls'), say), say)
    .description(say('lsDescription'))
    .argument('<snapshot>', say('snapshotArgument'))
    .argument('[path]', say('lsPath'), '/')
    .option('-r, --recursive', say('recursiveOption'))
    .action(async (snapshot: string, path: string, flags: LsFlags) =>
      run(flags, async (invocation) => list(invocation, snapshot, path, flags)),
    );
}

async function list(invocation: Invocation, snapshot: string, path: string, flags: LsFlags): Promise<void> {
  const { openVault } = await import('../open-vault.ts');
  const { listFolder } = await import('../../browse/list-folder.ts');
  const { LostEntries } = await import('../../vault-reader/lost-entries.ts');
  const { output } = invocation;
  const vault = await openVault(invocation, flags.kit);
  const lost = new LostEntries((range) => reportLost(range, invocation));
  const catalog = await vault.catalog(await vault.resolve(snapshotArgument(snapshot, flags)), lost.note);
  const [folder = '/' as ByteString] = bytesOfArguments([path]);
  const options = { isRecursive: flags.recursive === true, lost };
  for await (const { path: found, entry } of listFolder(catalog, folder, options)) {
    if (output.isBroken) return;
    output.row('entry', entryFields(found, entry), () => entryLine(found, entry));
  }
  lost.throwIfAny();
}
