import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CofreError } from '@cofre/shared/errors';

/** Which roster this computer saw last. */
export interface SeenRoster {
  readonly version: number;
  /** Of the whole signed object, hexadecimal. */
  readonly sha256: string;
}

const FILE_NAME = 'roster-seen.json';

/**
 * Compares a roster whose signature is good with the one seen before, and remembers it. The server could
 * bring back an old roster, with a revoked device or recipient in it; the signature alone does not show that.
 * @throws CofreError `untrusted` for an older one, and for a second one of the same version
 */
export async function rememberRoster(stateFolder: string, roster: SeenRoster): Promise<void> {
  const seen = await readSeen(stateFolder);
  if (seen !== null && roster.version < seen.version) {
    refuse(`it is version ${roster.version}, and version ${seen.version} was seen before`);
  }
  if (seen !== null && roster.version === seen.version) {
    if (roster.sha256 !== seen.sha256) refuse(`there are two of version ${roster.version}`);
    return;
  }
  await writeSeen(stateFolder, roster);
}

/** What cannot be read counts as nothing seen: the signature still stands between us and the server. */
async function readSeen(stateFolder: string): Promise<SeenRoster | null> {
  try {
    const seen = JSON.parse(await readFile(path.join(stateFolder, FILE_NAME), 'utf8')) as Partial<SeenRoster>;
    const { version, sha256 } = seen;
    return typeof version === 'number' && typeof sha256 === 'string' ? { version, sha256 } : null;
  } catch {
    return null;
  }
}

/** A state that may only be read must not stop a restore. */
async function writeSeen(stateFolder: string, roster: SeenRoster): Promise<void> {
  const file = path.join(stateFolder, FILE_NAME);
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(temporary, `${JSON.stringify(roster)}\n`, { mode: 0o600 });
    await rename(temporary, file);
  } catch {
    // Next time it is seen for the first time again.
  }
}

function refuse(problem: string): never {
  throw new CofreError('untrusted', { what: 'a list of devices', problem });
}
