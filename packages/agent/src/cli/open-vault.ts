import { VaultReader } from '../vault-reader/vault-reader.ts';
import type { Invocation } from './invocation.ts';
import { requireKit } from './kit-argument.ts';
import { openContext } from './open-context.ts';

/** The account's vault, opened with the kit that `--kit` or `COFRE_KIT_FILE` names. */
export async function openVault(invocation: Invocation, kitFile: string | undefined): Promise<VaultReader> {
  const kit = await requireKit(kitFile);
  const { context } = await openContext(invocation);
  return VaultReader.open(context, kit);
}
