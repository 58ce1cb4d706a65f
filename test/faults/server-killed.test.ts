import { test } from 'vitest';
import { expectServerKillsSurvived } from './scenes/server-killed.ts';
import { rerunCommand, seedsOf } from './seeds.ts';

test.each(seedsOf(1))('a server that is killed at any moment keeps its word, seed %i', async (seed) => {
  console.info(rerunCommand(import.meta.filename, seed));
  await expectServerKillsSurvived(seed, 3);
});
