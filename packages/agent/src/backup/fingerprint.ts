import type { FileStatus } from '../platform/file-status.ts';

/**
 * What tells an unchanged file from a changed one without reading it, in 57 bytes:
 *
 *     inode u64 ‖ size u64 ‖ mtime i64 ns ‖ ctime i64 ns ‖ mode, uid, gid, links, major, minor u32 ‖ type u8
 *
 * The change time moves with every change of content, owner, attributes or links and can't be set by a
 * program, so it is trusted where the modification time is not. The number of the file system is left out:
 * it may differ after each start of the machine.
 */
export const FINGERPRINT_BYTES = 57;

/** Where the type is; 0 there makes a fingerprint that matches nothing, not even itself: see {@link voided}. */
const TYPE_OFFSET = 56;
const LINKS_OFFSET = 44;

const NS_PER_MS = 1_000_000n;
/** Clocks of file systems tick with the kernel's timer: a change within the same tick leaves no trace. */
const TICK_NS = 20n * NS_PER_MS;
/** FAT and old network file systems keep whole or even seconds. */
const COARSE_TICK_NS = 2_000n * NS_PER_MS;
const NS_PER_SECOND = 1_000_000_000n;

const TYPES: Readonly<Record<FileStatus['type'], number>> = {
  file: 1,
  directory: 2,
  symlink: 3,
  fifo: 4,
  'character-device': 5,
  'block-device': 6,
  socket: 7,
  unknown: 8,
};

/** Writes the fingerprint into `target` (57 bytes at least). */
export function writeFingerprint(target: Buffer, status: FileStatus): void {
  target.writeBigUInt64LE(BigInt.asUintN(64, status.inode), 0);
  target.writeBigUInt64LE(BigInt(status.sizeBytes), 8);
  target.writeBigInt64LE(BigInt.asIntN(64, status.mtimeNs), 16);
  target.writeBigInt64LE(BigInt.asIntN(64, status.ctimeNs), 24);
  target.writeUInt32LE(status.mode, 32);
  target.writeUInt32LE(status.uid, 36);
  target.writeUInt32LE(status.gid, 40);
  target.writeUInt32LE(status.linkCount, LINKS_OFFSET);
  target.writeUInt32LE(status.deviceMajor, 48);
  target.writeUInt32LE(status.deviceMinor, 52);
  target[TYPE_OFFSET] = TYPES[status.type];
}

/**
 * The fingerprint of an object that is about to be read.
 * @param readNs when reading begins, nanoseconds since 1970 by this computer's clock
 */
export function fingerprintOf(status: FileStatus, readNs: bigint): Buffer {
  const fingerprint = Buffer.alloc(FINGERPRINT_BYTES);
  writeFingerprint(fingerprint, status);
  return isRacy(status, readNs) ? voided(fingerprint) : fingerprint;
}

/** The same fingerprint, made to match nothing: the object has to be read again next time. */
export function voided(fingerprint: Buffer): Buffer {
  const copy = Buffer.from(fingerprint);
  copy[TYPE_OFFSET] = 0;
  return copy;
}

/** Whether two fingerprints are of the same, unchanged object. */
export function isSameFingerprint(a: Buffer, b: Buffer): boolean {
  return a[TYPE_OFFSET] !== 0 && a.equals(b);
}

/** How many names the object had. */
export function linkCountOf(fingerprint: Buffer): number {
  return fingerprint.readUInt32LE(LINKS_OFFSET);
}

/**
 * Whether a file changed so shortly before it was read that a later change could have the same time. Such
 * a file gets no fingerprint and is read again next time.
 */
function isRacy(status: FileStatus, readNs: bigint): boolean {
  const tick = status.ctimeNs % NS_PER_SECOND === 0n ? COARSE_TICK_NS : TICK_NS;
  return status.ctimeNs > readNs - tick;
}
