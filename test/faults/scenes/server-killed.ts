import { setTimeout as delay } from 'node:timers/promises';
import { expectEnd } from '../../builders/agent-run.ts';
import { changeTree } from '../../builders/change-tree.ts';
import { onScene, type Scene } from './scene.ts';

const DOWN_MS_MAX = 600;
/** `server_unreachable`: on a busy machine it may be away for longer than a run waits for its first answer. */
const UNREACHABLE = 10;
const KILLS_PER_RUN_MAX = 3;

/**
 * Kills the server (`kill -9`) again and again at moments that the seed chooses, while a computer makes `rounds`
 * backups of a changing source. The computer goes on each time, or its next run does, and in the end everything that it was told to be safe
 * is there.
 */
export async function expectServerKillsSurvived(seed: number, rounds: number): Promise<void> {
  await onScene(seed, {}, async (scene) => {
    const { random, witness, computer, source } = scene;
    const started = performance.now();
    expectEnd(await witness.backUp(computer), 0);
    const usualMs = performance.now() - started;
    for (let round = 1; round <= rounds; round++) {
      changeTree(source, { seed: seed + round, share: 0.3 });
      let isDone = false;
      const run = witness.backUp(computer).finally(() => (isDone = true));
      for (let kill = 0; kill < KILLS_PER_RUN_MAX && !isDone; kill++) {
        await killOnce(scene, random.below(usualMs));
      }
      const end = await run;
      expectEnd(end.status === UNREACHABLE ? await witness.backUp(computer) : end, 0);
    }
    await witness.expectAllKept(computer);
  });
}

async function killOnce({ installation, random }: Scene, afterMs: number): Promise<void> {
  await delay(afterMs);
  await installation.stopServer('SIGKILL');
  await delay(random.below(DOWN_MS_MAX));
  await installation.startServer();
}
