import type { TreeMaker } from './hard-tree/tree-maker.ts';
import { withMaker } from './hard-tree.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface RandomTreeOptions {
  readonly seed: number;
  readonly files: number;
  /** Of all files together, about. */
  readonly bytes: number;
}

const FILES_PER_FOLDER = 25;
const SUFFIXES = ['.txt', '.ts', '.json', '.jpg', '.sql', '', '.log', '.pdf', '.bin'] as const;
const COMPRESSIBLE = new Set<string>(['.txt', '.ts', '.json', '.sql', '.log']);

/**
 * Makes an ordinary tree at `root`, which must not exist: folders of some depth, mostly small files and a
 * few large ones, half of them text, some of them copies of others. The same seed makes the same tree.
 */
export function buildRandomTree(root: string, { seed, files, bytes }: RandomTreeOptions): void {
  withMaker(root, seed, (maker) => {
    const sizes = fileSizes(maker.random.part('sizes'), files, bytes);
    fillFolder(maker, sizes, 0);
  });
}

function fillFolder(maker: TreeMaker, sizes: readonly number[], depth: number): void {
  const own = sizes.length <= FILES_PER_FOLDER ? sizes.length : maker.random.between(0, FILES_PER_FOLDER);
  let previous: Buffer = Buffer.alloc(0);
  for (const [number, size] of sizes.slice(0, own).entries()) {
    const suffix = maker.random.pick(SUFFIXES);
    const isCopy = previous.length === size || maker.random.chance(0.03);
    if (!isCopy) previous = COMPRESSIBLE.has(suffix) ? maker.random.text(size) : maker.random.bytes(size);
    maker.file(`file-${number}${suffix}`, previous, { mode: maker.random.pick([0o644, 0o600, 0o755]) });
  }
  const rest = sizes.slice(own);
  if (rest.length === 0) return;
  const folders = Math.min(maker.random.between(2, 8), Math.ceil(rest.length / 5));
  const share = Math.ceil(rest.length / folders);
  for (let number = 0; number < folders; number++) {
    const part = rest.slice(number * share, (number + 1) * share);
    if (part.length > 0)
      maker.inFolder(`folder-${depth}-${number}`, (inside) => fillFolder(inside, part, depth + 1));
  }
}

/** Most files are small and few hold most of the bytes, as in real trees. */
function fileSizes(random: SeededRandom, files: number, bytes: number): number[] {
  const weights = Array.from({ length: files }, () => Math.exp(random.below(1000) / 125));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.round((weight / sum) * bytes));
}
