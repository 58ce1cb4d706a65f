import { expect, test } from 'vitest';
import { lacks } from '../../requirements.ts';
import { expectKillsAtSyncsSurvived } from '../scenes/server-killed-at-sync.ts';
import { expectServerKillsSurvived } from '../scenes/server-killed.ts';
import { rerunCommand, seedsOf } from '../seeds.ts';

/** More than any thread of the server makes in one run: the last ones show that nothing is left to hit. */
const SYNCS = Array.from({ length: 40 }, (_, index) => index + 1);

test.each(seedsOf(20))('a server that is killed at any moment keeps its word, seed %i', async (seed) => {
  console.info(rerunCommand(import.meta.filename, seed));
  await expectServerKillsSurvived(seed, 8);
});

test.skipIf(lacks('strace'))('a server that is killed at each of its syncs keeps its word', async () => {
  const kills = await expectKillsAtSyncsSurvived(1, SYNCS);
  console.info(`killed at ${kills} of ${SYNCS.length} syncs`);
  expect(kills).toBeGreaterThan(0);
});
