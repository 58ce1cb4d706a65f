import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lacks } from '../../requirements.ts';
import { expectCrashStatesSurvived } from '../crash-states/expect-crash-states.ts';
import { RECORDING_NEEDS } from '../crash-states/recorded-disk.ts';
import { rerunCommand, seedsOf } from '../seeds.ts';

const WEAKER = join(import.meta.dirname, '../crash-states/weaker-databases.ts');
const lacksRecording = lacks(...RECORDING_NEEDS);

// It mounts a disk of its own through nbdkit.
test.skipIf(lacksRecording).each(seedsOf(1))(
  'in every state that a power loss can leave, what was acknowledged is there, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    expect(await expectCrashStatesSurvived(seed)).toBeGreaterThan(100);
  },
  1_800_000,
);

// It mounts a disk of its own through nbdkit.
test.skipIf(lacksRecording)('databases that do not sync their commits would be found out', async () => {
  const environment = [`NODE_OPTIONS=--import=${WEAKER}`];
  await expect(expectCrashStatesSurvived(1, { environment, fates: ['all lost'] })).rejects.toThrow(
    /power loss at byte/,
  );
});
