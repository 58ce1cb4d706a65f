import type { ChunkPlaces } from '../index/chunks.store.ts';

/** One read of a pack, and the blobs in it by their place in the question. Pack 0: these are not there. */
export interface ReadRun {
  readonly pack: number;
  readonly offset: number;
  length: number;
  readonly blobs: { readonly place: number; readonly offset: number; readonly length: number }[];
}

/** Reading this much for nothing costs less than another read. */
const GAP_BYTES_MAX = 32 * 1024;

/**
 * Joins neighbours in the question that are neighbours in a pack, so that one read serves them.
 * @param runBytesMax bytes of one read at most, unless a single blob is larger
 */
export function planReads({ packs, offsets, lengths }: ChunkPlaces, runBytesMax: number): ReadRun[] {
  const runs: ReadRun[] = [];
  for (let place = 0; place < packs.length; place++) {
    const pack = packs[place] as number;
    const offset = offsets[place] as number;
    const length = lengths[place] as number;
    const run = runs.at(-1);
    if (run !== undefined && run.pack === pack && (pack === 0 || fits(run, offset, length, runBytesMax))) {
      run.length = offset + length - run.offset;
      run.blobs.push({ place, offset, length });
    } else {
      runs.push({ pack, offset, length, blobs: [{ place, offset, length }] });
    }
  }
  return runs;
}

function fits(run: ReadRun, offset: number, length: number, runBytesMax: number): boolean {
  const gapBytes = offset - (run.offset + run.length);
  return gapBytes >= 0 && gapBytes <= GAP_BYTES_MAX && offset + length - run.offset <= runBytesMax;
}
