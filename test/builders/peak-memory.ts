import { readFileSync } from 'node:fs';
import type { AgentComputer, AgentRun } from './agent-process.ts';

const SAMPLE_INTERVAL_MS = 50;

export interface MeasuredRun {
  readonly run: AgentRun;
  /** The most memory that the process ever held, as the kernel tells it; Linux only. */
  readonly peakBytes: number;
}

/**
 * Runs a command and asks the kernel for the peak of its resident memory. The kernel keeps the peak, so nothing
 * between two questions is lost; only what comes after the last one, as the process ends, is not seen.
 */
export async function runMeasured(computer: AgentComputer, words: readonly string[]): Promise<MeasuredRun> {
  let peakBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const run = await computer.runWith(words, ({ pid }) => {
    timer = setInterval(() => (peakBytes = Math.max(peakBytes, peakOf(pid))), SAMPLE_INTERVAL_MS);
  });
  clearInterval(timer);
  if (peakBytes === 0) throw new Error('the peak of memory was never seen');
  return { run, peakBytes };
}

function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0; // It has ended.
  }
}
