import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CofreError } from '@cofre/shared/errors';

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Makes a folder that only its owner may enter, and what it lies in. Existing ones stay as they are. */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/**
 * Replaces a file whole: after a crash there is the old content or the new one, and once this resolves, the new
 * one. Only the owner may read it.
 * @throws CofreError `file_unwritable`
 */
export async function replaceFile(file: string, content: string): Promise<void> {
  try {
    const temporary = await writeBeside(file, content);
    await publish(temporary, () => rename(temporary, file));
    await syncFolder(dirname(file));
  } catch (error) {
    throw unwritable(file, error);
  }
}

/**
 * Makes a file that does not exist yet, durable once this resolves; nobody ever sees a part of it where the file
 * system knows hard links. Only the owner may read it.
 * @throws CofreError `file_exists`, `file_unwritable`
 */
export async function createFile(file: string, content: string): Promise<void> {
  try {
    const temporary = await writeBeside(file, content);
    await publish(temporary, () => linkOrCreate(temporary, file, content));
    await syncFolder(dirname(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new CofreError('file_exists', { file });
    throw unwritable(file, error);
  }
}

/** Removes a file for good; one that is not there is no error. */
export async function removeFile(file: string): Promise<void> {
  await rm(file, { force: true });
  await syncFolder(dirname(file));
}

async function writeBeside(file: string, content: string): Promise<string> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.part`;
  await writeNew(temporary, content);
  return temporary;
}

async function writeNew(file: string, content: string): Promise<void> {
  await using handle: FileHandle = await open(file, 'wx', PRIVATE_FILE);
  await handle.writeFile(content, 'utf8');
  await handle.sync();
}

/** Gives the finished file its name; what is left of it under the temporary name goes in any case. */
async function publish(temporary: string, name: () => Promise<void>): Promise<void> {
  try {
    await name();
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A link never replaces. File systems of USB sticks have none: there the file is written under its name. */
async function linkOrCreate(temporary: string, file: string, content: string): Promise<void> {
  try {
    await link(temporary, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    await writeNew(file, content);
  }
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function unwritable(file: string, error: unknown): CofreError {
  const problem = (error as NodeJS.ErrnoException).code ?? String(error);
  return new CofreError('file_unwritable', { file, problem }, { cause: error });
}
