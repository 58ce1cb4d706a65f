import type { ByteReader } from '../../encoding/byte-reader.ts';
import { RecordReader, RecordWriter } from '../../encoding/record.ts';
import { writeTime } from '../../encoding/time.ts';
import { CofreError } from '../../errors.ts';
import { RANDOM_ID_BYTES, type DeviceId, type DomainId, type TenantId } from '../../ids.ts';
import { LIMITS } from '../../limits.ts';
import { PUBLIC_KEY_BYTES } from '../../signature.ts';

/**
 * Who belongs to a tenant, signed by the authority key that comes from the recovery key. age says nothing
 * about who sealed a thing; without this the server could slip in a device or a recipient of its own.
 */
export interface Roster {
  readonly tenantId: TenantId;
  /** Counts from 1; a lower one than was seen before is a rollback. */
  readonly version: number;
  /** SHA-256 (hexadecimal) of the roster object before this one. */
  readonly previous: string | null;
  readonly createdNs: bigint;
  /** age recipients to whom every key is sealed. */
  readonly recipients: readonly string[];
  readonly devices: readonly RosterDevice[];
  /** A later authority key (32 bytes, hexadecimal) that this one hands over to. */
  readonly successor: string | null;
}

export interface RosterDevice {
  readonly deviceId: DeviceId;
  /** Ed25519 public key, 32 bytes, hexadecimal. */
  readonly signingKey: string;
  /** age recipient of the device's inbox. */
  readonly inbox: string;
  /** What the device's chunks are deduplicated within; its members are the devices that name it. */
  readonly domainId: DomainId;
  readonly isRevoked: boolean;
}

const WHAT = 'A roster';

/** @throws CofreError `too_large` for more devices than readers take */
export function encodeRoster(roster: Roster): Buffer {
  if (roster.devices.length > LIMITS.rosterDevicesMax) {
    throw new CofreError('too_large', {
      what: 'The list of computers',
      limit: `${LIMITS.rosterDevicesMax} computers`,
    });
  }
  const record = new RecordWriter();
  record.hex(1, true, roster.tenantId);
  record.number(2, true, roster.version);
  if (roster.previous !== null) record.hex(3, true, roster.previous);
  record.build(4, false, (target) => writeTime(target, roster.createdNs));
  record.build(5, true, (target) => {
    for (const recipient of roster.recipients) target.sizedLatin1(recipient);
  });
  record.build(6, true, (target) => {
    for (const device of roster.devices) target.sized(encodeDevice(device));
  });
  if (roster.successor !== null) record.hex(7, true, roster.successor);
  return record.take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeRoster(payload: Uint8Array): Roster {
  const record = new RecordReader(payload, WHAT);
  const roster: Roster = {
    tenantId: record.hex(1, RANDOM_ID_BYTES),
    version: record.number(2),
    previous: record.optionalHex(3, 32),
    createdNs: record.time(4),
    recipients: readMany(record.reader(5), LIMITS.recipientsMax, (reader) => reader.sizedLatin1(4096)),
    devices: readMany(record.reader(6), LIMITS.rosterDevicesMax, (reader) =>
      decodeDevice(reader.sized(8192)),
    ),
    successor: record.optionalHex(7, PUBLIC_KEY_BYTES),
  };
  record.close();
  return roster;
}

function encodeDevice(device: RosterDevice): Buffer {
  const record = new RecordWriter();
  record.hex(1, true, device.deviceId);
  record.hex(2, true, device.signingKey);
  record.text(3, true, device.inbox);
  record.hex(4, true, device.domainId);
  record.number(5, true, device.isRevoked ? 1 : 0);
  return record.take();
}

function decodeDevice(payload: Uint8Array): RosterDevice {
  const record = new RecordReader(payload, WHAT);
  const device: RosterDevice = {
    deviceId: record.hex(1, RANDOM_ID_BYTES),
    signingKey: record.hex(2, PUBLIC_KEY_BYTES),
    inbox: record.text(3),
    domainId: record.hex(4, RANDOM_ID_BYTES),
    isRevoked: record.flag(5),
  };
  record.close();
  return device;
}

function readMany<Item>(reader: ByteReader, countMax: number, read: (reader: ByteReader) => Item): Item[] {
  const items: Item[] = [];
  while (reader.remaining > 0) {
    if (items.length === countMax) reader.refuse(`more than ${countMax} items`);
    items.push(read(reader));
  }
  return items;
}
