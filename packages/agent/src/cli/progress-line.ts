import { SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

/** A bar on a terminal; elsewhere, and with `--quiet` or `--json`, nothing. */
export interface ProgressLine {
  /** @param text said behind the bar */
  update(done: number, total: number, text: string): void;
  stop(): void;
}

/** Draws on standard error, so that results can be redirected. */
export function progressLine(output: Output): ProgressLine {
  if (!output.showsProgress) return { update: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: '{bar} {percentage} % {text}',
    stream: output.errorStream,
    barsize: 24,
    fps: 5,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: true,
    // Signals are ours: the first one ends the run cleanly.
    gracefulExit: false,
    ...(process.env['NO_COLOR'] === undefined ? {} : { barCompleteChar: '#', barIncompleteChar: '.' }),
  });
  bar.start(1, 0, { text: '' });
  output.clearProgressWith(() => output.errorStream.write('\r\u001b[K'));
  return {
    update: (done, total, text) => {
      bar.setTotal(Math.max(total, 1));
      bar.update(Math.min(done, total), { text });
    },
    stop: () => {
      output.clearProgressWith(null);
      bar.stop();
    },
  };
}
