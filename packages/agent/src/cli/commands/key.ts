import { resolve } from 'node:path';
import type { Command } from 'commander';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags, Invocation } from '../invocation.ts';

interface KeyFlags extends CommonFlags {
  readonly kit?: string;
}

/** Enough to know: more would only take longer. */
const SNAPSHOTS_TRIED_MAX = 20;

/** `cofre key show-kit|test` */
export function addKeyCommand(program: Command, { say, run }: CommandLine): void {
  const key = program
    .command('key')
    .description(say('keyDescription'))
    .helpOption('-h, --help', say('helpOption'));
  withGeneralOptions(key.command('show-kit'), say)
    .description(say('showKitDescription'))
    .option('--kit <file>', say('kitOption'))
    .action(async (flags: KeyFlags) => run(flags, async (invocation) => showKit(invocation, flags.kit)));
  withGeneralOptions(key.command('test'), say)
    .description(say('testKeyDescription'))
    .option('--kit <file>', say('kitOption'))
    .action(async (flags: KeyFlags) => run(flags, async (invocation) => testKey(invocation, flags.kit)));
}

async function showKit(invocation: Invocation, kitFile: string | undefined): Promise<void> {
  const { requireIdentity } = await import('../../state/identity-file.ts');
  const { optionalKit } = await import('../kit-argument.ts');
  const { reprintKit } = await import('../../enrolment/reprint-kit.ts');
  const { output, say, language, folders } = invocation;
  const identity = await requireIdentity(folders.stateFolder);
  const kit = await optionalKit(kitFile);
  if (kit === null) {
    const fields = { kit_file: identity.kitFile, is_kept_here: false };
    output.summary(fields, () => [say('kitPlace', { file: identity.kitFile }), say('kitNotKept')]);
    return;
  }
  const text = await reprintKit(kit, identity, language);
  const fields = { kit_file: resolve(kit.source), is_kept_here: false, text };
  output.row('summary', fields, () => text.trimEnd());
}

async function testKey(invocation: Invocation, kitFile: string | undefined): Promise<void> {
  const { openContext } = await import('../open-context.ts');
  const { requireKit } = await import('../kit-argument.ts');
  const { VaultReader } = await import('../../vault-reader/vault-reader.ts');
  const { proveDomain } = await import('../../enrolment/domain-record.ts');
  const { readBlobHeader } = await import('@cofre/shared/format/envelope/blob');
  const { output, say } = invocation;
  const kit = await requireKit(kitFile);
  const { context } = await openContext(invocation);
  const vault = await VaultReader.open(context, kit);
  await proveDomain(context.client, context.identity, await recoveryKeyOf(kit.text, kit.source));
  const periods = new Set<string>();
  let tried = 0;
  for (const snapshot of (await vault.snapshots()).reverse()) {
    if (tried === SNAPSHOTS_TRIED_MAX || snapshot.standing !== 'confirmed' || snapshot.manifest === null)
      continue;
    const { manifest } = snapshot;
    await vault.info({ ...snapshot, manifest });
    periods.add(readBlobHeader(manifest.sealedInfo).keyPeriodId);
    tried += 1;
  }
  const fields = { kit_file: resolve(kit.source), domains: 1, key_periods: periods.size, snapshots: tried };
  const places = { file: kit.source, periods: periods.size, snapshots: tried };
  output.summary(fields, () => [say('keyOpens', places)]);
}

async function recoveryKeyOf(text: string, source: string) {
  const { parseKit } = await import('@cofre/shared/crypto/kit');
  const { recoveryKeyFromSecret } = await import('@cofre/shared/crypto/recovery-key');
  return recoveryKeyFromSecret(parseKit(text, source));
}
