import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const VECTOR_FOLDER = join(import.meta.dirname, '..', 'format-1');

/** Content of the files of the frozen vectors, by name. */
export type VectorFiles = Map<string, Buffer>;

/** A vector as it is kept. */
export function readVector(name: string): Buffer {
  return readFileSync(join(VECTOR_FOLDER, name));
}

/** A vector of values. The caller says what is in it: the file is ours, and frozen. */
export function readJsonVector<Content>(name: string): Content {
  return JSON.parse(readVector(name).toString('utf8')) as Content;
}

export function jsonFile(content: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(plain(content), null, 2)}\n`, 'utf8');
}

/** A value as JSON can say it: bytes in hexadecimal, large integers in decimal, nothing for what is undefined. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([name, one]) => [name, plain(one)]));
}
