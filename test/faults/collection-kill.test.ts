import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lacks } from '../requirements.ts';
import { checkCollected, runCollector } from './vault/check-collected.ts';
import { injectIntoSyncs } from './vault/vault-program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-collection-kill-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a collector that nothing happens to leaves a clean vault', async () => {
  const log = await runCollector(folder);
  expect(log).toMatchObject({ exitCode: 0, signal: null });
  expect(log.events.at(-1)).toEqual({ event: 'closed' });
  expect(log.events.at(-2)).toMatchObject({ result: { dropped: 20, repackedPacks: 4 } });
  await checkCollected(folder, log);
});

/** Between which steps of a collection, and the how many-eth time. */
const POINTS = [
  ['collect-condemned', 1],
  ['collect-condemned', 2],
  ['collect-dropped', 2],
  ['collect-doomed', 2],
  ['repack-intent', 1],
  ['repack-written', 1],
  ['repack-synced', 1],
  ['repack-linked', 1],
  ['repack-swapped', 1],
  ['doomed-unlinked', 1],
] as const;

test.each(POINTS)('killed at %s (%i), a collection has lost nothing', async (point, count) => {
  const log = await runCollector(folder, { crash: [point, count] });
  expect(log.signal).toBe('SIGKILL');
  await checkCollected(folder, log);
});

/** Of about fifty that its file thread makes; these come after the vault was filled: new pack, folders, unlinked files. */
const SYNCS = [43, 45, 47, 49];

test.skipIf(lacks('strace')).each(SYNCS)('killed at sync %i, a collection has lost nothing', async (when) => {
  const log = await runCollector(folder, { prefix: injectIntoSyncs('signal=KILL', when) });
  expect(log.events.some(({ event }) => event === 'made')).toBe(true);
  await checkCollected(folder, log);
});

test.skipIf(lacks('strace')).each(SYNCS)(
  'when sync %i fails, a collection ends its process and has lost nothing',
  async (when) => {
    const log = await runCollector(folder, { prefix: injectIntoSyncs('error=EIO', when) });
    expect(log.exitCode).not.toBe(0);
    await checkCollected(folder, log);
  },
);
