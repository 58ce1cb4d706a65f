import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { judgeFileSystem, mountOptionsOf } from './file-system.ts';
import { checkPlaces } from './start-checks.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-places-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const check = (data: string, store: string, environment: NodeJS.ProcessEnv = {}) =>
  checkPlaces({ dataFolder: join(folder, data), storeFolder: join(folder, store) }, environment);

const refusal = (setting: string, problem: RegExp) =>
  expect.objectContaining({
    code: 'settings_invalid',
    parameters: { setting, problem: expect.stringMatching(problem) },
  });

test('two folders on a disk are good, made when they are not there, and left as they were', async () => {
  expect(await check('data', 'deep/er/store')).toEqual([]);
  expect(readdirSync(join(folder, 'data'))).toEqual([]);
  expect(readdirSync(join(folder, 'deep/er/store'))).toEqual([]);
  // What a process that ended left there does not stand in the way.
  for (const name of ['start-check', 'start-check.new']) writeFileSync(join(folder, 'data', name), '');
  expect(await check('data', 'deep/er/store')).toEqual([]);
  expect(readdirSync(join(folder, 'data'))).toEqual([]);
});

test('one folder in the other is refused, also behind a link', async () => {
  await expect(check('same', 'same')).rejects.toEqual(refusal('--store', /one of its own/));
  await expect(check('data', 'data/store')).rejects.toEqual(refusal('--store', /lies in the folder/));
  await expect(check('store/data', 'store')).rejects.toEqual(refusal('--data', /lies in the store/));
  mkdirSync(join(folder, 'place/inner'), { recursive: true });
  symlinkSync(join(folder, 'place/inner'), join(folder, 'link'));
  await expect(check('place', 'link')).rejects.toEqual(refusal('--store', /lies in the folder/));
  expect(await check('data', 'data-store')).toEqual([]);
});

test('a place that cannot be made or written to is named', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(check('data', 'file/store')).rejects.toEqual(refusal('--store', /cannot be made: ENOTDIR/));
  const places = { dataFolder: '/proc/self', storeFolder: join(folder, 'store') };
  await expect(checkPlaces(places, {})).rejects.toEqual(
    refusal('--data', /\/proc\/self: it cannot be written to/),
  );
});

test('a library that keeps everything from being synced is refused', async () => {
  const environment = { LD_PRELOAD: '/usr/lib/libeatmydata.so' };
  await expect(check('data', 'store', environment)).rejects.toEqual(refusal('LD_PRELOAD', /synced/));
  expect(await check('data', 'store', { LD_PRELOAD: '/usr/lib/libfaketime.so' })).toEqual([]);
});

test.each([
  ['NFS', 0x6969, [], 'refused'],
  ['SMB2, with the sign that some kernels give it', 0xfe534d42 | 0, [], 'refused'],
  ['CIFS', 0xff534d42, [], 'refused'],
  ['9P', 0x01021997, [], 'refused'],
  ['FUSE', 0x65735546, [], 'refused'],
  ['ext4', 0xef53, ['rw', 'relatime'], 'good'],
  ['ext4 without barriers', 0xef53, ['rw', 'nobarrier'], 'refused'],
  ['overlay', 0x794c7630, ['rw', 'lowerdir=/a'], 'good'],
  ['overlay that syncs nothing', 0x794c7630, ['rw', 'volatile'], 'refused'],
  ['XFS', 0x58465342, ['rw'], 'good'],
  ['Btrfs', 0x9123683e, ['rw'], 'good'],
  ['ZFS', 0x2fc12fc1, ['rw'], 'good'],
  ['tmpfs', 0x01021994, ['rw'], 'doubtful'],
] as const)('%s is judged by its number and options', (_, type, options, verdict) => {
  expect(judgeFileSystem({ type, options }).verdict).toBe(verdict);
});

test('the options of a path are those of the innermost mount, the last one of a place', () => {
  const mounts = [
    '22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
    '30 22 8:2 / /srv rw - ext4 /dev/sdb1 rw,nobarrier',
    String.raw`31 30 8:3 / /srv/with\040space rw - xfs /dev/sdc1 rw,attr2`,
    '32 30 8:4 / /srv/twice rw - ext4 /dev/sdd1 rw,one',
    '33 30 8:5 / /srv/twice rw shared:7 - ext4 /dev/sde1 rw,two',
    '',
  ].join('\n');
  expect(mountOptionsOf(mounts, '/home')).toEqual(['rw', 'relatime', 'rw']);
  expect(mountOptionsOf(mounts, '/srv/data')).toContain('nobarrier');
  expect(mountOptionsOf(mounts, '/srv')).toContain('nobarrier');
  expect(mountOptionsOf(mounts, '/srvdata')).toEqual(['rw', 'relatime', 'rw']);
  expect(mountOptionsOf(mounts, '/srv/with space/x')).toEqual(['rw', 'rw', 'attr2']);
  expect(mountOptionsOf(mounts, '/srv/twice/x')).toEqual(['rw', 'rw', 'two']);
  expect(mountOptionsOf('', '/srv')).toEqual([]);
});

const MEMORY = '/dev/shm';
const hasMemoryPlace = existsSync(MEMORY) && statfsSync(MEMORY).type === 0x01021994;

// Needs a tmpfs, which Linux has there.
test.skipIf(!hasMemoryPlace)('a place in memory works, and is said', async () => {
  const place = mkdtempSync(join(MEMORY, 'cofre-places-'));
  try {
    const doubts = await checkPlaces({ dataFolder: join(folder, 'data'), storeFolder: place }, {});
    expect(doubts).toEqual([expect.stringMatching(/^--store .*tmpfs/)]);
  } finally {
    rmSync(place, { recursive: true });
  }
});
