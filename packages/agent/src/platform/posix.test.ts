import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import {
  getExtendedAttribute,
  listExtendedAttributes,
  removeExtendedAttribute,
  setExtendedAttribute,
} from './extended-attributes.ts';
import { CURRENT_FOLDER, pathArgument } from './libc.ts';
import * as posix from './posix.ts';
import { lacks } from '../../../../test/requirements.ts';

const bytes = (text: string) => text as ByteString;

let folder: string;
let fd: number;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-posix-'));
  fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
});
afterEach(() => {
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
});

describe('errors', () => {
  test('look like those of node:fs', () => {
    const missing = bytes(`${folder}/none`);
    expect(() => posix.openAt(CURRENT_FOLDER, missing, fs.constants.O_RDONLY)).toThrow(
      expect.objectContaining({
        code: 'ENOENT',
        errno: -2,
        syscall: 'open',
        path: missing,
        message: `ENOENT: no such file or directory, open '${missing}'`,
      }),
    );
  });

  test('never print the raw bytes of a name', () => {
    expect(() => posix.readLinkAt(fd, bytes('a\x1b[2J\xff'))).toThrow("readlink 'a\\x1b[2J\\xff'");
  });

  test('carry the right number after many thousands of calls with garbage between', () => {
    for (let round = 0; round < 10_000; round++) {
      const garbage = Buffer.alloc(512);
      expectCode('EBADF', () => posix.openAt(-1, bytes('x'), 0), round);
      expectCode('ENOENT', () => posix.openAt(fd, bytes('x'), 0), round + garbage[0]!);
    }
  });

  test('refuse a NUL inside a path and a path beyond what the kernel takes', () => {
    expectCode('EINVAL', () => posix.openAt(fd, bytes('a\0b'), 0));
    expectCode('EINVAL', () => posix.openAt(fd, Buffer.from('a\0b'), 0));
    expectCode('ENAMETOOLONG', () => pathArgument(bytes('a'.repeat(4096)), 'open'));
  });

  test('are told in worker threads too', async () => {
    const code = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData).then((posix) => {
        try { posix.openAt(-1, 'x', 0); } catch (error) { parentPort.postMessage(error.code); }
      });`;
    const worker = new Worker(code, { eval: true, workerData: new URL('./posix.ts', import.meta.url).href });
    expect(
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    ).toBe('EBADF');
    await worker.terminate();
  });
});

describe('names', () => {
  test('of any bytes but slash and NUL are made and read back unchanged', () => {
    const allBytes = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1))
      .filter((byte) => byte !== '/')
      .join('');
    posix.makeSymlinkAt(fd, bytes(allBytes), bytes(allBytes));
    expect(fs.readdirSync(folder, { encoding: 'latin1' })).toEqual([allBytes]);
    expect(posix.readLinkAt(fd, bytes(allBytes))).toBe(allBytes);
  });
});

describe('times', () => {
  const cases: [string, bigint][] = [
    ['before 1970', -1_234_567_890_123_456_789n],
    ['one nanosecond before 1970', -1n],
    ['at a whole second before 1970', -5_000_000_000n],
    ['after 2038', 4_000_000_000_999_999_999n],
    ['after 2106', 4_400_000_000_000_000_001n],
  ];
  test.each(cases)('%s are kept to the nanosecond', (_, mtimeNs) => {
    fs.writeFileSync(`${folder}/file`, '');
    fs.symlinkSync('nowhere', `${folder}/link`);
    posix.setTimesAt(fd, bytes('file'), { mtimeNs, atimeNs: 1n });
    posix.setTimesAt(fd, bytes('link'), { mtimeNs });
    for (const name of ['file', 'link']) {
      expect(fs.lstatSync(`${folder}/${name}`, { bigint: true }).mtimeNs).toBe(mtimeNs);
    }
    expect(fs.lstatSync(`${folder}/file`, { bigint: true }).atimeNs).toBe(1n);
  });

  test('that are left out stay as they are', () => {
    const file = fs.openSync(`${folder}/file`, 'w');
    posix.setTimes(file, { mtimeNs: 7n, atimeNs: 8n });
    posix.setTimes(file, { mtimeNs: 9n });
    expect(fs.fstatSync(file, { bigint: true })).toMatchObject({ mtimeNs: 9n, atimeNs: 8n });
    fs.closeSync(file);
  });
});

describe('nodes and links', () => {
  test('a FIFO is made with its mode', () => {
    posix.makeNodeAt(fd, bytes('fifo'), 'fifo', 0o600);
    expect(fs.lstatSync(`${folder}/fifo`).mode).toBe(0o010600);
  });

  test.skipIf(lacks('root'))('devices are made with numbers over 255', () => {
    const device = { major: 300, minor: 70_000 };
    posix.makeNodeAt(fd, bytes('device'), 'character-device', 0o600, device);
    const packed = fs.lstatSync(`${folder}/device`, { bigint: true }).rdev;
    expect(posix.unpackDeviceNumber(packed)).toEqual(device);
  });

  test('device numbers survive packing', () => {
    for (const device of [
      { major: 0, minor: 0 },
      { major: 4095, minor: 255 },
      { major: 0xffffffff, minor: 0xffffffff },
    ]) {
      expect(posix.unpackDeviceNumber(posix.packDeviceNumber(device))).toEqual(device);
    }
  });

  test('a symbolic link is hard-linked itself, also when it dangles', () => {
    posix.makeSymlinkAt(fd, bytes('a'), bytes('nowhere'));
    posix.makeHardLinkAt(fd, bytes('a'), fd, bytes('b'));
    expect(fs.lstatSync(`${folder}/b`)).toMatchObject({ nlink: 2 });
    expectCode('EEXIST', () => posix.makeHardLinkAt(fd, bytes('a'), fd, bytes('b')));
  });

  test('files and folders are made, renamed and removed', () => {
    posix.makeFolderAt(fd, bytes('one'), 0o700);
    posix.renameAt(fd, bytes('one'), fd, bytes('two'));
    expect(fs.readdirSync(folder)).toEqual(['two']);
    expectCode('EISDIR', () => posix.removeFileAt(fd, bytes('two')));
    posix.removeFolderAt(fd, bytes('two'));
    fs.closeSync(posix.openAt(fd, bytes('file'), fs.constants.O_WRONLY | fs.constants.O_CREAT, 0o600));
    expect(fs.statSync(`${folder}/file`).mode & 0o777).toBe(0o600);
    posix.removeFileAt(fd, bytes('file'));
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('extended attributes', () => {
  test('are set, listed, read and removed by path and by descriptor', () => {
    fs.writeFileSync(`${folder}/file`, '');
    const file = fs.openSync(`${folder}/file`, 'r+');
    for (const target of [file, Buffer.from(`${folder}/file`), byteStringFromText(`${folder}/file`)]) {
      const value = Buffer.from([0, 1, 255, 0]);
      setExtendedAttribute(target, bytes('user.b\xff'), value);
      setExtendedAttribute(target, bytes('user.empty'), new Uint8Array());
      expect(listExtendedAttributes(target).sort()).toEqual(['user.b\xff', 'user.empty']);
      expect(getExtendedAttribute(target, bytes('user.b\xff'))).toEqual(value);
      expect(getExtendedAttribute(target, bytes('user.empty'))).toEqual(Buffer.alloc(0));
      expect(getExtendedAttribute(target, bytes('user.none'))).toBeNull();
      removeExtendedAttribute(target, bytes('user.b\xff'));
      removeExtendedAttribute(target, bytes('user.empty'));
      expect(listExtendedAttributes(target)).toEqual([]);
      expectCode('ENODATA', () => removeExtendedAttribute(target, bytes('user.empty')));
    }
    fs.closeSync(file);
  });
});

describe('holes', () => {
  test('data and holes of a file over 4 GiB are found', () => {
    const file = fs.openSync(`${folder}/sparse`, 'w+');
    const offset = 5 * 2 ** 30;
    fs.writeSync(file, Buffer.alloc(4096, 1), 0, 4096, offset);
    fs.ftruncateSync(file, offset + 2 ** 20);
    expect(posix.seekData(file, 0)).toBe(offset);
    expect(posix.seekHole(file, offset)).toBe(offset + 4096);
    expect(posix.seekData(file, offset + 4096)).toBeNull();
    expect(posix.seekHole(file, offset + 2 ** 21)).toBeNull();
    fs.closeSync(file);
  });
});

function expectCode(code: string, action: () => unknown, round = 0): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return;
    throw error;
  }
  throw new Error(`no ${code} in round ${round}`);
}
