import { parseArgs } from 'node:util';
import { DATA_SETS } from './data-sets.ts';
import { PHASES, type Phase } from './measurement.ts';

export type BenchOptions = {
  dataSets: string[];
  contenders: string[];
  runs: number;
  lastPhase: Phase;
  phases: readonly Phase[];
  scale: number;
  scratch: string | undefined;
  jsonFile: string | undefined;
};

export const USAGE = `pnpm bench [OPTIONS]: measures Cofre against restic and borg on the same data.
  --data LIST    of ${Object.keys(DATA_SETS).join(', ')} (all)
  --with LIST    of cofre, restic, borg (all; the first one is what the others are compared with)
  --only LIST    phases to report, of ${PHASES.join(', ')} (all; what they build on is run too)
  --runs N       of each, in turn (3)
  --scale X      size of the generated data, 0.01 to 1 (1)
  --scratch DIR  where data, stores and restored files lie (a new folder in the system's own)
  --json FILE    writes every single figure`;

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function parseBenchOptions(commandLine: string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: commandLine.filter((argument) => argument !== '--'),
    options: {
      data: { type: 'string' },
      with: { type: 'string' },
      only: { type: 'string' },
      runs: { type: 'string', default: '3' },
      scale: { type: 'string', default: '1' },
      scratch: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const phases = listOf('--only', values.only, PHASES);
  return {
    dataSets: listOf('--data', values.data, Object.keys(DATA_SETS)),
    contenders: listOf('--with', values.with, ['cofre', 'restic', 'borg']),
    phases,
    lastPhase: PHASES.findLast((phase) => phases.includes(phase)) ?? 'first',
    runs: numberBetween('--runs', values.runs, 1, 100),
    scale: numberBetween('--scale', values.scale, 0.01, 1),
    scratch: values.scratch,
    jsonFile: values.json,
  };
}

function listOf<Name extends string>(
  option: string,
  given: string | undefined,
  allowed: readonly Name[],
): Name[] {
  if (given === undefined) return [...allowed];
  return given.split(',').map((name) => {
    const known = allowed.find((candidate) => candidate === name);
    if (known === undefined) throw new Error(`${option}: "${name}" is none of ${allowed.join(', ')}`);
    return known;
  });
}

function numberBetween(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (number >= least && number <= most) return number;
  throw new Error(`${option}: "${text}" is not a number from ${least} to ${most}`);
}
