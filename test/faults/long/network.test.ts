import { expect, test } from 'vitest';
import { expectBadLineSurvived } from '../scenes/network.ts';
import { rerunCommand, seedsOf } from '../seeds.ts';

test.each(seedsOf(15))(
  'a line with every fault, half-open connections too: runs end well, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    const kinds = ['none', 'none', 'cut', 'truncate', 'delay', 'duplicate', 'half-open'] as const;
    console.info(await expectBadLineSurvived(seed, kinds, 4));
    expect.hasAssertions();
  },
);
