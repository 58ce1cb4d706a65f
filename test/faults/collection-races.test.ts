import { expect, test } from 'vitest';
import { expectRacesSurvived } from './scenes/collection-races.ts';
import { rerunCommand, seedsOf } from './seeds.ts';

test.each(seedsOf(3))(
  'two agents, collections, deletions and time at once lose nothing, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    console.info(await expectRacesSurvived(seed, 40));
    expect.hasAssertions();
  },
);
