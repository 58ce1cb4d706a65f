import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Flips one bit of a file, as a disk does that rots. @param offset a negative one counts from the end
 * @throws Error when the file has no such byte: nothing would be flipped, and nobody would notice
 */
export function flipBit(file: string, offset: number): void {
  const bytes = readFileSync(file);
  const place = offset < 0 ? bytes.length + offset : offset;
  const byte = bytes[place];
  if (byte === undefined) throw new Error(`${file} has ${bytes.length} bytes, and none at ${offset}`);
  bytes[place] = byte ^ 0x40;
  writeFileSync(file, bytes);
}
