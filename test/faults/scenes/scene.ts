import type { AgentComputer } from '../../builders/agent-process.ts';
import { Installation, type Account, type InstallationPlaces } from '../../builders/installation.ts';
import { buildRandomTree } from '../../builders/random-tree.ts';
import { SeededRandom } from '../../builders/seeded-random.ts';
import { Witness } from '../../builders/witness.ts';

const MIB = 1024 ** 2;

export interface Scene {
  readonly random: SeededRandom;
  readonly installation: Installation;
  readonly account: Account;
  readonly computer: AgentComputer;
  /** A tree of ordinary files. */
  readonly source: string;
  readonly witness: Witness;
}

export interface SceneOptions {
  readonly files?: number;
  readonly bytes?: number;
  readonly places?: InstallationPlaces;
}

/** A server, a computer, and something to back up; whatever `play` leaves is removed. */
export async function onScene(
  seed: number,
  { files = 300, bytes = 30 * MIB, places = {} }: SceneOptions,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const installation = await Installation.start(places);
  try {
    const account = await installation.account();
    const computer = await account.computer('one');
    const source = account.at('source');
    buildRandomTree(source, { seed, files, bytes });
    const witness = new Witness(installation, account, source);
    const random = new SeededRandom(`scene ${seed}`);
    await play({ random, installation, account, computer, source, witness });
  } finally {
    await installation.remove();
  }
}
