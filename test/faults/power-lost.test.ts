import { test } from 'vitest';
import { lacks } from '../requirements.ts';
import { expectPowerLossSurvived } from './scenes/power-lost.ts';
import { rerunCommand, seedsOf } from './seeds.ts';

test.skipIf(lacks('root', 'mount', 'mkfs.xfs', 'xfs_io')).each(seedsOf(1))(
  'when the power of the server goes, what it acknowledged is there, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    await expectPowerLossSurvived(seed, 2);
  },
);
