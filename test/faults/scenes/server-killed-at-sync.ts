import { expect } from 'vitest';
import { expectEnd } from '../../builders/agent-run.ts';
import { changeTree } from '../../builders/change-tree.ts';
import type { Wrap } from '../../builders/server-process.ts';
import { onScene, type Scene } from './scene.ts';

/** `-D` leaves the server the child of whoever started it. Calls are counted in each thread. */
function killedAtSync(number: number): Wrap {
  const inject = `inject=fsync,fdatasync:signal=KILL:when=${number}`;
  const words = ['-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', inject];
  return (command) => ['strace', ...words, '--', ...command];
}

/**
 * Kills the server when one of its threads syncs for the n-th time, for each of `syncs`: while it starts, receives,
 * or commits. The computer goes on when the server is back. Gives how many times the server was killed.
 */
export async function expectKillsAtSyncsSurvived(seed: number, syncs: readonly number[]): Promise<number> {
  let kills = 0;
  await onScene(seed, { files: 100, bytes: 12 * 1024 ** 2 }, async (scene) => {
    const { installation, witness, computer, source } = scene;
    expectEnd(await witness.backUp(computer), 0);
    await installation.stopServer();
    for (const number of syncs) {
      changeTree(source, { seed: seed + number, share: 0.5 });
      const isStarted = await startTraced(scene, number);
      const run = witness.backUp(computer);
      if (await restartWhenKilled(scene, run, isStarted)) kills += 1;
      expectEnd(await run, 0);
      await installation.stopServer();
    }
    await installation.startServer();
    await witness.expectAllKept(computer);
  });
  return kills;
}

/** False when it was killed before it listened. */
async function startTraced({ installation }: Scene, number: number): Promise<boolean> {
  try {
    // One thread of libuv, so that its syncs are counted together.
    await installation.startServer(killedAtSync(number), { UV_THREADPOOL_SIZE: '1' });
    return true;
  } catch (error) {
    expect(String(error)).toContain('The server ended');
    return false;
  }
}

async function restartWhenKilled(
  { installation }: Scene,
  run: Promise<unknown>,
  isStarted: boolean,
): Promise<boolean> {
  if (isStarted) {
    const end = await Promise.race([installation.server.ended, run.then(() => null)]);
    if (end === null) return false;
    expect(end.signal).toBe('SIGKILL');
  }
  await installation.startServer();
  return true;
}
