import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { needlesOf, type Needle } from './byte-search.ts';

/** What is planted in the copy: nothing else in the world has it. */
export interface Marker {
  readonly content: string;
  readonly name: string;
  /** Does not become smaller: a program that compressed without encrypting would keep it as it is. */
  readonly noise: Buffer;
}

/** Larger than what is bundled with its neighbours. */
const NOISE_BYTES = 1024 * 1024;
const SLICE_BYTES = 48;
const SLICES = [0.2, 0.5, 0.8] as const;
const LINES = 200;

/** Makes up a new marker. */
export function newMarker(): Marker {
  return {
    content: `the-secret-plan-${randomBytes(12).toString('hex')}`,
    name: `secret-name-${randomBytes(12).toString('hex')}`,
    noise: randomBytes(NOISE_BYTES),
  };
}

/** Puts a folder with the marker into `folder`, and two files more, so that there is something to change and delete. */
export async function plantMarker(folder: string, { content, name, noise }: Marker): Promise<void> {
  const place = join(folder, `${name}-folder`);
  await mkdir(place);
  const text = Array.from({ length: LINES }, (_, line) => `${line}: ${content}\n`).join('');
  await writeFile(join(place, `${name}.txt`), text);
  await writeFile(join(place, `${name}.bin`), noise);
  await writeFile(join(place, 'draft.txt'), `A draft.\n${text}`);
  await writeFile(join(place, 'old-draft.txt'), `An old draft.\n${text}`);
}

/** Everything by which the marker would show. */
export function needlesFor({ content, name, noise }: Marker): Needle[] {
  const slices = SLICES.map((share) => {
    const start = Math.floor(noise.length * share);
    return { label: 'planted random bytes', bytes: noise.subarray(start, start + SLICE_BYTES) };
  });
  return [...needlesOf('the planted text', content), ...needlesOf('the planted file name', name), ...slices];
}
