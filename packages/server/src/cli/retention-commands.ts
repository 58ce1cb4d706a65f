import { InvalidArgumentError, type Command } from 'commander';
import { CofreError } from '@cofre/shared/errors';
import type {
  RetainedSnapshotItem,
  RetentionChoiceInput,
  RetentionOverviewItem,
  RetentionPreviewItem,
} from '@cofre/shared/wire/retention';
import { parseRetentionRule, RULE_PARTS, rulePartMax, type RulePart } from '../policy/retention-rule.ts';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { requireConfirmation } from './confirmation.ts';
import { describeReasons, formatDays } from './describe-retention.ts';
import { formatBytes, printLine, printTable, safeName, type Output } from './output.ts';

const TENANT = 'id or name of the tenant';

interface ScopeOptions {
  readonly device?: string;
  readonly set?: string;
}

type RuleOptions = ScopeOptions & { [Part in RulePart]?: number } & {
  readonly timeZone: string;
  readonly everything?: true;
  readonly byDefault?: true;
  readonly dryRun?: true;
};

const PART_TEXTS: Record<RulePart, string> = {
  keepLast: 'keep the newest ones; those of one hour count as one',
  keepDays: 'keep all that came in so many days',
  hourly: 'keep the first of each of so many hours that have any',
  daily: '… of so many days',
  weekly: '… weeks',
  monthly: '… months',
  yearly: '… years',
  changedAndDeletedDays: 'keep what was changed or deleted for so many days after it was replaced',
};

/** `retention show`, `set`, `preview`, `apply`. */
export function addRetentionCommands(program: Command, surroundings: CommandSurroundings): void {
  const retention = program.command('retention').description('how long snapshots are kept');
  administrationCommand(
    retention
      .command('show')
      .description('show rules, lock time and undo time of a tenant')
      .argument('<tenant>', TENANT),
    surroundings,
    {
      work: (administration, tenant: string) => administration.retention.overview(tenant),
      print: printOverview,
    },
  );
  addSetCommand(retention, surroundings);
  addPreviewCommand(retention, surroundings);
  addApplyCommand(retention, surroundings);
}

function addSetCommand(retention: Command, surroundings: CommandSurroundings): void {
  const command = withRule(
    withScope(
      retention
        .command('set')
        .description('set the rule of a set, or of all that have none of their own')
        .argument('<tenant>', TENANT),
    ),
  ).option('--dry-run', 'only show what it would delete');
  administrationCommand(command, surroundings, {
    work: async (administration, tenant: string, options: RuleOptions) => {
      const choice = choiceFrom(options);
      if (choice === undefined) throw new CofreError('rule_keeps_nothing');
      const request = { ...scopeFrom(options), choice };
      if (options.dryRun === true) return administration.retention.preview(tenant, request);
      return administration.retention.choose(tenant, request);
    },
    print: (output, result) =>
      'sets' in result ? printOverview(output, result) : printPreview(output, result),
  });
}

function addPreviewCommand(retention: Command, surroundings: CommandSurroundings): void {
  const command = withRule(
    withScope(
      retention
        .command('preview')
        .description('say which snapshots stay and go, when and why, by the rules or by another one')
        .argument('<tenant>', TENANT),
    ),
  );
  administrationCommand(command, surroundings, {
    work: (administration, tenant: string, options: RuleOptions) => {
      const choice = choiceFrom(options);
      const scope = scopeFrom(options);
      return administration.retention.preview(tenant, choice === undefined ? scope : { ...scope, choice });
    },
    print: printPreview,
  });
}

function addApplyCommand(retention: Command, surroundings: CommandSurroundings): void {
  const command = retention
    .command('apply')
    .description('delete now what the rules let go of; it can be undone for a while')
    .argument('<tenant>', TENANT)
    .option('--dry-run', 'only show what it would delete')
    .option('--yes', 'do not ask');
  administrationCommand(command, surroundings, {
    work: async (administration, tenant: string, options: { dryRun?: true; yes?: true }) => {
      if (options.dryRun === true) return administration.retention.preview(tenant, {});
      const question = `Snapshots of ${safeName(tenant)} are deleted by its rules.`;
      await requireConfirmation(surroundings.output, question, options.yes === true);
      return administration.retention.apply(tenant);
    },
    print: (output, result) => {
      if ('marked' in result) printLine(output, `deleted ${result.marked} snapshots`);
      else printPreview(output, result);
    },
  });
}

function withScope(command: Command): Command {
  return command
    .option('--device <device>', 'id, beginning of an id, or name of a computer')
    .option('--set <set>', 'id of a set, or the beginning of it; its name is sealed');
}

function withRule(command: Command): Command {
  for (const part of RULE_PARTS) {
    command.option(`--${flagOf(part)} <count>`, PART_TEXTS[part], (text) => parseCount(part, text));
  }
  return command
    .option('--time-zone <name>', 'in which days, weeks, months and years are counted', 'UTC')
    .option('--everything', 'no rule: nothing goes by itself')
    .option('--by-default', 'no rule of its own: what is set for the whole tenant counts');
}

function flagOf(part: RulePart): string {
  return part.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function parseCount(part: RulePart, text: string): number {
  const count = text === '' ? Number.NaN : Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= rulePartMax(part)) return count;
  throw new InvalidArgumentError(`It is a whole number from 0 to ${rulePartMax(part)}.`);
}

function scopeFrom({ device, set }: ScopeOptions): ScopeOptions {
  return { ...(device === undefined ? {} : { device }), ...(set === undefined ? {} : { set }) };
}

/** Undefined when nothing was chosen. */
function choiceFrom(options: RuleOptions): RetentionChoiceInput | undefined {
  const parts = RULE_PARTS.filter((part) => options[part] !== undefined);
  const ways = [parts.length > 0, options.everything === true, options.byDefault === true];
  if (ways.filter(Boolean).length > 1) {
    throw new CofreError('usage', { problem: 'A rule, --everything and --by-default exclude each other.' });
  }
  if (options.everything === true) return { mode: 'everything' };
  if (options.byDefault === true) return { mode: 'default' };
  if (parts.length === 0) return undefined;
  const rule = parseRetentionRule(Object.fromEntries(parts.map((part) => [part, options[part]])));
  return { mode: 'rule', rule, timeZone: options.timeZone };
}

function printOverview(output: Output, overview: RetentionOverviewItem): void {
  printLine(output, `locked for ${formatDays(overview.lockMs)} from receipt on`);
  printLine(output, `deleted snapshots can be brought back for ${formatDays(overview.softDeleteMs)}`);
  printLine(output, `by default: ${describeChoice(overview.byDefault)}`);
  if (overview.sets.length === 0) return;
  printTable(
    output,
    ['DEVICE', 'SET', 'RULE'],
    overview.sets.map((set) => [safeName(set.deviceName), set.setId, describeChoice(set.choice)]),
  );
}

function describeChoice(choice: RetentionChoiceInput): string {
  if (choice.mode === 'default') return 'as by default';
  if (choice.mode === 'everything') return 'keep everything';
  const parts = RULE_PARTS.filter((part) => choice.rule[part] > 0);
  const texts = parts.map((part) => `${flagOf(part)} ${choice.rule[part]}`);
  return `${texts.join(', ')} (${safeName(choice.timeZone)})`;
}

function printPreview(output: Output, { items, freedBytes }: RetentionPreviewItem): void {
  const there = items.filter(({ state }) => state !== 'gone');
  const going = there.filter(({ stays }) => !stays);
  printTable(
    output,
    ['SNAPSHOT', 'DEVICE', 'SET', 'RECEIVED', 'BECOMES', 'UNTIL', 'WHY'],
    there.map(rowFrom),
  );
  printLine(
    output,
    `${there.length - going.length} stay, ${going.length} go: that frees ${formatBytes(freedBytes)}`,
  );
}

function rowFrom(item: RetainedSnapshotItem): (string | number)[] {
  return [
    item.snapshotId.slice(0, 12),
    safeName(item.deviceName),
    item.setId.slice(0, 8),
    item.received,
    item.state === 'deleted' ? 'deleted' : item.stays ? 'kept' : 'goes',
    item.until ?? '-',
    describeReasons(item),
  ];
}
