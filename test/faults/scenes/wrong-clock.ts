import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { expectEnd } from '../../builders/agent-run.ts';
import { changeTree } from '../../builders/change-tree.ts';
import type { EndedProcess } from '../../builders/server-process.ts';
import { onScene, type Scene } from './scene.ts';

const DAY_MS = 24 * 3_600_000;
/** As many days as no lock and no undo time lasts. */
const WRONG_DAYS = 400;

/** What the clock of one process is set with: Debian's package libfaketime. */
export const CLOCK_LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/**
 * Sets the clock of a running server, and of a starting one, a year ahead and then back. Nothing that a rule would let go
 * of goes inside its lock, nothing can be deleted, and computers go on.
 */
export async function expectWrongClockSurvived(seed: number): Promise<void> {
  await onScene(seed, { files: 60, bytes: 4 * 1024 ** 2 }, async (scene) => {
    const { installation, computer, witness, source } = scene;
    const clock = join(installation.folder, 'clock');
    const setClock = (days: number): void => writeFileSync(clock, `${days < 0 ? '' : '+'}${days}d\n`);
    const environment = {
      LD_PRELOAD: CLOCK_LIBRARY,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      // A wrong clock on the wall: the one that only counts cannot be set.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    setClock(0);
    await installation.stopServer();
    await installation.startServer(undefined, environment);
    for (let count = 0; count < 3; count++) {
      expectEnd(await witness.backUp(computer), 0);
      changeTree(source, { seed: seed + count, share: 0.3 });
    }
    await ruled(scene, 'retention', 'set', 'account-1', '--keep-last', '1');
    for (const days of [WRONG_DAYS, -WRONG_DAYS]) {
      setClock(days);
      // Node dates its answers by a second that it keeps for as long.
      await expect.poll(() => daysOfServer(scene), { timeout: 30_000 }).toBe(days);
      await expectNothingGoes(scene);
      await installation.stopServer();
      await installation.startServer(undefined, environment);
      await expectNothingGoes(scene);
    }
    setClock(0);
    expectEnd(await witness.backUp(computer), 0);
    await witness.expectAllKept(computer);
  });
}

/** By how many days the server takes today for another day: what it dates its answers with. */
async function daysOfServer({ installation }: Scene): Promise<number> {
  const { headers } = await fetch(installation.server.origin);
  return Math.round((Date.parse(headers.get('date') ?? '') - Date.now()) / DAY_MS);
}

async function ruled({ installation }: Scene, ...words: string[]): Promise<EndedProcess> {
  const ended = await installation.command(...words);
  expect([ended.status, ended.stderr]).toEqual([0, '']);
  return ended;
}

async function expectNothingGoes(scene: Scene): Promise<void> {
  const { installation, witness } = scene;
  const applied = await ruled(scene, 'retention', 'apply', 'account-1', '--yes', '--json');
  expect(JSON.parse(applied.stdout)).toMatchObject({ marked: 0 });
  await ruled(scene, 'collect', 'account-1');
  for (const snapshot of witness.snapshots) {
    const refused = await installation.command('snapshot', 'delete', 'account-1', snapshot, '--yes');
    expect(refused.stderr).toContain('locked');
    expect(refused.status).not.toBe(0);
  }
}
