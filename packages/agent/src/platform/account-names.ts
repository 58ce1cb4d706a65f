import fs from 'node:fs';
import { byteStringFromBytes, textFromByteString } from '@cofre/shared/bytes';

/** Names of users and groups by number, as this machine knows them. */
export interface AccountNames {
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
}

const ID_MAX = 0xffffffff;

/**
 * Reads the local accounts once. A file that is not there or cannot be read names nobody, and a number that
 * has two names has the first. Accounts of a directory service (LDAP) are not asked for: their numbers are
 * kept, their names are not.
 */
export function readAccountNames(userFile = '/etc/passwd', groupFile = '/etc/group'): AccountNames {
  const users = namesById(userFile);
  const groups = namesById(groupFile);
  return { userName: (uid) => users.get(uid), groupName: (gid) => groups.get(gid) };
}

/** Both files have the name in the first field and the number in the third. */
function namesById(file: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of readLines(file)) {
    const [name, , number] = line.split(':');
    if (name === undefined || name === '' || number === undefined || !/^\d{1,10}$/.test(number)) continue;
    const id = Number(number);
    if (id <= ID_MAX && !names.has(id)) names.set(id, name);
  }
  return names;
}

function readLines(file: string): string[] {
  try {
    return textFromByteString(byteStringFromBytes(fs.readFileSync(file))).split('\n');
  } catch {
    return [];
  }
}
