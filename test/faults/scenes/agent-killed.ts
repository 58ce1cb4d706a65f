import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { backupLine, expectEnd } from '../../builders/agent-run.ts';
import { changeTree } from '../../builders/change-tree.ts';
import { onScene, type Scene } from './scene.ts';

const KILLS_MAX = 4;
/** Headers and trailers of packs, which no quota counts. */
const PACK_FRAME_BYTES_MAX = 1024 ** 2;

/**
 * Kills the computer's agent (`kill -9`) at moments that the seed chooses; the run after that goes on from what the
 * server had acknowledged, `rounds` times over a changing source.
 */
export async function expectAgentKillsSurvived(seed: number, rounds: number): Promise<void> {
  await onScene(seed, {}, async (scene) => {
    const { random, account, witness, computer, source } = scene;
    let usualMs = 2000;
    for (let round = 0; round < rounds; round++) {
      if (round > 0) changeTree(source, { seed: seed + round, share: 0.5 });
      for (let kill = 0; kill < KILLS_MAX; kill++) {
        const run = await killAfter(scene, random.below(usualMs));
        if (run === 'done') break;
      }
      const started = performance.now();
      const usedBefore = await account.usedBytes();
      const last = await witness.backUp(computer);
      expectEnd(last, 0);
      if (round === 0) usualMs = Math.max(usualMs, performance.now() - started);
      // Nothing of what the killed runs brought is sent again.
      const added = (await account.usedBytes()) - usedBefore;
      expect(backupLine(last).bytes_sent).toBeLessThan(added + PACK_FRAME_BYTES_MAX);
    }
    await witness.expectAllKept(computer);
    // Nothing is left of the runs that were killed.
    const cached = readdirSync(join(computer.state, 'cache'), { recursive: true, encoding: 'utf8' });
    expect(cached.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
}

async function killAfter({ computer, witness }: Scene, afterMs: number): Promise<'killed' | 'done'> {
  const run = await witness.backUp(computer, (agent) => {
    void delay(afterMs).then(() => agent.kill('SIGKILL'));
  });
  if (run.signal === 'SIGKILL') return 'killed';
  expectEnd(run, 0);
  return 'done';
}
