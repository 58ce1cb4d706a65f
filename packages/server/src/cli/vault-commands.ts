import type { Command } from 'commander';
import type { VerifyFinding, VerifyResult } from '@cofre/shared/wire/administration';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { formatBytes, printLine, printTable, progressOf, safeName, type Output } from './output.ts';

const TENANT = 'id or name of a tenant; all of them without it';

/** `verify` and `stats`. */
export function addVaultCommands(program: Command, surroundings: CommandSurroundings): void {
  administrationCommand(
    program
      .command('verify')
      .description('read everything that is kept and name what is wrong with it; exits 1 when something is')
      .argument('[tenant]', TENANT),
    surroundings,
    {
      work: async (administration, tenant: string | undefined) => {
        const onProgress = progressOf(surroundings.output);
        const { signal } = new AbortController();
        const result = await administration.verify(tenant ?? null, { onProgress, signal });
        if (surroundings.output.stderr.isTTY) surroundings.output.stderr.write('\r\u001b[K');
        if (result.findings.length > 0) process.exitCode = EXIT.failed;
        return result;
      },
      print: printVerifyResult,
    },
  );
  administrationCommand(
    program.command('stats').description('say how much is kept').argument('[tenant]', TENANT),
    surroundings,
    {
      work: async (administration, tenant: string | undefined) => ({
        tenants: await administration.statistics(tenant ?? null),
      }),
      print: (output, { tenants }) =>
        printTable(
          output,
          ['NAME', 'USED', 'QUOTA', 'PACKS', 'ON DISK', 'CHUNKS', 'SNAPSHOTS', 'DEVICES'],
          tenants.map((item) => [
            safeName(item.name),
            formatBytes(item.usedBytes),
            formatBytes(item.quotaBytes),
            item.packs,
            formatBytes(item.packBytes),
            item.chunks,
            item.snapshots,
            item.devices,
          ]),
        ),
    },
  );
}

function printVerifyResult(
  output: Output,
  { tenants, packs, bytes, snapshots, findings }: VerifyResult,
): void {
  for (const finding of findings) printLine(output, describeFinding(finding));
  const read = `${tenants} tenants, ${snapshots} snapshots, ${packs} packs, ${formatBytes(bytes)} read`;
  printLine(output, `${read}: ${findings.length === 0 ? 'no damage' : `${findings.length} findings`}`);
}

function describeFinding({ tenantId, code, detail, affectedSnapshots }: VerifyFinding): string {
  const affected = affectedSnapshots.length === 0 ? '' : ` (snapshots: ${affectedSnapshots.join(', ')})`;
  return `${tenantId}  ${code}  ${safeName(detail)}${affected}`;
}
