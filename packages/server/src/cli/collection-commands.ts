import type { Command } from 'commander';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { CollectionReport } from '@cofre/shared/wire/collection';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { formatBytes, printLine, progressOf, safeName, type Output } from './output.ts';

/** `collect`. */
export function addCollectionCommands(program: Command, surroundings: CommandSurroundings): void {
  const { output } = surroundings;
  administrationCommand(
    program
      .command('collect')
      .description(
        'let go of what nothing needs any more, and give its space back, as the server does by itself',
      )
      .argument('[tenant]', 'id or name of a tenant; all of them without it'),
    surroundings,
    {
      work: async (administration, tenant: string | undefined) => {
        const { signal } = new AbortController();
        const report = await administration.collect(tenant ?? null, {
          onProgress: progressOf(output),
          signal,
        });
        if (output.stderr.isTTY) output.stderr.write('\r\u001b[K');
        if (report.failures.length > 0) process.exitCode = EXIT.failed;
        return report;
      },
      print: printCollection,
    },
  );
}

function printCollection(output: Output, report: CollectionReport): void {
  for (const { tenantId, problem } of report.failures) printLine(output, `${tenantId}  ${safeName(problem)}`);
  const { condemned, dropped, freedBytes, repackedPacks, quarantined, unlinkedBytes, writtenBytes } = report;
  const counts: [number, string][] = [
    [condemned, 'pieces are not needed any more and go when their time is over'],
    [dropped, `pieces are gone: ${formatBytes(freedBytes)} of quotas`],
    [repackedPacks, 'packs were written anew'],
    [quarantined, 'pieces are damaged: the next backup of a device that has them heals them'],
  ];
  for (const [count, what] of counts) if (count > 0) printLine(output, `${count} ${what}`);
  // It can be less than nothing: what is damaged in a pack keeps the old one beside the new.
  const regained = formatBytes(Math.max(0, unlinkedBytes - writtenBytes));
  printLine(output, `${report.tenants} tenants, ${regained} of disk are free again`);
}
