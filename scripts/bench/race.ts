import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../test/builders/remove-tree.ts';
import type { Command, Contender, OpenStore } from './contender.ts';
import type { DataSet } from './data-sets.ts';
import { makeEmptyFolder, measureFolder, settle } from './folder.ts';
import { PHASES, type Measurement, type Phase } from './measurement.ts';
import { runMeasured } from './run-command.ts';

export type Race = {
  dataSetName: string;
  dataSet: DataSet;
  contenders: Contender[];
  lastPhase: Phase;
  scratch: string;
};

/**
 * One run: every contender does the first phase, then every one the second, and so on, on the same data, each with a
 * store of its own. Which contender begins changes from run to run. Yields each figure when it is there.
 */
export async function* runRace(race: Race, run: number): AsyncGenerator<Measurement> {
  const { dataSet, scratch, lastPhase } = race;
  const source = join(scratch, 'data');
  const contenders = rotate(race.contenders, run - 1);
  const stores = new Map<Contender, OpenStore>();
  try {
    const { bytes } = await measureFolder(source);
    for (const contender of contenders) {
      stores.set(contender, await contender.open(makeEmptyFolder(join(scratch, contender.name)), bytes));
    }
    for (const phase of PHASES.slice(0, PHASES.indexOf(lastPhase) + 1)) {
      if (phase === 'changed') dataSet.change(source, run);
      for (const [contender, store] of stores) {
        yield {
          dataSet: race.dataSetName,
          contender: contender.name,
          run,
          phase,
          ...(await measure(store, phase, scratch)),
        };
      }
    }
  } finally {
    for (const [contender, store] of stores) {
      await store.close();
      removeTree(join(scratch, contender.name));
    }
  }
}

type Figures = Pick<Measurement, 'client' | 'server' | 'storedBytes'>;

async function measure(store: OpenStore, phase: Phase, scratch: string): Promise<Figures> {
  const source = join(scratch, 'data');
  const target = join(scratch, 'restored');
  await settle(source);
  if (phase !== 'restore') return measureCommand(store, store.backup(source));
  makeEmptyFolder(target);
  const figures = await measureCommand(store, store.restore(target));
  await requireSameSize(source, join(target, source));
  removeTree(target);
  return figures;
}

async function measureCommand(store: OpenStore, command: Command): Promise<Figures> {
  store.server?.mark();
  const client = await runMeasured(command);
  const server = store.server?.figures() ?? null;
  let storedBytes = 0;
  for (const folder of store.storeFolders) storedBytes += (await measureFolder(folder)).bytes;
  return { client, server, storedBytes };
}

/** A restore that brought something else back has not won: entries and bytes must be those of the source. */
async function requireSameSize(source: string, restored: string): Promise<void> {
  if (!existsSync(restored)) throw new Error(`nothing was restored at ${restored}`);
  const [wanted, got] = [await measureFolder(source), await measureFolder(restored)];
  if (wanted.entries === got.entries && wanted.bytes === got.bytes) return;
  throw new Error(
    `restored ${got.entries} entries, ${got.bytes} bytes of ${wanted.entries}, ${wanted.bytes}`,
  );
}

function rotate<Item>(items: Item[], by: number): Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
