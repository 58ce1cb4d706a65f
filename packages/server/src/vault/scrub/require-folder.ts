import { opendir } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';

/**
 * A disk that is not mounted, or does not answer at all, is not a thousand damaged files.
 * @throws CofreError `unavailable` when the folder can't be read
 */
export async function requireFolder(folder: string, tenantId: string): Promise<void> {
  try {
    const entries = await opendir(folder);
    await entries.read();
    await entries.close();
  } catch (error) {
    const problem = `the folder of tenant ${tenantId} can't be read in the store`;
    throw new CofreError('unavailable', { problem }, { cause: error });
  }
}
