// Loaded into a server with --import: on SIGUSR2 it forgets what it has seen and begins to measure the delay of the event
// loop; on the next one it writes what it saw to the file of COFRE_BENCH_LOOP_DELAY.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const NANOSECONDS = 1e6;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let isMeasuring = false;

process.on('SIGUSR2', () => {
  if (!isMeasuring) {
    delay.reset();
    delay.enable();
    isMeasuring = true;
    return;
  }
  delay.disable();
  const milliseconds = (value) => value / NANOSECONDS;
  writeFileSync(
    process.env.COFRE_BENCH_LOOP_DELAY,
    JSON.stringify({
      p50Ms: milliseconds(delay.percentile(50)),
      p99Ms: milliseconds(delay.percentile(99)),
      maxMs: milliseconds(delay.max),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    }),
  );
});
