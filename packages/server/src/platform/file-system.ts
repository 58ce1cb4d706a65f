import { readFile, realpath, statfs } from 'node:fs/promises';

/** What a file system is, as far as it decides whether it can be relied on. */
export interface FileSystem {
  /** Its number in `statfs(2)`. */
  readonly type: number;
  /** Of the mount and of the file system, as the kernel lists them. */
  readonly options: readonly string[];
}

export interface FileSystemVerdict {
  readonly verdict: 'good' | 'doubtful' | 'refused';
  readonly reason: string;
}

/** Others write to these too, or they answer from a cache: locks and syncs there are what the other side makes of them. */
const OF_A_NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x786f4256, 'a shared folder of VirtualBox'],
]);
/** sshfs, rclone, s3fs, folders that Docker Desktop shares: a program, which may say that it has kept what it has not. */
const FUSE = 0x65735546;
const IN_MEMORY: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);
/** With these a sync returns before the disk has written. */
const UNSYNCED_OPTIONS: ReadonlySet<string> = new Set(['nobarrier', 'barrier=0', 'volatile']);

/** Whether what is acknowledged on such a file system would be there after a power loss. */
export function judgeFileSystem({ type, options }: FileSystem): FileSystemVerdict {
  // Some kernels give the number with its sign.
  const code = type >>> 0;
  const network = OF_A_NETWORK.get(code);
  if (network !== undefined) {
    return {
      verdict: 'refused',
      reason: `it lies on ${network}, which cannot promise what a disk of this machine can`,
    };
  }
  if (code === FUSE) {
    const reason =
      'it lies on a FUSE file system, whose program decides whether what is synced is really kept';
    return { verdict: 'refused', reason };
  }
  const unsynced = options.find((option) => UNSYNCED_OPTIONS.has(option));
  if (unsynced !== undefined) {
    return {
      verdict: 'refused',
      reason: `it is mounted with "${unsynced}": a power loss takes what was synced`,
    };
  }
  const memory = IN_MEMORY.get(code);
  if (memory === undefined) return { verdict: 'good', reason: '' };
  return { verdict: 'doubtful', reason: `it lies on ${memory}: all of it is gone when the machine stops` };
}

/** Looks at the file system of a folder that exists. */
export async function fileSystemOf(folder: string): Promise<FileSystem> {
  const { type } = await statfs(folder);
  return { type, options: mountOptionsOf(await readMounts(), await realpath(folder)) };
}

/**
 * The options of the mount that a path lies on.
 * @param mounts what the kernel lists (`proc(5)`, mountinfo); empty where there is no such list
 */
export function mountOptionsOf(mounts: string, path: string): string[] {
  let longest = '';
  let options: string[] = [];
  for (const line of mounts.split('\n')) {
    const [mount = '', fileSystem = ''] = line.split(' - ');
    const [, , , , point = '', mountOptions = ''] = mount.split(' ');
    const place = decodeOctal(point);
    const holds = place !== '' && (path === place || place === '/' || path.startsWith(`${place}/`));
    // What was mounted last over the same place counts.
    if (!holds || place.length < longest.length) continue;
    longest = place;
    options = [...mountOptions.split(','), ...(fileSystem.split(' ')[2] ?? '').split(',')];
  }
  return options.filter((option) => option !== '');
}

async function readMounts(): Promise<string> {
  try {
    return await readFile('/proc/self/mountinfo', 'utf8');
  } catch {
    // Only Linux has it.
    return '';
  }
}

function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
