import type { DataExtent, TreeMaker } from './tree-maker.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Lengths at the edges of blocks, of bundles, of chunks and of what readers are likely to buffer. */
const EDGES = [4 * KIB, 64 * KIB, 256 * KIB, 512 * KIB, MIB, 4 * MIB, 8 * MIB];
const SHORT = [0, 1, 2, 15, 16, 17, 255, 256, 257, 1000];

/** Files of every awkward length, twins, runs of one byte, text and noise. */
export function makeContents(maker: TreeMaker): void {
  for (const size of SHORT) maker.file(`length-${size}`, maker.random.bytes(size));
  for (const edge of EDGES) {
    for (const size of [edge - 1, edge, edge + 1]) maker.file(`length-${size}`, maker.random.bytes(size));
  }
  const twin = maker.random.bytes(300 * KIB);
  for (const name of ['twin-1', 'twin-2', 'twin-3']) maker.file(name, twin);
  maker.file('twin-shifted', Buffer.concat([Buffer.from('x'), twin]));
  maker.file('text', maker.random.text(3 * MIB + 17));
  maker.file('one-byte-over-and-over', Buffer.alloc(5 * MIB, 'a'));
  maker.file('repeating', Buffer.alloc(5 * MIB + 3, maker.random.bytes(4_099)));
  maker.file('half-noise', Buffer.concat([maker.random.bytes(2 * MIB), maker.random.text(2 * MIB)]));
  maker.inFolder('empty-folder');
  maker.inFolder('only-empty-files', (inside) => {
    for (let number = 0; number < 10; number++) inside.file(`empty-${number}`);
  });
}

/** Sparse files: where holes begin and end, how many there are, and how far they reach. */
export function makeSparseFiles(maker: TreeMaker, apparentBytesMax: number): void {
  const block = (offset: number, length = 4 * KIB): DataExtent => ({
    offset,
    bytes: maker.random.bytes(length),
  });
  maker.sparseFile('hole-at-start', MIB + 4 * KIB, [block(MIB)]);
  maker.sparseFile('hole-in-middle', MIB, [block(0, 64 * KIB), block(512 * KIB, 512 * KIB)]);
  maker.sparseFile('hole-at-end', 3 * MIB, [block(0, 100 * KIB)]);
  maker.sparseFile('all-hole', MIB, []);
  maker.sparseFile('all-hole-one-byte', 1, []);
  maker.sparseFile('all-hole-odd', 1_234_567, []);
  maker.sparseFile('odd-offsets', 2 * MIB + 1, [block(70_001, 100), block(999_999, 3)]);
  maker.sparseFile('last-byte', 10 * MIB, [block(10 * MIB - 1, 1)]);
  maker.sparseFile(
    'many-holes',
    300 * 64 * KIB,
    Array.from({ length: 300 }, (_, at) => block(at * 64 * KIB)),
  );
  maker.sparseFile(
    'same-blocks',
    8 * MIB,
    [0, 2, 4, 6].map((at) => ({ offset: at * MIB, bytes: Buffer.alloc(MIB, 'z') })),
  );
  maker.file('zeros-that-are-data', Buffer.alloc(2 * MIB));
  maker.sparseFile('zeros-then-hole', 4 * MIB, [{ offset: 0, bytes: Buffer.alloc(256 * KIB) }]);
  maker.sparseFile('hole-zeros-hole', 4 * MIB, [{ offset: MIB, bytes: Buffer.alloc(64 * KIB) }]);
  const far = [0, GIB + 1, 4 * GIB - 4 * KIB, 4 * GIB, 5 * GIB - 4 * KIB].filter(
    (at) => at < apparentBytesMax - 4 * KIB,
  );
  maker.sparseFile(
    'large',
    apparentBytesMax,
    far.map((at) => block(at)),
  );
}
