import { expect, test } from 'vitest';
import type { Wrap } from '../../builders/server-process.ts';
import { lacks } from '../../requirements.ts';
import { expectPowerLossSurvived } from '../scenes/power-lost.ts';
import { rerunCommand, seedsOf } from '../seeds.ts';

const lacksDisk = lacks('root', 'mount', 'mkfs.xfs', 'xfs_io');

/** Syncs do nothing, and say that all went well. */
const withoutSyncs: Wrap = (command) => {
  const inject = 'inject=fsync,fdatasync:retval=0';
  return [
    'strace',
    '-D',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=fsync,fdatasync',
    '-e',
    inject,
    '--',
    ...command,
  ];
};

// A disk of its own, as in the fast tier.
test.skipIf(lacksDisk).each(seedsOf(10))(
  'when the power of the server goes, what it acknowledged is there, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    await expectPowerLossSurvived(seed, 6);
  },
);

test.skipIf(lacksDisk || lacks('strace'))('a server that does not sync would be found out', async () => {
  await expect(expectPowerLossSurvived(1, 1, withoutSyncs)).rejects.toThrow('to deeply equal');
});
