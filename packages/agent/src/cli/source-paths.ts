import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { byteStringFromBytes, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { bytesOfArguments, workingFolderBytes } from './raw-arguments.ts';

export interface PathSources {
  readonly arguments: readonly string[];
  /** Files with a path a line; `-` is standard input. */
  readonly listFiles: readonly string[];
  /** Files with paths that end with NUL: for names with newlines in them. */
  readonly rawListFiles: readonly string[];
}

/**
 * All paths that were named, absolute and without the leading slash, as bytes; relative ones count from the
 * working folder.
 * @throws CofreError `usage` when there is none, or one that is none; `path_not_found` for a list that is not there
 */
export async function collectPaths(sources: PathSources): Promise<ByteString[]> {
  const paths = bytesOfArguments(sources.arguments);
  for (const file of sources.listFiles) paths.push(...(await pathsIn(file, '\n')));
  for (const file of sources.rawListFiles) paths.push(...(await pathsIn(file, '\0')));
  if (paths.length === 0) throw new CofreError('usage', { problem: 'no path was given' });
  const folder = workingFolderBytes();
  return paths.map((path) => resolvePath(folder, path));
}

/** @throws CofreError `usage` for an empty path and for one with NUL in it */
export function resolvePath(folder: ByteString, path: ByteString): ByteString {
  if (path === '' || path.includes('\0')) {
    throw new CofreError('usage', { problem: path === '' ? 'a path is empty' : 'a path has NUL in it' });
  }
  return posix.resolve(folder, path).slice(1) as ByteString;
}

async function pathsIn(file: string, separator: string): Promise<ByteString[]> {
  const content = byteStringFromBytes(await readListFile(file));
  return content.split(separator).filter((path) => path !== '') as ByteString[];
}

/**
 * A file that was named as an option's value; `-` is standard input.
 * @throws CofreError `path_not_found`, `usage` for one that cannot be read
 */
export async function readListFile(file: string): Promise<Buffer> {
  if (file === '-') return buffer(process.stdin);
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new CofreError('path_not_found', { path: file }, { cause });
    throw new CofreError('usage', { problem: `${file} cannot be read: ${code ?? String(cause)}` }, { cause });
  }
}
