import { withMaker } from './hard-tree.ts';
import type { TreeMaker } from './hard-tree/tree-maker.ts';

const FOLDERS_PER_GROUP = 100;

export interface SmallFilesOptions {
  readonly seed: number;
  readonly files: number;
  /** 1 and 8 KiB unless said. */
  readonly bytesMin?: number;
  readonly bytesMax?: number;
  /** 100 unless said. */
  readonly filesPerFolder?: number;
}

/**
 * Makes very many small files at `root`, which must not exist, two folders deep: two thirds text, one third
 * noise. For measuring what a file costs, apart from its bytes.
 */
export function buildSmallFiles(root: string, options: SmallFilesOptions): void {
  const { seed, files, bytesMin = 1024, bytesMax = 8192, filesPerFolder = 100 } = options;
  withMaker(root, seed, (maker) => {
    const { random } = maker;
    // Files are windows of two pools: made fast, each its own, and no two alike.
    const text = random.text(8 << 20);
    const noise = random.bytes(8 << 20);
    const fill = (inside: TreeMaker, count: number): void => {
      for (let number = 0; number < count; number++) {
        const size = random.between(bytesMin, bytesMax);
        const pool = random.chance(2 / 3) ? text : noise;
        const at = random.below(pool.length - size);
        inside.file(`file-${number}`, pool.subarray(at, at + size));
      }
    };
    const folders = Math.ceil(files / filesPerFolder);
    for (let first = 0; first < folders; first += FOLDERS_PER_GROUP) {
      maker.inFolder(`group-${first / FOLDERS_PER_GROUP}`, (group) => {
        for (let folder = first; folder < Math.min(folders, first + FOLDERS_PER_GROUP); folder++) {
          const count = Math.min(filesPerFolder, files - folder * filesPerFolder);
          group.inFolder(`folder-${folder}`, (inside) => fill(inside, count));
        }
      });
    }
  });
}
