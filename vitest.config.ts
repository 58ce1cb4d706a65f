import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const secondsToMs = (seconds: number): number => seconds * 1000;

/** Tests that touch no process and no network: many at once, short limits. */
function quickProject(name: string, include: string): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [include],
      testTimeout: secondsToMs(60),
      hookTimeout: secondsToMs(60),
      sequence: { groupOrder: 0 },
    },
  };
}

/** Tests that start servers and agents: one file at a time, so that each has the machine to itself. */
function slowProject(name: string, include: string, groupOrder: number): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [include],
      testTimeout: secondsToMs(600),
      hookTimeout: secondsToMs(300),
      fileParallelism: false,
      sequence: { groupOrder },
    },
  };
}

export default defineConfig({
  test: {
    // Native addons (better-sqlite3, koffi) are loaded in each worker: processes keep them apart, threads don't.
    pool: 'forks',
    projects: [
      quickProject('house', 'test/house/**/*.test.ts'),
      quickProject('unit', '{packages/*/src,scripts,test/builders,test/fakes}/**/*.test.ts'),
      quickProject('contracts', 'test/contracts/**/*.test.ts'),
      quickProject('vectors', 'test/vectors/**/*.test.ts'),
      quickProject('isolation', 'test/isolation/**/*.test.ts'),
      slowProject('e2e', 'test/e2e/**/*.test.ts', 1),
      slowProject('faults', 'test/faults/*.test.ts', 2),
      // Not in `npm test`: `pnpm test:faults` runs it, for as long as it takes.
      slowProject('faults-long', 'test/faults/long/**/*.test.ts', 3),
    ],
  },
});
