import { expect, test } from 'vitest';
import { backupLine, expectEnd, expectFailure } from '../builders/agent-run.ts';
import { NetworkProxy } from '../builders/network-proxy.ts';
import { expectBadLineSurvived } from './scenes/network.ts';
import { onScene } from './scenes/scene.ts';
import { rerunCommand, seedsOf } from './seeds.ts';

const MIB = 1024 ** 2;

// Both wait most of their time: they do it together.
test.concurrent.each(seedsOf(1))(
  'a line that cuts, ends early, delays and says everything twice: runs end well, seed %i',
  async (seed) => {
    console.info(rerunCommand(import.meta.filename, seed));
    const kinds = ['none', 'cut', 'truncate', 'delay', 'duplicate'] as const;
    console.info(await expectBadLineSurvived(seed, kinds, 3));
    expect.hasAssertions();
  },
);

test.concurrent(
  'a server that goes away for good ends the run, and the next one goes on from what was sent',
  async () => {
    await onScene(7, { files: 50, bytes: 30 * MIB }, async ({ installation, account, source, witness }) => {
      const line = await NetworkProxy.open(installation.server.origin);
      const far = await account.computer('far', { origin: line.origin });
      const halfWay = line.afterBytes(12 * MIB);
      const run = far.run('backup', source, '--json');
      await halfWay;
      const goneMs = performance.now();
      line.set('down');
      expectFailure(await run, {
        exit: 10,
        code: 'server_unreachable',
        message: /^The server http:\/\/127\.0\.0\.1:\d+ does not answer: /,
        hint: 'Check the network and the address. What was sent is kept; run the command again.',
      });
      // It is worth waiting a minute for a server that restarts, and no longer.
      expect(performance.now() - goneMs).toBeGreaterThan(40_000);
      expect(performance.now() - goneMs).toBeLessThan(90_000);
      line.set('open');
      const used = await account.usedBytes();
      expect(used).toBeGreaterThan(4 * MIB);
      const next = await witness.backUp(far);
      expectEnd(next, 0);
      expect(backupLine(next).bytes_sent).toBeLessThan((await account.usedBytes()) - used + MIB);
      await witness.expectAllKept(far);
      line.close();
    });
  },
);
