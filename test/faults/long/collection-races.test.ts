import { expect, test } from 'vitest';
import { expectRacesSurvived } from '../scenes/collection-races.ts';
import { rerunCommand, seedsOf } from '../seeds.ts';

test.each(seedsOf(40))(
  'two agents, collections, deletions and time at once lose nothing, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    const counts = await expectRacesSurvived(seed, 120);
    console.info(counts);
    expect(counts.commits).toBeGreaterThan(0);
  },
);
