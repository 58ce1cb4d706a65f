import type { Command } from 'commander';
import type { VaultStatistics, VerifyFinding, VerifyResult } from '@cofre/shared/wire/administration';
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
        if (result.findings.some(isDamage)) process.exitCode = EXIT.failed;
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
      print: (output, { tenants }) => printStatistics(output, tenants),
    },
  );
}

function printStatistics(output: Output, tenants: readonly VaultStatistics[]): void {
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
  );
  const sets = tenants.flatMap(({ name, sets: own }) => own.map((set) => ({ name, set })));
  if (sets.length === 0) return;
  printLine(output, '');
  printTable(
    output,
    ['NAME', 'DEVICE', 'SET', 'NEWEST VERSION', 'EARLIER VERSIONS', 'SNAPSHOTS'],
    sets.map(({ name, set }) => [
      safeName(name),
      safeName(set.deviceName),
      set.setId,
      formatBytes(set.headBytes),
      formatBytes(set.pastBytes),
      set.snapshots,
    ]),
  );
}

function printVerifyResult(
  output: Output,
  { tenants, packs, bytes, snapshots, findings }: VerifyResult,
): void {
  for (const finding of findings) printLine(output, describeFinding(finding));
  const read = `${tenants} tenants, ${snapshots} snapshots, ${packs} packs, ${formatBytes(bytes)} read`;
  const damages = findings.filter(isDamage).length;
  const warnings = findings.length - damages;
  const found = damages === 0 ? 'no damage' : `${damages} findings`;
  printLine(output, `${read}: ${found}${warnings === 0 ? '' : `, ${warnings} warnings`}`);
}

/** A warning is about what costs nothing: it changes no exit status. */
function isDamage({ isWarning }: VerifyFinding): boolean {
  return isWarning !== true;
}

const REMEDIES: Record<NonNullable<VerifyFinding['remedy']>, string> = {
  quarantine: 'a scrub takes it out of service, and the next backup of a device that has it heals it',
  mend: 'a scrub mends it',
  repack: 'it should be written anew',
  rebuild: 'stop the server and run: cofre-server rebuild',
};

function describeFinding({ tenantId, code, detail, affectedSnapshots, remedy }: VerifyFinding): string {
  const affected = affectedSnapshots.length === 0 ? '' : ` (snapshots: ${affectedSnapshots.join(', ')})`;
  const advice = remedy === undefined ? '' : `; ${REMEDIES[remedy]}`;
  return `${tenantId}  ${code}  ${safeName(detail)}${affected}${advice}`;
}
