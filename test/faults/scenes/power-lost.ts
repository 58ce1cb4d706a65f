import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectEnd } from '../../builders/agent-run.ts';
import { changeTree } from '../../builders/change-tree.ts';
import { LossyDisk } from '../../builders/lossy-disk.ts';
import { NOT_WRAPPED, type Wrap } from '../../builders/server-process.ts';
import { onScene, type Scene } from './scene.ts';

/** How the server ends when its storage fails. */
const EXIT_STORAGE_FAILED = 70;

/**
 * Takes the power away from the server's disk `rounds` times: in one round in the moment in which a run was told that
 * it is safe, in the next at some moment of a run. What was acknowledged is there.
 * @param wrap what runs the server
 */
export async function expectPowerLossSurvived(
  seed: number,
  rounds: number,
  wrap = NOT_WRAPPED,
): Promise<void> {
  const disk = LossyDisk.create();
  const places = { data: join(disk.mountPoint, 'data'), store: join(disk.mountPoint, 'store') };
  try {
    await onScene(seed, { bytes: 20 * 1024 ** 2, places }, async (scene) => {
      const { witness, computer, source, random } = scene;
      await scene.installation.stopServer();
      await scene.installation.startServer(wrap);
      const started = performance.now();
      for (let round = 0; round < rounds; round++) {
        expectEnd(await witness.backUp(computer), 0);
        const usualMs = round === 0 ? performance.now() - started : 1000;
        await losePower(scene, disk, wrap);
        changeTree(source, { seed: seed + round, share: 0.4 });
        const run = witness.backUp(computer);
        await delay(random.below(usualMs));
        await losePower(scene, disk, wrap);
        await expectEndOrStorageFailure(run);
      }
      expectEnd(await witness.backUp(computer), 0);
      await losePower(scene, disk, wrap);
      await witness.expectAllKept(computer);
    });
  } finally {
    await disk.remove();
  }
}

async function losePower({ installation }: Scene, disk: LossyDisk, wrap: Wrap): Promise<void> {
  disk.losePower();
  // A machine without power has no processes either; this one may have ended because its disk failed.
  const { signal, status } = await installation.stopServer('SIGKILL');
  if (signal === null) expect(status).toBe(EXIT_STORAGE_FAILED);
  await disk.restorePower();
  await installation.startServer(wrap);
}

/** The server may have told the run that its storage failed before it was gone. */
async function expectEndOrStorageFailure(run: ReturnType<Scene['witness']['backUp']>): Promise<void> {
  const ended = await run;
  if (ended.status === 0) return;
  expectEnd(ended, 1);
  expect(ended.jsonOf('error')).toMatchObject({ code: 'storage_failed' });
}
