import type { Extent } from '@cofre/shared/format/entry';
import { seekData, seekHole } from '../platform/posix.ts';
import { systemErrorCode } from '../platform/system-error.ts';

/** A file in pieces: what to read, and what lies between and behind. Each ascending, not touching. */
export interface SparseMap {
  readonly data: readonly Extent[];
  readonly holes: readonly Extent[];
}

/** Unit of `blocks` in a FileStatus, whatever the file system's own block is. */
const BLOCK_BYTES = 512;

/** What fits into an entry of a catalog (`entryBytesMax`) with room for the rest: a hole takes 10 bytes or so. */
const HOLES_MAX_DEFAULT = 50_000;

/**
 * Where the first `sizeBytes` bytes of an open file have data, as the file system tells it: zeros that were
 * written are data. A file that takes as much space as it is long is not asked, and a file system that
 * cannot tell gives one piece of data. Of more than `holesMax` holes the smallest count as data (zeros, when
 * they are read). Moves the position of the descriptor.
 *
 * The file may change meanwhile: the pieces then fit no moment, but cover `sizeBytes` without a gap.
 */
export function mapSparseFile(
  fd: number,
  sizeBytes: number,
  blocks: number,
  holesMax = HOLES_MAX_DEFAULT,
): SparseMap {
  const holes = blocks * BLOCK_BYTES < sizeBytes ? findHoles(fd, sizeBytes, holesMax) : [];
  return { holes, data: complementOf(holes, sizeBytes) };
}

function findHoles(fd: number, sizeBytes: number, holesMax: number): Extent[] {
  let holes: Extent[] = [];
  let holeBytesMin = 1;
  try {
    let position = 0;
    while (position < sizeBytes) {
      const holeStart = seekHole(fd, position) ?? sizeBytes;
      const holeEnd = Math.min(seekData(fd, holeStart) ?? sizeBytes, sizeBytes);
      if (holeEnd - holeStart >= holeBytesMin) holes.push({ offset: holeStart, length: holeEnd - holeStart });
      while (holes.length > holesMax) {
        holeBytesMin *= 2;
        holes = holes.filter(({ length }) => length >= holeBytesMin);
      }
      // Never back, whatever the file system says while the file changes.
      position = Math.max(holeEnd, holeStart, position + 1);
    }
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    return [];
  }
  return holes;
}

function complementOf(holes: readonly Extent[], sizeBytes: number): Extent[] {
  const data: Extent[] = [];
  let position = 0;
  for (const { offset, length } of holes) {
    if (offset > position) data.push({ offset: position, length: offset - position });
    position = offset + length;
  }
  if (sizeBytes > position) data.push({ offset: position, length: sizeBytes - position });
  return data;
}

/** EINVAL: this file system does not know the question. ENOTSUP, ENOSYS: nor does what it is made of. */
function isUnsupported(error: unknown): boolean {
  return ['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(systemErrorCode(error) ?? '');
}
