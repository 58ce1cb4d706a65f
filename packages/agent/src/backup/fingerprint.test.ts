import { expect, test } from 'vitest';
import type { FileStatus } from '../platform/file-status.ts';
import {
  FINGERPRINT_BYTES,
  fingerprintOf,
  isSameFingerprint,
  linkCountOf,
  voided,
  writeFingerprint,
} from './fingerprint.ts';

const SECOND_NS = 1_000_000_000n;
const NOW_NS = 1_700_000_000n * SECOND_NS;

const status: FileStatus = {
  type: 'file',
  mode: 0o644,
  uid: 1000,
  gid: 100,
  linkCount: 3,
  sizeBytes: 12_345_678_901,
  blocks: 8,
  deviceId: 7n,
  inode: 0xffff_ffff_ffff_fffen,
  deviceMajor: 0,
  deviceMinor: 0,
  mtimeNs: -5n,
  ctimeNs: NOW_NS - 3_600n * SECOND_NS - 123n,
  atimeNs: 1n,
  birthtimeNs: 2n,
};

function written(of: FileStatus): Buffer {
  const target = Buffer.alloc(FINGERPRINT_BYTES);
  writeFingerprint(target, of);
  return target;
}

test('an object that did not change has the same fingerprint', () => {
  expect(isSameFingerprint(fingerprintOf(status, NOW_NS), written({ ...status }))).toBe(true);
  expect(linkCountOf(written(status))).toBe(3);
});

test.each([
  { mode: 0o600 },
  { uid: 1001 },
  { gid: 101 },
  { linkCount: 4 },
  { sizeBytes: 12_345_678_902 },
  { inode: 5n },
  { deviceMajor: 1 },
  { deviceMinor: 1 },
  { mtimeNs: -6n },
  { ctimeNs: status.ctimeNs + 1n },
  { type: 'symlink' as const },
])('a change of %o shows', (change) => {
  expect(isSameFingerprint(written(status), written({ ...status, ...change }))).toBe(false);
});

test.each([{ atimeNs: 99n }, { birthtimeNs: undefined }, { deviceId: 8n }, { blocks: 9 }])(
  'a change of %o does not matter',
  (change) => {
    expect(isSameFingerprint(written(status), written({ ...status, ...change }))).toBe(true);
  },
);

test('a void fingerprint matches nothing, not even itself, and still tells the number of names', () => {
  const fingerprint = written(status);
  const empty = voided(fingerprint);
  expect(isSameFingerprint(empty, empty)).toBe(false);
  expect(isSameFingerprint(empty, fingerprint)).toBe(false);
  expect(isSameFingerprint(fingerprint, empty)).toBe(false);
  expect(linkCountOf(empty)).toBe(3);
  expect(isSameFingerprint(fingerprint, written(status))).toBe(true);
});

test('what changed so shortly before that a later change could have the same time is void', () => {
  const changed = (beforeNs: bigint): Buffer =>
    fingerprintOf({ ...status, ctimeNs: NOW_NS - beforeNs }, NOW_NS);
  const isVoid = (fingerprint: Buffer): boolean => !isSameFingerprint(fingerprint, fingerprint);
  expect(isVoid(changed(1_000_001n))).toBe(true);
  expect(isVoid(changed(19_999_999n))).toBe(true);
  expect(isVoid(changed(20_000_001n))).toBe(false);
  // The clock was set back since.
  expect(isVoid(changed(-3_600n * SECOND_NS - 1n))).toBe(true);
  // A file system that keeps whole seconds.
  expect(isVoid(changed(1n * SECOND_NS))).toBe(true);
  expect(isVoid(changed(3n * SECOND_NS))).toBe(false);
});
