import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodePackTail,
  PACK_END_BYTES,
  PACK_HEADER_BYTES,
  packTailLengthFromEnd,
} from '@cofre/shared/format/envelope/pack';
import type { ChunkId } from '@cofre/shared/ids';
import type { SeededRandom } from '../../builders/seeded-random.ts';

/** Packs of a vault on its disk, in the order of their numbers, so that a seed picks the same one again. */
function packFiles(vaultFolder: string): string[] {
  const folder = join(vaultFolder, 'packs');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pack'))
    .toSorted((a, b) => numberOf(a) - numberOf(b))
    .map((name) => join(folder, name));
}

function numberOf(name: string): number {
  return Number(/(\d+)\.pack$/.exec(name)?.[1]);
}

/** Flips one bit of one blob; gives the piece that it was of, or null when there is nothing that could rot. */
export function rotOneBlob(vaultFolder: string, random: SeededRandom): ChunkId | null {
  const files = packFiles(vaultFolder);
  if (files.length === 0) return null;
  const file = random.pick(files);
  const bytes = readFileSync(file);
  const tail = decodePackTail(bytes.subarray(-packTailLengthFromEnd(bytes.subarray(-PACK_END_BYTES))));
  const place = random.below(tail.entries.length);
  const start = tail.entries.slice(0, place).reduce((sum, { length }) => sum + length, PACK_HEADER_BYTES);
  const entry = tail.entries[place];
  if (entry === undefined) return null;
  flip(bytes, start + random.below(entry.length), random);
  writeFileSync(file, bytes);
  return entry.chunkId;
}

/** Flips one bit of one stored object, which the index has whole. */
export function rotOneObject(vaultFolder: string, random: SeededRandom): boolean {
  const folder = join(vaultFolder, 'objects');
  const names = readdirSync(folder).toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b));
  if (names.length === 0) return false;
  const file = join(folder, random.pick(names));
  const bytes = readFileSync(file);
  flip(bytes, random.below(bytes.length), random);
  writeFileSync(file, bytes);
  return true;
}

function flip(bytes: Buffer, offset: number, random: SeededRandom): void {
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << random.below(8));
}
