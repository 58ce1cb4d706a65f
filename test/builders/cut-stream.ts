import type { Chunker } from '@cofre/agent/chunker/chunker';

/**
 * Cuts a stream as a reader of files would: reads of the given sizes (the last again and again) fill the slab, and
 * what is undecided moves to its front. Gives the offsets in the stream at which chunks end.
 */
export function cutStream(chunker: Chunker, stream: Uint8Array, readBytes: readonly number[]): number[] {
  const cuts: number[] = [];
  let slabStart = 0;
  let filled = 0;
  let reads = 0;
  for (;;) {
    const position = slabStart + filled;
    const wanted = readBytes[Math.min(reads++, readBytes.length - 1)] ?? chunker.slab.length;
    const bytes = Math.min(wanted, chunker.slab.length - filled, stream.length - position);
    chunker.slab.set(stream.subarray(position, position + bytes), filled);
    filled += bytes;
    const isFinal = slabStart + filled === stream.length;
    const slabCuts = chunker.cut(0, filled, isFinal);
    for (const cut of slabCuts) cuts.push(slabStart + cut);
    if (isFinal) return cuts;
    const decided = slabCuts.at(-1) ?? 0;
    if (decided === 0 && filled === chunker.slab.length) throw new Error('a full slab decided no cut');
    chunker.slab.copyWithin(0, decided, filled);
    slabStart += decided;
    filled -= decided;
  }
}
