import { Simulation } from './simulate.ts';

/** Runs a simulation; when it fails, its steps and the command that runs it again stand before what failed. */
export async function expectSimulationSurvived(seed: number, steps: number, rerun: string): Promise<void> {
  let told: readonly string[] = [];
  try {
    await Simulation.run(seed, steps, (done) => (told = done));
  } catch (error) {
    console.info([`seed ${seed}: ${rerun}`, ...told.map((step, place) => `${place}: ${step}`)].join('\n'));
    throw error;
  }
}
