import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lacks } from '../../requirements.ts';
import { checkSurvivor, runWriter } from '../vault/check-survivor.ts';
import { injectIntoSyncs } from '../vault/vault-program.ts';

/** More than any thread of the writer makes: the last ones show that nothing is left to hit. */
const SYNCS = Array.from({ length: 60 }, (_, index) => index + 1);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-vault-sync-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test.skipIf(lacks('strace')).each(SYNCS)('killed at sync %i, promises are kept', async (when) => {
  const log = await runWriter(folder, { prefix: injectIntoSyncs('signal=KILL', when) });
  expect(log.events.at(-1)?.event === 'closed').toBe(log.exitCode === 0);
  await checkSurvivor(folder, log);
});

test.skipIf(lacks('strace')).each(SYNCS)('when sync %i fails, nothing false is promised', async (when) => {
  const log = await runWriter(folder, { prefix: injectIntoSyncs('error=EIO', when) });
  const isUnhurt = log.events.at(-1)?.event === 'closed';
  expect(log.exitCode === 0).toBe(isUnhurt);
  await checkSurvivor(folder, log);
});
