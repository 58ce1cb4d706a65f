import { mkdirSync } from 'node:fs';
import { makeAcls, makeExtendedAttributes, makeModesAndOwners } from './hard-tree/attributes.ts';
import { makeContents, makeSparseFiles } from './hard-tree/contents.ts';
import { makeDeepPaths } from './hard-tree/deep-paths.ts';
import { makeHostileNames } from './hard-tree/hostile-names.ts';
import { makeHardLinks, makeSymbolicLinks } from './hard-tree/links.ts';
import { makeSpecialFiles } from './hard-tree/special-files.ts';
import { makeTimes } from './hard-tree/times.ts';
import { TreeMaker } from './hard-tree/tree-maker.ts';
import type { NotMade } from './hard-tree/tree-maker.ts';
import { SeededRandom } from './seeded-random.ts';
import { TreeFolder } from './tree-folder.ts';

export type { NotMade } from './hard-tree/tree-maker.ts';

const GIB = 1024 ** 3;

export interface HardTreeOptions {
  readonly seed: number;
  /** Files in the one folder that has very many; 500 unless said. */
  readonly entries?: number;
  /** Also what only root can make: devices, owners, trusted attributes. As the process is, unless said. */
  readonly asRoot?: boolean;
  /** Also files and folders that nobody but root can read; where root makes them, unless said. */
  readonly unreadable?: boolean;
  /** Apparent length of the largest sparse file; 5 GiB unless said. It takes no space. */
  readonly sparseBytesMax?: number;
}

/**
 * Makes a tree with every difficulty that we know of at `root`, which must not exist: about 4,000 entries
 * and 60 MB. The same seed makes the same tree. Returns what could not be made here, and why. Remove it
 * with `removeTree`: its paths are too long for `fs.rm`.
 */
export function buildHardTree(root: string, options: HardTreeOptions): NotMade[] {
  const { asRoot = process.getuid?.() === 0, entries = 500, sparseBytesMax = 5 * GIB } = options;
  const unreadable = options.unreadable ?? asRoot;
  const parts: Record<string, (maker: TreeMaker) => void> = {
    names: makeHostileNames,
    deep: makeDeepPaths,
    contents: makeContents,
    sparse: (maker) => makeSparseFiles(maker, sparseBytesMax),
    links: makeSymbolicLinks,
    'hard-links': makeHardLinks,
    specials: (maker) => makeSpecialFiles(maker, asRoot),
    attributes: (maker) => makeExtendedAttributes(maker, asRoot),
    acls: makeAcls,
    modes: (maker) => makeModesAndOwners(maker, asRoot, unreadable),
    times: makeTimes,
    many: (maker) => makeManyEntries(maker, entries),
  };
  return withMaker(root, options.seed, (maker) => {
    for (const [name, make] of Object.entries(parts)) {
      const part = new TreeMaker(maker.folder, maker.random.part(name), maker.notMade);
      part.inFolder(name, make);
    }
  });
}

/** Makes `root` and lets `fill` work in it; returns what could not be made. */
export function withMaker(root: string, seed: number, fill: (maker: TreeMaker) => void): NotMade[] {
  mkdirSync(root, { mode: 0o700 });
  const folder = TreeFolder.open(root);
  const notMade: NotMade[] = [];
  try {
    const maker = new TreeMaker(folder, new SeededRandom(seed), notMade);
    fill(maker);
    maker.apply('.', { mode: 0o755 });
  } finally {
    folder.close();
  }
  return notMade;
}

function makeManyEntries(maker: TreeMaker, entries: number): void {
  for (let number = 0; number < entries; number++) {
    maker.file(`entry-${number}`, maker.random.bytes(number % 5));
  }
}
