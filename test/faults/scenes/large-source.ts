import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { expect } from 'vitest';
import { backupLine, expectEnd, restoredAt } from '../../builders/agent-run.ts';
import { Installation } from '../../builders/installation.ts';
import { runMeasured } from '../../builders/peak-memory.ts';

const MIB = 1024 ** 2;
/** What docs/architecture.md promises of the agent. */
const AGENT_BYTES_MAX = 256 * MIB;

export interface LargeSource {
  readonly files: number;
  /** Makes it at a path that is there, and empty. */
  readonly make: (root: string) => void;
}

/**
 * Takes a source that is large in some way through the whole product: a first run, one in which nothing changed,
 * and a restore that must be the same. The agent stays within its memory all the while; its peaks are printed.
 */
export async function expectLargeSourceKept({ files, make }: LargeSource): Promise<void> {
  const installation = await Installation.start();
  try {
    const account = await installation.account();
    const computer = await account.computer('one');
    const measured = async (what: string, ...words: string[]) => {
      const startMs = performance.now();
      const { run, peakBytes } = await runMeasured(computer, [...words, '--json']);
      expectEnd(run, 0);
      const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
      console.info(`${what}: ${seconds} s, peak ${(peakBytes / MIB).toFixed(0)} MiB`);
      expect.soft(peakBytes, `peak of memory, ${what}`).toBeLessThanOrEqual(AGENT_BYTES_MAX);
      return run;
    };
    const source = account.at('source');
    mkdirSync(source);
    make(source);
    const first = backupLine(await measured('first run', 'backup', source));
    expect(first).toMatchObject({ files_new: files, files_failed: 0 });
    const second = backupLine(await measured('unchanged run', 'backup', source));
    expect(second).toMatchObject({ files_new: 0, files_changed: 0, files_unmodified: files, bytes_read: 0 });
    const target = account.at('target');
    const words = ['restore', 'latest', '--target', target, '--kit', account.kit];
    const restored = (await measured('restore', ...words)).jsonOf('summary');
    expect(restored).toMatchObject({ files_restored: files, is_complete: true, problems: {} });
    expect(digestOf(restoredAt(target, source))).toEqual(digestOf(source));
  } finally {
    await installation.remove();
  }
}

/** Names, kinds, modes, sizes and times of all entries, and all content, in two digests: by programs that are not ours. */
function digestOf(root: string): { entries: string; content: string } {
  const script = (pipeline: string): string => {
    const run = spawnSync('bash', ['-o', 'pipefail', '-c', `cd "$1" && ${pipeline}`, 'bash', root], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
    return run.stdout;
  };
  return {
    entries: script(
      String.raw`find . -type f -printf '%P %y %m %T@ %s\0' -o -printf '%P %y %m %T@\0' | sort -z | sha256sum`,
    ),
    content: script('find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum'),
  };
}
