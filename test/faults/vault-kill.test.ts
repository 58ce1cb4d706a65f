import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lacks } from '../requirements.ts';
import { checkSurvivor, runWriter } from './vault/check-survivor.ts';
import { injectIntoSyncs } from './vault/vault-program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-vault-kill-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a writer that nothing happens to leaves a clean vault', async () => {
  const log = await runWriter(folder);
  expect(log).toMatchObject({ exitCode: 0, signal: null });
  expect(log.events.at(-1)).toEqual({ event: 'closed' });
  await checkSurvivor(folder, log);
});

/** Between which steps of a write, and the how many-eth time: early ones hit the tenant's making, late ones a run. */
const POINTS = [
  ['pack-intent', 5],
  ['pack-written', 2],
  ['pack-synced', 5],
  ['pack-linked', 6],
  ['pack-recorded', 4],
  ['object-intent', 1],
  ['object-synced', 6],
  ['object-linked', 5],
  ['object-recorded', 6],
  ['commit-checked', 3],
] as const;

test.each(POINTS)('killed at %s (%i), a vault has kept all that it promised', async (point, count) => {
  const log = await runWriter(folder, { crash: [point, count] });
  expect(log.signal).toBe('SIGKILL');
  await checkSurvivor(folder, log);
});

/** Of about fifty that the writer's file thread makes. `long/vault-every-sync.test.ts` takes each of them. */
const SYNCS = [1, 8, 17, 26, 36, 46];

test.skipIf(lacks('strace')).each(SYNCS)(
  'killed at sync %i, a vault has kept all that it promised',
  async (when) => {
    const log = await runWriter(folder, { prefix: injectIntoSyncs('signal=KILL', when) });
    expect(log.events.at(-1)?.event).not.toBe('closed');
    await checkSurvivor(folder, log);
  },
);

test.skipIf(lacks('strace')).each(SYNCS)(
  'when sync %i fails, the process ends and has promised nothing false',
  async (when) => {
    const log = await runWriter(folder, { prefix: injectIntoSyncs('error=EIO', when) });
    expect(log.exitCode).not.toBe(0);
    expect(log.events.at(-1)?.event).not.toBe('closed');
    await checkSurvivor(folder, log);
  },
);
