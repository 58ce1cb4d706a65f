import { PHASES, PHASE_TITLES, type Measurement, type Phase } from './measurement.ts';

const MEBIBYTE = 1024 ** 2;

type Figure = {
  title: string;
  of(measurement: Measurement): number;
  /** Digits behind the point. */
  digits: number;
  /** Left out of a restore, which stores nothing. */
  ofBackupsOnly?: boolean;
};

const FIGURES: readonly Figure[] = [
  { title: 'wall time, s', of: ({ client }) => client.wallSeconds, digits: 2 },
  { title: 'CPU time, client, s', of: ({ client }) => client.cpuSeconds, digits: 2 },
  { title: 'CPU time, server, s', of: ({ server }) => server?.cpuSeconds ?? 0, digits: 2 },
  {
    title: 'CPU time, both, s',
    of: ({ client, server }) => client.cpuSeconds + (server?.cpuSeconds ?? 0),
    digits: 2,
  },
  { title: 'peak memory, client, MiB', of: ({ client }) => client.peakBytes / MEBIBYTE, digits: 0 },
  { title: 'peak memory, server, MiB', of: ({ server }) => (server?.peakBytes ?? 0) / MEBIBYTE, digits: 0 },
  { title: 'stored, MiB', of: ({ storedBytes }) => storedBytes / MEBIBYTE, digits: 1, ofBackupsOnly: true },
];

export function median(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/**
 * A table for one data set: for each phase and figure the median of each contender, and how many times as much as the
 * first contender the others take. Over 1 is in favour of the first, whatever the figure.
 */
export function tableFor(measurements: Measurement[], contenders: string[]): string {
  const [first = '', ...others] = contenders;
  const header = ['phase', 'figure', ...contenders, ...others.map((other) => `${other} ÷ ${first}`)];
  const rows = PHASES.flatMap((phase) => rowsFor(phase, measurements, contenders));
  return [header, header.map((_, index) => (index < 2 ? '---' : '--:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function rowsFor(phase: Phase, measurements: Measurement[], contenders: string[]): string[][] {
  const ofPhase = measurements.filter((measurement) => measurement.phase === phase);
  if (ofPhase.length === 0) return [];
  const figures = FIGURES.filter(({ ofBackupsOnly }) => phase !== 'restore' || ofBackupsOnly !== true);
  return figures.map((figure) => {
    const values = contenders.map((contender) => {
      const own = ofPhase.filter((measurement) => measurement.contender === contender);
      return median(own.map((measurement) => figure.of(measurement)));
    });
    const [first = NaN, ...others] = values;
    return [
      PHASE_TITLES[phase],
      figure.title,
      ...values.map((value) => (Number.isNaN(value) ? '' : value.toFixed(figure.digits))),
      ...others.map((other) => formatRatio(other / first)),
    ];
  });
}

/** Nothing where a side took nothing (borg has no server): there is no ratio then. */
function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) && ratio > 0 ? `${ratio.toFixed(2)}×` : '';
}
