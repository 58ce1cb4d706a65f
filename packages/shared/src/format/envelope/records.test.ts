import { describe, expect, it } from 'vitest';
import {
  SAMPLE_DOMAIN_OBJECT,
  SAMPLE_INFO,
  SAMPLE_KEYRING,
  SAMPLE_MANIFEST,
  SAMPLE_READ_GRANT,
  SAMPLE_RECEIPT,
  SAMPLE_ROSTER,
} from '../../../../../test/builders/format-samples.ts';
import { refusalOf } from '../../../../../test/builders/hostile-bytes.ts';
import { ByteReader } from '../../encoding/byte-reader.ts';
import { RecordWriter } from '../../encoding/record.ts';
import { decodeSnapshotInfo, encodeSnapshotInfo } from '../snapshot-info.ts';
import { decodeManifest, encodeManifest, snapshotIdOf, type Manifest } from './manifest.ts';
import { decodeReadGrant, encodeReadGrant } from './read-grant.ts';
import { decodeReceipt, encodeReceipt } from './receipt.ts';
import { decodeRoster, encodeRoster, type Roster } from './roster.ts';
import {
  decodeDomainObject,
  decodeKeyringObject,
  encodeDomainObject,
  encodeKeyringObject,
} from './sealed-keys.ts';
import { sha256 } from '../../hash.ts';
import { LIMITS } from '../../limits.ts';

interface Codec {
  readonly name: string;
  readonly bytes: Buffer;
  readonly value: unknown;
  readonly decode: (bytes: Buffer) => unknown;
  readonly encodeAgain: (bytes: Buffer) => Buffer;
}

function codec<Value>(
  name: string,
  value: Value,
  encode: (value: Value) => Buffer,
  decode: (bytes: Uint8Array) => Value,
): Codec {
  return { name, value, bytes: encode(value), decode, encodeAgain: (bytes) => encode(decode(bytes)) };
}

/** What is signed or sealed as a record; entries of catalogs have tests of their own. */
const CODECS: readonly Codec[] = [
  codec('a manifest', SAMPLE_MANIFEST, encodeManifest, decodeManifest),
  codec('a roster', SAMPLE_ROSTER, encodeRoster, decodeRoster),
  codec('a keyring object', SAMPLE_KEYRING, encodeKeyringObject, decodeKeyringObject),
  codec('a domain record', SAMPLE_DOMAIN_OBJECT, encodeDomainObject, decodeDomainObject),
  codec('a read grant', SAMPLE_READ_GRANT, encodeReadGrant, decodeReadGrant),
  codec('a receipt', SAMPLE_RECEIPT, encodeReceipt, decodeReceipt),
  codec('a snapshot info', SAMPLE_INFO, encodeSnapshotInfo, decodeSnapshotInfo),
];

interface Field {
  readonly number: number;
  readonly critical: boolean;
  readonly value: Buffer;
}

function fieldsOf(bytes: Buffer): Field[] {
  const reader = new ByteReader(bytes, 'A test');
  const fields: Field[] = [];
  while (reader.remaining > 0) {
    const key = reader.varint();
    fields.push({ number: key >> 1, critical: (key & 1) === 1, value: reader.sized(bytes.length) });
  }
  return fields;
}

function recordOf(fields: readonly Field[]): Buffer {
  const writer = new RecordWriter();
  for (const { number, critical, value } of fields) writer.field(number, critical, value);
  return writer.take();
}

/** The fields with one of them changed. */
function withValue(bytes: Buffer, number: number, change: (value: Buffer) => Buffer): Buffer {
  return recordOf(
    fieldsOf(bytes).map((field) =>
      field.number === number ? { ...field, value: change(field.value) } : field,
    ),
  );
}

describe.each(CODECS)('$name', ({ bytes, value, decode, encodeAgain }) => {
  it('gives back what was written, and is written in one way', () => {
    expect(decode(bytes)).toEqual(value);
    expect(encodeAgain(bytes)).toEqual(bytes);
  });

  it('is refused when it is cut anywhere', () => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      const code = refusalOf(() => expect(decode(encodeAgain(cut))).toEqual(decode(cut)));
      // Between two fields it may be a whole record that lacks optional ones.
      expect([null, 'damaged']).toContain(code);
    }
    expect(refusalOf(() => decode(bytes.subarray(0, -1)))).toBe('damaged');
  });

  it('is refused with any byte added to any field, unless it is a field of any length', () => {
    const longer = fieldsOf(bytes).map(({ number }) => {
      const changed = withValue(bytes, number, (field) => Buffer.concat([field, Buffer.from([0x00])]));
      return refusalOf(() => expect(encodeAgain(changed)).toEqual(changed));
    });
    const allowed = [null, 'damaged', 'unknown_format'];
    expect(longer.filter((code) => !allowed.includes(code))).toEqual([]);
    expect(longer).toContain('damaged');
  });

  it('is of a later version with a critical field that is not known, and else skips it', () => {
    const field = { number: 200, value: Buffer.from('new') };
    const fields = fieldsOf(bytes);
    expect(refusalOf(() => decode(recordOf([...fields, { ...field, critical: true }])))).toBe(
      'unknown_format',
    );
    expect(decode(recordOf([...fields, { ...field, critical: false }]))).toEqual(value);
  });

  it('is refused when two fields have changed places', () => {
    const [first, second] = fieldsOf(bytes) as [Field, Field];
    const swapped = Buffer.concat([recordOf([second]), recordOf([first])]);
    expect(refusalOf(() => decode(swapped))).toBe('damaged');
  });
});

describe('a manifest', () => {
  const bytes = encodeManifest(SAMPLE_MANIFEST);

  it('can do without what the first run of a set has not', () => {
    const first: Manifest = { ...SAMPLE_MANIFEST, previous: null, base: null, requires: [], kind: 'full' };
    expect(decodeManifest(encodeManifest(first))).toEqual(first);
  });

  it('is refused when it needs a feature that is not known, whatever else it says', () => {
    const needy = encodeManifest({ ...SAMPLE_MANIFEST, featuresRequired: ['x'.repeat(100)] });
    expect(refusalOf(() => decodeManifest(needy))).toBe('unknown_format');
    const other = withValue(needy, 12, () => Buffer.from('not an id'));
    expect(refusalOf(() => decodeManifest(other))).toBe('unknown_format');
  });

  it('is of a later version when it is of another kind', () => {
    expect(refusalOf(() => decodeManifest(withValue(bytes, 9, () => Buffer.from([4]))))).toBe(
      'unknown_format',
    );
  });

  it('is complete or not, and nothing else', () => {
    expect(decodeManifest(withValue(bytes, 11, () => Buffer.from([1]))).isComplete).toBe(true);
    expect(refusalOf(() => decodeManifest(withValue(bytes, 11, () => Buffer.from([2]))))).toBe('damaged');
  });

  it('has the hash of its whole object as its id', () => {
    expect(snapshotIdOf(bytes)).toBe(sha256(bytes).toString('hex'));
  });
});

describe('a roster', () => {
  it('can do without what the first one has not', () => {
    const first: Roster = { ...SAMPLE_ROSTER, version: 1, previous: null, successor: null, devices: [] };
    expect(decodeRoster(encodeRoster(first))).toEqual(first);
  });

  it('takes as many computers as its object has room for, and says so when there are more', () => {
    const [device] = SAMPLE_ROSTER.devices as [Roster['devices'][number]];
    const devices = Array.from({ length: LIMITS.rosterDevicesMax }, () => device);
    expect(decodeRoster(encodeRoster({ ...SAMPLE_ROSTER, devices })).devices).toHaveLength(devices.length);
    expect(refusalOf(() => encodeRoster({ ...SAMPLE_ROSTER, devices: [...devices, device] }))).toBe(
      'too_large',
    );
  });

  it('is refused with more recipients than anybody has', () => {
    const recipients = Array.from({ length: LIMITS.recipientsMax + 1 }, () => 'age1pq1x');
    expect(refusalOf(() => decodeRoster(encodeRoster({ ...SAMPLE_ROSTER, recipients })))).toBe('damaged');
  });

  it('says of a device that it is revoked, or that it is not: there is no third thing', () => {
    const bytes = encodeRoster(SAMPLE_ROSTER);
    const changed = withValue(bytes, 6, (devices) => {
      const copy = Buffer.from(devices);
      copy[copy.length - 1] = 2;
      return copy;
    });
    expect(refusalOf(() => decodeRoster(changed))).toBe('damaged');
  });
});
