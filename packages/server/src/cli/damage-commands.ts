import type { Command } from 'commander';
import { CofreError } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { DamageItem, ScrubReport, VaultDamages } from '@cofre/shared/wire/damage';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { formatBytes, printLine, progressOf, safeName, type Output } from './output.ts';

interface ScrubOptions {
  readonly all?: true;
  readonly due?: true;
}

/** `scrub` and `damage`. */
export function addDamageCommands(program: Command, surroundings: CommandSurroundings): void {
  const { output } = surroundings;
  administrationCommand(
    program
      .command('scrub')
      .description(
        'read everything that is kept now, take what is damaged out of service, mend what can be mended',
      )
      .argument('[tenant]', 'id or name of a tenant')
      .option('--all', 'all tenants')
      .option('--due', 'only what is due, as the server does it by itself'),
    surroundings,
    {
      work: async (administration, tenant: string | undefined, { all, due }: ScrubOptions) => {
        if ((tenant === undefined) !== (all === true)) {
          throw new CofreError('usage', { problem: 'Name one tenant, or say --all.' });
        }
        const { signal } = new AbortController();
        const run = { onProgress: progressOf(output), signal, isDueOnly: due === true };
        const report = await administration.scrub(tenant ?? null, run);
        if (output.stderr.isTTY) output.stderr.write('\r\u001b[K');
        if (hasLoss(report)) process.exitCode = EXIT.failed;
        return report;
      },
      print: printScrub,
    },
  );
  administrationCommand(
    program
      .command('damage')
      .description('list what was found damaged, and what became of it; exits 1 while something is')
      .argument('[tenant]', 'id or name of a tenant; all of them without it'),
    surroundings,
    {
      work: async (administration, tenant: string | undefined) => {
        const { items, failures } = await administration.listDamages(tenant ?? null);
        const isWhole = failures.length === 0 && items.every((vault) => !vault.items.some(isOpen));
        if (!isWhole) process.exitCode = EXIT.failed;
        return { tenants: items, failures };
      },
      print: printDamages,
    },
  );
}

function isOpen({ state }: DamageItem): boolean {
  return state === 'open';
}

/** What was mended at once is no loss. */
function hasLoss({ damagedChunks, lostObjects, failures }: ScrubReport): boolean {
  return damagedChunks > 0 || lostObjects > 0 || failures.length > 0;
}

function printScrub(output: Output, report: ScrubReport): void {
  for (const { tenantId, problem } of report.failures) printLine(output, `${tenantId}  ${safeName(problem)}`);
  const { damagedChunks, recoveredChunks, packsToRewrite, rewrittenObjects, mendedRows, lostObjects } =
    report;
  const counts: [number, string][] = [
    [damagedChunks, 'pieces are damaged: the next backup of a device that has them heals them'],
    [recoveredChunks, 'pieces can be read again'],
    [packsToRewrite, 'packs have damage that costs nothing'],
    [rewrittenObjects + mendedRows, 'objects were mended'],
    [lostObjects, 'objects are lost'],
  ];
  for (const [count, what] of counts) if (count > 0) printLine(output, `${count} ${what}`);
  const read = `${report.tenants} tenants, ${report.packs} packs, ${formatBytes(report.bytes)} read`;
  printLine(output, `${read}${hasLoss(report) ? '; cofre-server damage says more' : ': no damage'}`);
}

function printDamages(
  output: Output,
  { tenants, failures }: { tenants: readonly VaultDamages[]; failures: ScrubReport['failures'] },
): void {
  for (const { tenantId, problem } of failures) printLine(output, `${tenantId}  ${safeName(problem)}`);
  for (const { items } of tenants) for (const item of items) printLine(output, describeDamage(item));
  const all = tenants.flatMap(({ items }) => items);
  const count = (state: DamageItem['state']) => all.filter((item) => item.state === state).length;
  const unnamed = tenants.reduce((sum, vault) => sum + vault.open + vault.healed, 0) - all.length;
  const summary = `${count('open')} open, ${count('healed')} healed, ${count('moot')} not needed any more`;
  printLine(output, unnamed > 0 ? `${summary}, ${unnamed} not listed` : summary);
}

function describeDamage(item: DamageItem): string {
  const { tenantId, state, what, pack, chunkId, object, snapshots, devices, healedByPack } = item;
  const place = object === null ? `pack ${pack}, chunk ${chunkId}` : `object ${object}`;
  const healed = healedByPack === null ? '' : ` (by pack ${healedByPack})`;
  const concerned = snapshots.length === 0 ? 'no snapshot' : `snapshots ${snapshots.join(', ')}`;
  const whose = devices.length === 0 ? '' : ` of ${devices.join(', ')}`;
  return `${tenantId}  ${state}${healed}  ${what}  ${place}: ${concerned}${whose}`;
}
