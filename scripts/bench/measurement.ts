import type { CommandFigures } from './run-command.ts';
import type { ServerFigures } from './server-process.ts';

/** In this order: each builds on the one before. */
export const PHASES = ['first', 'unchanged', 'changed', 'restore'] as const;
export type Phase = (typeof PHASES)[number];

export const PHASE_TITLES: Record<Phase, string> = {
  first: 'first backup',
  unchanged: 'unchanged run',
  changed: 'run after 1 % changed',
  restore: 'restore',
};

/** One command of one contender on one data set in one run. */
export type Measurement = {
  dataSet: string;
  contender: string;
  run: number;
  phase: Phase;
  client: CommandFigures;
  server: ServerFigures | null;
  /** What the store holds when the command is done. */
  storedBytes: number;
};
