import { byteStringFromText, displayName, type ByteString } from '@cofre/shared/bytes';
import type { EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { EntryType } from '@cofre/shared/format/entry';
import { absolutePath, pathFields } from './path-fields.ts';
import { formatMoment } from './quantities.ts';

const NS_PER_SECOND = 1_000_000_000n;
const TYPE_LETTERS: Readonly<Record<EntryType, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  'character-device': 'c',
  'block-device': 'b',
  stream: 's',
};

/** An entry of a snapshot for programs. */
export function entryFields(path: ByteString, entry: EntryMetadata): object {
  const { linkTarget, hardLinkTo, device, flags } = entry;
  return {
    ...pathFields(absolutePath(path)),
    type: entry.type,
    mode: `0${entry.mode.toString(8)}`,
    uid: entry.uid,
    gid: entry.gid,
    user: entry.userName,
    group: entry.groupName,
    size: entry.size,
    mtime: isoTime(entry.mtimeNs),
    ...(linkTarget === undefined ? {} : { link_target: pathFields(linkTarget) }),
    ...(hardLinkTo === undefined ? {} : { hard_link_to: pathFields(absolutePath(hardLinkTo)) }),
    ...(device === undefined ? {} : { device_major: device.major, device_minor: device.minor }),
    ...(flags?.stale === undefined
      ? {}
      : { stale_since: isoTime(flags.stale.sinceNs), stale_reason: flags.stale.reason }),
    ...(flags?.changedWhileRead === true ? { changed_while_read: true } : {}),
    ...(flags?.placeholder === true ? { placeholder: true } : {}),
  };
}

/** An entry for people, as `ls -l` has it. */
export function entryLine(path: ByteString, entry: EntryMetadata): string {
  const { linkTarget, device } = entry;
  const owner = `${printable(entry.userName) ?? entry.uid} ${printable(entry.groupName) ?? entry.gid}`;
  const size = device === undefined ? String(entry.size) : `${device.major}, ${device.minor}`;
  const target = linkTarget === undefined ? '' : ` -> ${displayName(linkTarget)}`;
  const name = displayName(absolutePath(path));
  return `${modeLetters(entry)} ${owner.padEnd(13)} ${size.padStart(11)} ${moment(entry.mtimeNs)} ${name}${target}`;
}

/** ISO 8601 in UTC with nanoseconds; null for times that a calendar of JavaScript does not reach. */
export function isoTime(ns: bigint): string | null {
  const fraction = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const date = new Date(Number((ns - fraction) / NS_PER_SECOND) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  return date.toISOString().replace('.000Z', `.${String(fraction).padStart(9, '0')}Z`);
}

function moment(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  return Number.isNaN(date.getTime()) ? '?'.padEnd(19) : formatMoment(date);
}

function modeLetters({ type, mode }: EntryMetadata): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = (mode >> shift) & 7;
    const executes = (bits & 1) !== 0;
    const last = (mode & special) === 0 ? (executes ? 'x' : '-') : executes ? letter : letter.toUpperCase();
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`;
  };
  return `${TYPE_LETTERS[type]}${triple(6, 0o4000, 's')}${triple(3, 0o2000, 's')}${triple(0, 0o1000, 't')}`;
}

function printable(name: string | undefined): string | undefined {
  return name === undefined ? undefined : displayName(byteStringFromText(name));
}
