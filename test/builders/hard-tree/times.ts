import { bytes } from './tree-maker.ts';
import type { TreeMaker } from './tree-maker.ts';

const SECOND = 1_000_000_000n;

/** Ends of 32-bit and of file systems' own ranges, times before 1970, and odd nanoseconds. */
const TIMES: Readonly<Record<string, bigint>> = {
  epoch: 0n,
  'epoch-and-1-ns': 1n,
  'before-epoch-1-ns': -1n,
  'before-epoch-1.5-s': -1_500_000_000n,
  '1969': -86_400n * SECOND + 123_456_789n,
  '1901': -(2n ** 31n) * SECOND,
  '1901-and-ns': -(2n ** 31n) * SECOND + 999_999_999n,
  '2038-last': (2n ** 31n - 1n) * SECOND + 999_999_999n,
  '2038-first': 2n ** 31n * SECOND,
  '2106': 2n ** 32n * SECOND + 1n,
  '2242': 2n ** 33n * SECOND + 500_000_001n,
  '2262': 2n ** 63n - 1n,
  '2262-and-after': 2n ** 63n + 1n,
  '2446': (2n ** 34n - 2n ** 31n - 1n) * SECOND,
  'last-ns': 1_700_000_000n * SECOND + 999_999_999n,
  'first-ns': 1_700_000_000n * SECOND + 1n,
  'full-second': 1_700_000_000n * SECOND,
  // The nearest double is 100 ns away.
  'no-double': 1_712_345_678_123_456_789n,
};

/** Times of files, folders, links and FIFOs. A file system that can't keep one keeps what it can: noted. */
export function makeTimes(maker: TreeMaker): void {
  for (const [name, mtimeNs] of Object.entries(TIMES)) {
    maker.file(name, maker.random.text(5), { mtimeNs });
    maker.inFolder(`${name}-folder`, (inside) => inside.file('inside'), { mtimeNs });
    maker.symlink(`${name}-link`, name, { mtimeNs });
    maker.fifo(`${name}-fifo`, { mtimeNs });
    const kept = maker.folder.status(bytes(name)).mtimeNs;
    if (kept !== mtimeNs) maker.notMade.push({ what: `time ${name}`, why: `the file system keeps ${kept}` });
  }
}
