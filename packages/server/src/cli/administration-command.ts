import type { Command } from 'commander';
import type { Administration } from '../administration/administration.ts';
import type { ApplianceCommands } from './appliance-commands.ts';
import { printJson, type Output } from './output.ts';
import { settingsFrom, withApplianceOptions, type ApplianceOptions } from './settings.ts';

export interface CommandSurroundings {
  readonly appliance: ApplianceCommands;
  readonly output: Output;
}

interface AdministrationCommand<Result extends object, Inputs extends readonly unknown[]> {
  readonly work: (administration: Administration, ...inputs: Inputs) => Promise<Result>;
  /** For people; with `--json` the result itself is printed. */
  readonly print: (output: Output, result: Result) => void;
}

/**
 * Makes a command of one that administers: it takes the settings of the appliance and `--json`, and runs `work` with
 * the command's arguments and then its own options.
 */
export function administrationCommand<Result extends object, Inputs extends readonly unknown[]>(
  command: Command,
  { appliance, output }: CommandSurroundings,
  { work, print }: AdministrationCommand<Result, Inputs>,
): Command {
  return withApplianceOptions(command)
    .option('--json', 'print JSON for programs')
    .action(async (...given: unknown[]) => {
      // Commander gives the arguments, then the options, then the command.
      const inputs = given.slice(0, -1) as unknown as Inputs;
      const options = given.at(-2) as ApplianceOptions & { json?: true };
      const settings = settingsFrom(options);
      const result = await appliance.administer(settings, (administration) =>
        work(administration, ...inputs),
      );
      if (options.json === true) printJson(output, 'summary', result);
      else print(output, result);
    });
}
