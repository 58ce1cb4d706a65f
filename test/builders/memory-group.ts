import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Wrap } from './server-process.ts';

const HIERARCHY = '/sys/fs/cgroup/memory';

/** What {@link MemoryGroup} needs besides root: the memory hierarchy of cgroups, version 1. */
export const hasMemoryGroups = existsSync(join(HIERARCHY, 'memory.limit_in_bytes'));

/** A group of processes that the kernel ends when they take more memory than they may. */
export class MemoryGroup {
  readonly #folder: string;

  constructor(limitBytes: number) {
    this.#folder = join(HIERARCHY, `cofre-test-${process.pid}`);
    mkdirSync(this.#folder);
    writeFileSync(join(this.#folder, 'memory.limit_in_bytes'), String(limitBytes));
  }

  /** Runs a command in the group. */
  readonly wrap: Wrap = (command) => {
    const script = 'echo $$ > "$1" && shift && exec "$@"';
    return ['sh', '-c', script, 'sh', join(this.#folder, 'cgroup.procs'), ...command];
  };

  /** The most that it has taken, memory that only holds copies of what is on disk included. */
  get peakBytes(): number {
    return Number(readFileSync(join(this.#folder, 'memory.max_usage_in_bytes'), 'utf8'));
  }

  /** When all of its processes have ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}
