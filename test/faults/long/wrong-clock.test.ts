import { expect, test } from 'vitest';
import { lacks } from '../../requirements.ts';
import { CLOCK_LIBRARY, expectWrongClockSurvived } from '../scenes/wrong-clock.ts';
import { rerunCommand, seedsOf } from '../seeds.ts';

test.skipIf(lacks(CLOCK_LIBRARY)).each(seedsOf(1))(
  'a clock that is wrong by 400 days, ahead or back, deletes nothing, seed %i',
  async (seed) => {
    expect.hasAssertions();
    console.info(rerunCommand(import.meta.filename, seed));
    await expectWrongClockSurvived(seed);
  },
);
