import type { ByteString } from '../bytes.ts';
import type { ByteReader } from '../encoding/byte-reader.ts';
import { ByteWriter } from '../encoding/byte-writer.ts';
import { RecordReader, RecordWriter } from '../encoding/record.ts';
import { readTime, writeTime } from '../encoding/time.ts';
import { CofreError } from '../errors.ts';
import type {
  Entry,
  EntryFlags,
  EntryType,
  ExtendedAttribute,
  Extent,
  NameEncoding,
} from '../format/entry.ts';
import { LIMITS } from '../limits.ts';

/**
 * The metadata of an entry as a canonical record; `docs/format.md` has the table. What refers to chunks
 * (content, named streams) is not in it: it has places in the node's table and is written by the node.
 */
export type EntryMetadata = Omit<Entry, 'content' | 'namedStreams'>;

const TYPE_CODES: Readonly<Record<EntryType, number>> = {
  file: 1,
  directory: 2,
  symlink: 3,
  fifo: 4,
  'character-device': 5,
  'block-device': 6,
  stream: 7,
};
const ENCODING_CODES: Readonly<Record<NameEncoding, number>> = { posix: 0, utf16le: 1, 'utf8-nfd': 2 };
const FLAG_CHANGED_WHILE_READ = 1;
const FLAG_PLACEHOLDER = 2;
const MODE_MAX = 0o7777;
const WHAT = 'An entry of a catalog';

/**
 * The bytes of an entry, always the same for the same entry. Extended attributes are written in the order given: sort them.
 * @throws RangeError for holes that are not ascending
 */
export function encodeEntryMetadata(entry: EntryMetadata): Buffer {
  const record = new RecordWriter(new ByteWriter(192));
  record.number(1, true, TYPE_CODES[entry.type]);
  record.number(2, true, entry.mode);
  record.number(3, true, entry.uid);
  record.number(4, true, entry.gid);
  if (entry.userName !== undefined) record.text(5, false, entry.userName);
  if (entry.groupName !== undefined) record.text(6, false, entry.groupName);
  record.build(7, true, (target) => writeTime(target, entry.mtimeNs));
  const { atimeNs, birthtimeNs } = entry;
  if (atimeNs !== undefined) record.build(8, false, (target) => writeTime(target, atimeNs));
  if (birthtimeNs !== undefined) record.build(9, false, (target) => writeTime(target, birthtimeNs));
  if (entry.size > 0) record.number(10, true, entry.size);
  encodeRare(record, entry);
  return record.take();
}

/** Fields that few entries have. */
function encodeRare(record: RecordWriter, entry: EntryMetadata): void {
  const { xattrs, linkTarget, hardLinkTo, device, holes, flags } = entry;
  if (xattrs !== undefined && xattrs.length > 0)
    record.build(11, true, (target) => writeXattrs(target, xattrs));
  if (linkTarget !== undefined) record.build(12, true, (target) => target.latin1(linkTarget));
  if (hardLinkTo !== undefined) record.build(13, true, (target) => target.latin1(hardLinkTo));
  if (device !== undefined)
    record.build(14, true, (target) => target.varint(device.major).varint(device.minor));
  if (holes !== undefined && holes.length > 0) record.build(15, true, (target) => writeHoles(target, holes));
  const bits = flagBits(flags);
  if (bits !== 0) record.number(16, false, bits);
  const stale = flags?.stale;
  if (stale !== undefined) {
    record.build(17, false, (target) => {
      writeTime(target, stale.sinceNs);
      target.bytes(Buffer.from(stale.reason, 'utf8'));
    });
  }
  if (entry.windowsAttributes !== undefined) record.number(18, false, entry.windowsAttributes);
  if (entry.securityDescriptor !== undefined) record.field(19, false, entry.securityDescriptor);
  if (entry.nameEncoding !== undefined) record.number(20, true, ENCODING_CODES[entry.nameEncoding]);
}

/** @throws CofreError `damaged`, or `unknown_format` for what a later version added and this one must know */
export function decodeEntryMetadata(encoded: Uint8Array): EntryMetadata {
  const record = new RecordReader(encoded, WHAT);
  const entry: Mutable<EntryMetadata> = {
    type: keyOf(TYPE_CODES, record.number(1)),
    mode: record.number(2),
    uid: record.number(3),
    gid: record.number(4),
    mtimeNs: record.time(7),
    size: numberOrZero(record, 10),
  };
  if (entry.mode > MODE_MAX) refuse(`a mode of ${entry.mode}`);
  const userName = record.optionalText(5);
  const groupName = record.optionalText(6);
  const atimeNs = record.optionalTime(8);
  const birthtimeNs = record.optionalTime(9);
  if (userName !== null) entry.userName = userName;
  if (groupName !== null) entry.groupName = groupName;
  if (atimeNs !== null) entry.atimeNs = atimeNs;
  if (birthtimeNs !== null) entry.birthtimeNs = birthtimeNs;
  decodeRare(record, entry);
  record.close();
  return entry;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function decodeRare(record: RecordReader, entry: Mutable<EntryMetadata>): void {
  readOptional(record, 11, (reader) => (entry.xattrs = readXattrs(reader)));
  readOptional(record, 12, (reader) => (entry.linkTarget = reader.latin1(reader.remaining)));
  readOptional(record, 13, (reader) => (entry.hardLinkTo = reader.latin1(reader.remaining)));
  readOptional(record, 14, (reader) => (entry.device = { major: reader.varint(), minor: reader.varint() }));
  readOptional(record, 15, (reader) => (entry.holes = readHoles(reader, entry.size)));
  const flags: Mutable<EntryFlags> = {};
  const bits = numberOrZero(record, 16);
  if (bits & FLAG_CHANGED_WHILE_READ) flags.changedWhileRead = true;
  if (bits & FLAG_PLACEHOLDER) flags.placeholder = true;
  readOptional(record, 17, (reader) => {
    flags.stale = { sinceNs: readTime(reader), reason: reader.restAsText() };
  });
  if (Object.keys(flags).length > 0) entry.flags = flags;
  const windowsAttributes = record.optionalNumber(18);
  if (windowsAttributes !== null) entry.windowsAttributes = windowsAttributes;
  const securityDescriptor = record.optional(19);
  if (securityDescriptor !== null) entry.securityDescriptor = Buffer.from(securityDescriptor);
  const encoding = record.optionalNumber(20);
  if (encoding !== null) entry.nameEncoding = keyOf(ENCODING_CODES, encoding);
}

/** A number that is left out when it is 0, so that there is one way to write an entry. */
function numberOrZero(record: RecordReader, number: number): number {
  const value = record.optionalNumber(number);
  if (value === 0) refuse(`field ${number} is there for nothing`);
  return value ?? 0;
}

function readOptional(record: RecordReader, number: number, read: (reader: ByteReader) => unknown): void {
  const reader = record.optionalReader(number);
  if (reader === null) return;
  read(reader);
  reader.expectEnd();
}

function flagBits(flags: EntryFlags | undefined): number {
  return (
    (flags?.changedWhileRead ? FLAG_CHANGED_WHILE_READ : 0) | (flags?.placeholder ? FLAG_PLACEHOLDER : 0)
  );
}

function keyOf<Key extends string>(codes: Readonly<Record<Key, number>>, code: number): Key {
  const key = (Object.keys(codes) as Key[]).find((name) => codes[name] === code);
  if (key === undefined) throw new CofreError('unknown_format', { what: WHAT, problem: `code ${code}` });
  return key;
}

function writeXattrs(target: ByteWriter, xattrs: readonly ExtendedAttribute[]): void {
  for (const { name, value } of xattrs) target.sizedLatin1(name).sized(value);
}

function readXattrs(reader: ByteReader): ExtendedAttribute[] {
  const xattrs: ExtendedAttribute[] = [];
  if (reader.remaining === 0) reader.refuse('field 11 is there for nothing');
  while (reader.remaining > 0) {
    const name: ByteString = reader.sizedLatin1(1024);
    xattrs.push({ name, value: Buffer.from(reader.sized(LIMITS.entryBytesMax)) });
  }
  return xattrs;
}

/** Each hole as its distance from the end of the one before, and its length. */
function writeHoles(target: ByteWriter, holes: readonly Extent[]): void {
  let position = 0;
  for (const { offset, length } of holes) {
    target.varint(offset - position).varint(length);
    position = offset + length;
  }
}

function readHoles(reader: ByteReader, sizeBytes: number): Extent[] {
  const holes: Extent[] = [];
  if (reader.remaining === 0) reader.refuse('field 15 is there for nothing');
  let position = 0;
  while (reader.remaining > 0) {
    const distance = reader.varint();
    const length = reader.varint();
    if (length === 0 || (distance === 0 && holes.length > 0)) reader.refuse('its holes are not apart');
    holes.push({ offset: position + distance, length });
    position += distance + length;
    if (position > sizeBytes) reader.refuse('a hole lies beyond its size');
  }
  return holes;
}

function refuse(problem: string): never {
  throw new CofreError('damaged', { what: WHAT, problem });
}
