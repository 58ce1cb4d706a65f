import { expect } from 'vitest';
import { expectEnd, expectSameTrees, restoredAt } from '../../builders/agent-run.ts';
import { changeTree } from '../../builders/change-tree.ts';
import { FaultyLine, type FaultKind } from '../../builders/faulty-line.ts';
import { SeededRandom } from '../../builders/seeded-random.ts';
import { onScene } from './scene.ts';

/**
 * Backs up `rounds` times and restores over a line whose connections have faults of these kinds, by the seed. All runs
 * end well, each makes one snapshot, and everything is there. Says what happened.
 */
export async function expectBadLineSurvived(
  seed: number,
  kinds: readonly FaultKind[],
  rounds: number,
): Promise<string> {
  let happened = '';
  await onScene(seed, {}, async ({ installation, account, source, witness, computer }) => {
    const random = new SeededRandom(`line ${seed}`);
    const line = await FaultyLine.open(installation.server.origin, { random, kinds });
    try {
      const far = await account.computer('far', { origin: line.origin });
      for (let round = 0; round < rounds; round++) {
        if (round > 0) changeTree(source, { seed: seed + round, share: 0.5 });
        expectEnd(await witness.backUp(far), 0);
      }
      const target = account.at('over the line');
      const words = ['restore', 'latest', '--target', target, '--kit', account.kit, '--json'];
      expectEnd(await far.run(...words), 0);
      expectSameTrees(source, restoredAt(target, source));
      const near = await computer.run('snapshots', '--kit', account.kit, '--json');
      expect(near.json().map((snapshot) => snapshot['snapshot_id'])).toEqual(witness.snapshots);
      happened = [...line.happened].map(([kind, count]) => `${count} × ${kind}`).join(', ');
      await witness.expectAllKept(far);
    } finally {
      line.close();
    }
  });
  return happened;
}
