import { stat } from 'node:fs/promises';
import { isNotThere } from './storage-failure.ts';

/** Whether there is a file or folder of this path. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isNotThere(error)) return false;
    throw error;
  }
}
