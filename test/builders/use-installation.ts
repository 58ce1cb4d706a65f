import { afterAll, beforeAll } from 'vitest';
import { Installation } from './installation.ts';

/** One installation for all tests of a file: started before the first of them, and removed after the last. */
export function useInstallation(): () => Installation {
  let installation: Installation | null = null;
  beforeAll(async () => {
    installation = await Installation.start();
  });
  afterAll(async () => installation?.remove());
  return () => {
    if (installation === null) throw new Error('the installation is there within tests only');
    return installation;
  };
}
