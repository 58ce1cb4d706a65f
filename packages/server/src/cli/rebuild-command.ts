import { Option, type Command } from 'commander';
import { CofreError } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { RebuiltVault } from '../vault/rebuild/vault-rebuilder.ts';
import type { CommandSurroundings } from './administration-command.ts';
import { formatBytes, printJson, printLine, progressOf, safeName, type Output } from './output.ts';
import { printReconciliation } from './print-reconciliation.ts';
import { settingsFrom, withApplianceOptions, type ApplianceOptions } from './settings.ts';
import type { RebuildReport } from './stopped-commands.ts';

interface RebuildOptions extends ApplianceOptions {
  readonly all?: true;
  readonly readAll?: true;
  readonly accept?: true;
  readonly json?: true;
}

/** `rebuild`: indexes made anew from the store, on the files of a stopped server. */
export function addRebuildCommand(program: Command, { appliance, output }: CommandSurroundings): void {
  withApplianceOptions(program.command('rebuild'))
    .description('make the index of a tenant anew from the store alone; the server has to be stopped')
    .argument('[tenant]', 'id or name of a tenant')
    .addOption(new Option('--all', 'all tenants that the store has').conflicts('accept'))
    .option('--read-all', 'compare the bytes of all content too, not only those of catalogs')
    .option('--accept', 'after a rebuild that named problems: let the tenant be written to again')
    .option('--json', 'print JSON for programs')
    .action(async (tenant: string | undefined, options: RebuildOptions) => {
      if ((tenant === undefined) !== (options.all === true)) {
        throw new CofreError('usage', { problem: 'Name one tenant, or say --all.' });
      }
      const settings = settingsFrom(options);
      if (options.accept === true) {
        const accepted = await appliance.stopped.acceptRebuilt(settings, tenant ?? '');
        if (options.json === true) printJson(output, 'summary', accepted);
        else
          printLine(
            output,
            accepted.reason === null ? 'it was not frozen' : `accepted: it ${accepted.reason}`,
          );
        return;
      }
      const request = { tenant: tenant ?? null, readsAll: options.readAll === true };
      const report = await appliance.stopped.rebuild(settings, request, progressOf(output));
      if (output.stderr.isTTY) output.stderr.write('\r\u001b[K');
      if (report.vaults.some(({ findings }) => findings.length > 0)) process.exitCode = EXIT.failed;
      if (options.json === true) printJson(output, 'summary', report);
      else printReport(output, report);
    });
}

function printReport(output: Output, report: RebuildReport): void {
  for (const vault of report.vaults) printVault(output, vault);
  printReconciliation(output, report.directory);
  const { storeBytes, readBytes, durationMs } = report;
  const seconds = Math.max(durationMs, 1) / 1000;
  const rate = `${formatBytes(Math.round(storeBytes / seconds))}/s`;
  const read = `${formatBytes(readBytes)} of ${formatBytes(storeBytes)} read in ${seconds.toFixed(1)} s`;
  printLine(output, `${read}: ${rate} of store`);
}

function printVault(output: Output, vault: RebuiltVault): void {
  const { tenantId, name, snapshots, packs, keptAs, findings } = vault;
  printLine(output, `${tenantId}  ${safeName(name)}: ${snapshots} snapshots, ${packs} packs`);
  if (keptAs !== null) printLine(output, `  the index before it is kept as ${keptAs}`);
  for (const { code, detail, affectedSnapshots } of findings) {
    const affected = affectedSnapshots.length === 0 ? '' : ` (snapshots: ${affectedSnapshots.join(', ')})`;
    printLine(output, `  ${code}  ${safeName(detail)}${affected}`);
  }
  if (findings.length === 0) return;
  printLine(output, `  ${findings.length} findings: it can be read, and not be written to before you say`);
  printLine(output, `  cofre-server rebuild --accept ${tenantId}`);
}
