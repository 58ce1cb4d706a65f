import fs from 'node:fs';
import { systemErrorCode } from '../../platform/system-error.ts';

/** Finds the numbers that names of users and groups have on this machine. */
export interface OwnerNumbers {
  /** Undefined when this machine does not know the name. */
  user(name: string): number | undefined;
  group(name: string): number | undefined;
}

/** Reads the machine's own tables (`/etc/passwd`, `/etc/group`); users of a directory service are not in them. */
export function readOwnerNumbers(passwdFile = '/etc/passwd', groupFile = '/etc/group'): OwnerNumbers {
  const users = readTable(passwdFile);
  const groups = readTable(groupFile);
  return { user: (name) => users.get(name), group: (name) => groups.get(name) };
}

/** Lines of `name:password:number:…`, the first of each name counts. */
function readTable(file: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of readIfThere(file).split('\n')) {
    const [name, , number] = line.split(':');
    if (name === undefined || number === undefined || !/^\d+$/.test(number)) continue;
    if (!numbers.has(name)) numbers.set(name, Number(number));
  }
  return numbers;
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
