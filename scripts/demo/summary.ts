import { formatBytes, formatDuration } from '@cofre/agent/cli/quantities';
import { formatTable } from '@cofre/agent/cli/table';
import type { DemoFigures } from './scenario.ts';

/** The figures of the demo as lines that stand below each other. */
export function summaryLines({ backups, restores, changes, storeBytes }: DemoFigures): string[] {
  const [first, second] = backups;
  const rows = [
    ['', 'TIME', 'FILES HOLD', 'READ', 'TRAVELLED', 'OF THE FILES'],
    ...(
      [
        ['First backup', first],
        ['Second backup', second],
      ] as const
    ).map(([title, { seconds, bytesTotal, bytesRead, bytesSent }]) => [
      title,
      formatDuration(seconds * 1000),
      formatBytes(bytesTotal),
      formatBytes(bytesRead),
      formatBytes(bytesSent),
      formatShare(bytesSent, bytesTotal),
    ]),
    ...(
      [
        ['First restore', restores[0]],
        ['Second restore', restores[1]],
      ] as const
    ).map(([title, { seconds, bytesRestored, bytesReceived }]) => [
      title,
      formatDuration(seconds * 1000),
      formatBytes(bytesRestored),
      '',
      formatBytes(bytesReceived),
      formatShare(bytesReceived, bytesRestored),
    ]),
  ];
  const both = first.bytesTotal + second.bytesTotal;
  return [
    ...formatTable(rows, ['left', 'right', 'right', 'right', 'right', 'right']),
    '',
    `Changed or added between the backups: ${formatBytes(changes.bytes)} of files. The store grew by ${formatBytes(second.bytesKept)}.`,
    `Two snapshots of ${formatBytes(both)} in all take ${formatBytes(storeBytes)} in the store: ${formatRatio(both, storeBytes)} to 1.`,
  ];
}

function formatShare(part: number, whole: number): string {
  if (whole === 0) return '';
  const percent = (part / whole) * 100;
  return `${percent < 10 ? percent.toFixed(2) : percent.toFixed(0)} %`;
}

function formatRatio(whole: number, part: number): string {
  return (whole / Math.max(part, 1)).toFixed(1);
}
