import { test } from 'vitest';
import { expectAgentKillsSurvived } from '../scenes/agent-killed.ts';
import { rerunCommand, seedsOf } from '../seeds.ts';

test.each(seedsOf(20))('an agent that is killed at any moment loses nothing, seed %i', async (seed) => {
  console.info(rerunCommand(import.meta.filename, seed));
  await expectAgentKillsSurvived(seed, 6);
});
