/** Seeds of this run: `COFRE_TEST_SEED=7` runs that one alone; else `count` of them, which are told. */
export function seedsOf(count: number): number[] {
  const wanted = process.env['COFRE_TEST_SEED'];
  if (wanted !== undefined && wanted !== '') return [Number(wanted)];
  const first = Date.now() % 1_000_000;
  return Array.from({ length: count }, (_, index) => first + index);
}

/** How to run one test again with its seed; print it first, so that it stands before whatever fails. */
export function rerunCommand(file: string, seed: number): string {
  const path = file.slice(file.indexOf('/test/') + 1);
  return `COFRE_TEST_SEED=${seed} pnpm vitest run ${path}`;
}
