import fs from 'node:fs';
import path from 'node:path';
import { byteStringFromBytes, displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { FolderHandle } from '../../platform/folder-handle.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import type { ExistingPolicy } from './target.ts';

/** The target's folder, and whether something was in it. */
export interface OpenedTarget {
  readonly folder: FolderHandle;
  readonly isEmpty: boolean;
}

/**
 * Opens the folder that a restore writes into, and makes it (and the folders above it) when it is not
 * there. Folders above it may be links, that is the user's own path; the target itself may not. Throws
 * `target_unsafe` for a link, a file, a folder that may not be written; `target_not_empty` when something
 * is in it and no policy says what to do; `target_full`.
 */
export function openTargetFolder(target: string, existing: ExistingPolicy): OpenedTarget {
  const absolute = path.resolve(target);
  const shown = displayName(byteStringFromBytes(Buffer.from(absolute)));
  try {
    makeFolders(absolute);
    const parent = FolderHandle.open(absoluteBytes(path.dirname(absolute)));
    const folder = absolute === '/' ? parent : openInside(parent, path.basename(absolute));
    try {
      fs.accessSync(folder.selfPath(), fs.constants.W_OK | fs.constants.X_OK);
      const isEmpty = isFolderEmpty(folder);
      if (!isEmpty && existing === 'refuse') throw new CofreError('target_not_empty', { path: shown });
      return { folder, isEmpty };
    } catch (error) {
      folder.close();
      throw error;
    }
  } catch (error) {
    throw targetError(error, shown);
  }
}

function openInside(parent: FolderHandle, name: string): FolderHandle {
  try {
    return parent.openFolder(absoluteBytes(name));
  } finally {
    parent.close();
  }
}

/** `recursive` neither complains about what is there nor follows a link at the end: opening then decides. */
function makeFolders(absolute: string): void {
  try {
    fs.lstatSync(absolute);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    fs.mkdirSync(absolute, { recursive: true });
  }
}

function isFolderEmpty(folder: FolderHandle): boolean {
  const opened = fs.opendirSync(folder.selfPath().toString('latin1'));
  try {
    return opened.readSync() === null;
  } finally {
    opened.closeSync();
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOTDIR: 'it is a link or a file, or lies in one',
  ELOOP: 'it is a link',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system can only be read',
};

function targetError(error: unknown, shown: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CofreError('target_full', { path: shown }, { cause: error });
  }
  return new CofreError('target_unsafe', { path: shown, problem: PROBLEMS[code] ?? code }, { cause: error });
}

function absoluteBytes(text: string): ByteString {
  return byteStringFromBytes(Buffer.from(text));
}
