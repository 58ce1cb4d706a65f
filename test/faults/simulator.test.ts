import { expect, test } from 'vitest';
import { rerunCommand, seedsOf } from './seeds.ts';
import { expectSimulationSurvived } from './simulator/expect-simulation.ts';

test.each(seedsOf(3))(
  'agents, upkeep, attackers, crashes, rot and clocks together lose nothing, seed %i',
  async (seed) => {
    expect.hasAssertions();
    await expectSimulationSurvived(seed, 45, rerunCommand(import.meta.filename, seed));
  },
);
