import fs from 'node:fs';
import { checkResult, lazily, nativeFunction } from '../../platform/libc.ts';
import { openAt, removeFileAt, renameAt } from '../../platform/posix.ts';
import { applyMetadata } from './apply-metadata.ts';
import { temporaryName } from './existing.ts';
import { DescriptorAccess } from './object-access.ts';
import { problemFrom } from './target-problem.ts';
import type { FilePlace, OpenFile, TargetProblem } from './target.ts';

/** Content and where it begins in the file. */
export interface FilePiece {
  readonly bytes: Uint8Array;
  readonly fileOffset: number;
}

// Not in fs.constants; the same on every 64-bit Linux that Node runs on.
const O_CLOEXEC = 0o2000000;
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
const CREATE_FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
/** Nobody else reads a file before its owner and mode are set. */
const PRIVATE_MODE = 0o600;

/**
 * Workers of Node keep account of what fs.open and fs.close do in them. These descriptors may be used by
 * several threads, so they are opened and closed past that.
 */
const calls = lazily(() => ({ close: nativeFunction<[number]>('int close(int fd)') }));

/** Makes the file, empty. Throws system errors; `problemFrom` turns them into what `fileDone` takes. */
export function createFile(place: FilePlace): OpenFile {
  const currentName = place.replaces ? temporaryName() : place.name;
  return { descriptor: openAt(place.folder, currentName, CREATE_FLAGS, PRIVATE_MODE), place, currentName };
}

/** Writes all of `bytes` at its place in the file; any thread may, several at once. Throws system errors. */
export function writePiece(descriptor: number, { bytes, fileOffset }: FilePiece): void {
  for (let done = 0; done < bytes.length;) {
    done += fs.writeSync(descriptor, bytes, done, bytes.length - done, fileOffset + done);
  }
}

/**
 * Completes a file whose content is written: the hole at its end, its metadata, its name; closes it in any
 * case. Returns what could not be set. Throws system errors, and then the file
 * is gone: nothing incomplete is left under its name.
 */
export function finishFile({ descriptor, place, currentName }: OpenFile): TargetProblem[] {
  let isComplete = false;
  try {
    if (place.endsInHole) fs.ftruncateSync(descriptor, place.sizeBytes);
    const problems = applyMetadata(new DescriptorAccess(descriptor), place.path, place.metadata);
    if (place.replaces) renameAt(place.folder, currentName, place.folder, place.name);
    isComplete = true;
    return problems;
  } finally {
    if (!isComplete) removeFileAt(place.folder, currentName);
    close(descriptor);
  }
}

/** Gives up a file that cannot be completed: closes and removes it. */
export function abandonFile({ descriptor, place, currentName }: OpenFile): void {
  try {
    removeFileAt(place.folder, currentName);
  } finally {
    close(descriptor);
  }
}

/**
 * Makes, writes and completes a file whose content is at hand. Returns what went wrong, `not-restored` when
 * the file could not be made; throws `target_full`, and what is no system error.
 */
export function writeWholeFile(place: FilePlace, pieces: Iterable<FilePiece>): TargetProblem[] {
  try {
    const file = createFile(place);
    try {
      for (const piece of pieces) writePiece(file.descriptor, piece);
    } catch (error) {
      abandonFile(file);
      throw error;
    }
    return finishFile(file);
  } catch (error) {
    return [problemFrom(error, place.path)];
  }
}

function close(descriptor: number): void {
  checkResult(calls().close(descriptor), 'close', descriptor);
}
