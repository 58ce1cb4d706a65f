import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lacks } from '../requirements.ts';
import { checkScrubbed, runScrubbed } from './vault/check-scrubbed.ts';
import { injectIntoSyncs } from './vault/vault-program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-scrub-kill-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a scrub that nothing happens to finds all of it at once', async () => {
  const log = await runScrubbed(folder);
  expect(log).toMatchObject({ exitCode: 0, signal: null });
  expect(log.events.at(-2)).toMatchObject({
    event: 'scrubbed',
    result: { damagedChunks: 2, packsToRewrite: 1, lostObjects: 0 },
  });
  await checkScrubbed(folder, log);
});

/** Between which steps of a scrub, and the how many-eth time. */
const POINTS = [
  ['mend-synced', 1],
  ['mend-renamed', 2],
  ['mend-noted', 3],
  ['scrub-read', 1],
  ['scrub-settled', 1],
  ['scrub-finished', 1],
  ['scrub-finished', 2],
] as const;

test.each(POINTS)('killed at %s (%i), a scrub has made nothing worse', async (point, count) => {
  const log = await runScrubbed(folder, { crash: [point, count] });
  expect(log.signal).toBe('SIGKILL');
  await checkScrubbed(folder, log);
});

/** Of those that its file thread makes; these come after the vault was damaged: objects written anew, and their folder. */
const SYNCS = [31, 32, 33, 38];

test.skipIf(lacks('strace')).each(SYNCS)(
  'killed at sync %i, a scrub has made nothing worse',
  async (when) => {
    const log = await runScrubbed(folder, { prefix: injectIntoSyncs('signal=KILL', when) });
    expect(log.events.map(({ event }) => event)).toEqual(['made']);
    await checkScrubbed(folder, log);
  },
);

test.skipIf(lacks('strace')).each(SYNCS)(
  'when sync %i fails, a scrub ends its process and has made nothing worse',
  async (when) => {
    const log = await runScrubbed(folder, { prefix: injectIntoSyncs('error=EIO', when) });
    expect(log.exitCode).not.toBe(0);
    await checkScrubbed(folder, log);
  },
);
