import { expect, test } from 'vitest';
import { SeededRandom } from '../builders/seeded-random.ts';
import { lacks } from '../requirements.ts';
import { expectKillsAtSyncsSurvived } from './scenes/server-killed-at-sync.ts';
import { rerunCommand, seedsOf } from './seeds.ts';

test.skipIf(lacks('strace')).each(seedsOf(1))(
  'a server that is killed at any of its syncs keeps its word, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    const random = new SeededRandom(`syncs ${seed}`);
    const syncs = [random.between(1, 4), random.between(5, 9), random.between(10, 16)];
    const kills = await expectKillsAtSyncsSurvived(seed, syncs);
    console.info(`killed at ${kills} of the syncs ${syncs.join(', ')}`);
    expect(kills).toBeGreaterThan(0);
  },
);
