import type { Command } from 'commander';
import { CofreError } from '@cofre/shared/errors';
import type { RetainedSnapshotItem } from '@cofre/shared/wire/retention';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { requireConfirmation } from './confirmation.ts';
import { describeReasons } from './describe-retention.ts';
import { formatBytes, printLine, printTable, safeName } from './output.ts';

const TENANT = 'id or name of the tenant';
const SNAPSHOT = 'its id, the beginning of it, or its number';

interface ScopeOptions {
  readonly device?: string;
  readonly set?: string;
}

/** `snapshot list`, `delete`, `undelete`. */
export function addSnapshotCommands(program: Command, surroundings: CommandSurroundings): void {
  const snapshot = program.command('snapshot').description('snapshots of a tenant');
  administrationCommand(
    withScope(
      snapshot
        .command('list')
        .description('list snapshots, deleted and gone ones too, with what keeps them')
        .argument('<tenant>', TENANT),
    ),
    surroundings,
    {
      work: async (administration, tenant: string, { device, set }: ScopeOptions) => {
        const scope = { ...(device === undefined ? {} : { device }), ...(set === undefined ? {} : { set }) };
        return { snapshots: (await administration.retention.preview(tenant, scope)).items };
      },
      print: (output, { snapshots }) =>
        printTable(
          output,
          ['NUMBER', 'SNAPSHOT', 'DEVICE', 'SET', 'RECEIVED', 'LOCKED UNTIL', 'STATE', 'WHY'],
          snapshots.map(rowFrom),
        ),
    },
  );
  addDeleteCommand(snapshot, surroundings);
  administrationCommand(
    snapshot
      .command('undelete')
      .description('bring a deleted snapshot back, with those that it needs; no rule deletes it again')
      .argument('<tenant>', TENANT)
      .argument('<snapshot>', SNAPSHOT),
    surroundings,
    {
      work: (administration, tenant: string, reference: string) =>
        administration.retention.undelete(tenant, reference),
      print: (output, { snapshotIds }) => {
        for (const id of snapshotIds) printLine(output, `brought back ${id}`);
        if (snapshotIds.length === 0) printLine(output, 'it was not deleted');
      },
    },
  );
}

interface DeleteOptions extends ScopeOptions {
  readonly wholeSet?: true;
  readonly dryRun?: true;
  readonly yes?: true;
}

function addDeleteCommand(snapshot: Command, surroundings: CommandSurroundings): void {
  const command = withScope(
    snapshot
      .command('delete')
      .description('delete a snapshot, or a whole set; it can be undone for a while')
      .argument('<tenant>', TENANT)
      .argument('[snapshot]', SNAPSHOT),
  )
    .option('--whole-set', 'all snapshots of the set that --device and --set name, the last one too')
    .option('--dry-run', 'only say what it would do')
    .option('--yes', 'do not ask');
  administrationCommand(command, surroundings, {
    work: async (administration, tenant: string, reference: string | undefined, options: DeleteOptions) => {
      const isDryRun = options.dryRun === true;
      const request = requestFrom(reference, options);
      if (!isDryRun) {
        // What is refused is refused before anybody is asked.
        const planned = await administration.retention.deleteSnapshots(tenant, {
          ...request,
          isDryRun: true,
        });
        const question = `${planned.snapshotIds.length} snapshots of ${safeName(tenant)} are deleted.`;
        await requireConfirmation(surroundings.output, question, options.yes === true);
      }
      const deleted = await administration.retention.deleteSnapshots(tenant, { ...request, isDryRun });
      return { ...deleted, isDryRun };
    },
    print: (output, { snapshotIds, contentUntil, freedBytes, isDryRun }) => {
      for (const id of snapshotIds) printLine(output, `${isDryRun ? 'would delete' : 'deleted'} ${id}`);
      printLine(output, `until ${contentUntil} it can be undone; then it frees ${formatBytes(freedBytes)}`);
    },
  });
}

function requestFrom(reference: string | undefined, { wholeSet, device, set }: DeleteOptions) {
  if (wholeSet === true && reference === undefined && device !== undefined && set !== undefined) {
    return { device, set };
  }
  if (wholeSet !== true && reference !== undefined && device === undefined && set === undefined) {
    return { snapshot: reference };
  }
  throw new CofreError('usage', {
    problem: 'Name one snapshot, or a whole set: --whole-set --device DEVICE --set SET.',
  });
}

function withScope(command: Command): Command {
  return command
    .option('--device <device>', 'id, beginning of an id, or name of a computer')
    .option('--set <set>', 'id of a set, or the beginning of it; its name is sealed');
}

function rowFrom(item: RetainedSnapshotItem): (string | number)[] {
  return [
    item.number,
    item.snapshotId.slice(0, 12),
    safeName(item.deviceName),
    item.setId.slice(0, 8),
    item.received,
    item.lockedUntil,
    item.isComplete ? item.state : `${item.state}, partial`,
    describeReasons(item),
  ];
}
