import { CofreError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readTime } from './time.ts';

/** Many more fields than any record has: bounds what a record of a million empty ones costs. */
const FIELDS_MAX = 256;

/**
 * Canonical records: fields in ascending order of their number, each at most once.
 *
 *     field = varint(number × 2 + critical) ‖ varint(length) ‖ bytes
 *
 * A reader that does not know a field skips it when `critical` is 0 and refuses the record when it is 1,
 * so that a format can grow without old readers misunderstanding it.
 */
export class RecordWriter {
  private readonly target: ByteWriter;
  private readonly scratch = new ByteWriter(64);
  private lastNumber = 0;

  constructor(target: ByteWriter = new ByteWriter()) {
    this.target = target;
  }

  field(number: number, critical: boolean, value: Uint8Array): this {
    if (number <= this.lastNumber) throw new RangeError(`field ${number} after ${this.lastNumber}`);
    this.lastNumber = number;
    this.target.varint(number * 2 + (critical ? 1 : 0)).sized(value);
    return this;
  }

  /** A field whose bytes `write` puts together. */
  build(number: number, critical: boolean, write: (value: ByteWriter) => void): this {
    this.scratch.clear();
    write(this.scratch);
    return this.field(number, critical, this.scratch.view());
  }

  text(number: number, critical: boolean, value: string): this {
    return this.field(number, critical, Buffer.from(value, 'utf8'));
  }

  number(number: number, critical: boolean, value: number): this {
    return this.build(number, critical, (target) => target.varint(value));
  }

  hex(number: number, critical: boolean, value: string): this {
    return this.field(number, critical, Buffer.from(value, 'hex'));
  }

  take(): Buffer {
    return this.target.take();
  }
}

/** The fields of a record, with views into its bytes. Unknown critical fields are refused by {@link close}. */
export class RecordReader {
  private readonly fields = new Map<number, { readonly critical: boolean; readonly value: Buffer }>();
  private readonly what: string;

  constructor(data: Uint8Array, what: string) {
    this.what = what;
    const reader = new ByteReader(data, what);
    let lastNumber = 0;
    while (reader.remaining > 0) {
      const key = reader.varint();
      const number = Math.floor(key / 2);
      if (number <= lastNumber) reader.refuse('its fields are not in order');
      if (this.fields.size === FIELDS_MAX) reader.refuse(`more than ${FIELDS_MAX} fields`);
      lastNumber = number;
      this.fields.set(number, { critical: key % 2 === 1, value: reader.sized(reader.remaining) });
    }
  }

  /** The bytes of an optional field, or null; marks it as known. */
  optional(number: number): Buffer | null {
    const field = this.fields.get(number);
    this.fields.delete(number);
    return field?.value ?? null;
  }

  required(number: number): Buffer {
    return this.optional(number) ?? this.refuse(`field ${number} is missing`);
  }

  reader(number: number): ByteReader {
    return new ByteReader(this.required(number), this.what);
  }

  optionalReader(number: number): ByteReader | null {
    return this.fields.has(number) ? this.reader(number) : null;
  }

  text(number: number): string {
    return this.reader(number).restAsText();
  }

  optionalText(number: number): string | null {
    return this.fields.has(number) ? this.text(number) : null;
  }

  number(number: number): number {
    const reader = this.reader(number);
    const value = reader.varint();
    reader.expectEnd();
    return value;
  }

  /** A number that can only be 0 or 1. */
  flag(number: number): boolean {
    const value = this.number(number);
    if (value > 1) this.refuse(`field ${number} is ${value}`);
    return value === 1;
  }

  time(number: number): bigint {
    const reader = this.reader(number);
    const value = readTime(reader);
    reader.expectEnd();
    return value;
  }

  optionalTime(number: number): bigint | null {
    return this.fields.has(number) ? this.time(number) : null;
  }

  optionalNumber(number: number): number | null {
    return this.fields.has(number) ? this.number(number) : null;
  }

  /** A field of exactly `lengthBytes`, as lower-case hexadecimal. */
  hex<Id extends string>(number: number, lengthBytes: number): Id {
    return this.bytes(number, lengthBytes).toString('hex') as Id;
  }

  optionalHex<Id extends string>(number: number, lengthBytes: number): Id | null {
    return this.fields.has(number) ? this.hex<Id>(number, lengthBytes) : null;
  }

  /** A field of exactly `lengthBytes`, copied. */
  bytes(number: number, lengthBytes: number): Buffer {
    const value = this.required(number);
    if (value.length !== lengthBytes) this.refuse(`field ${number} is ${value.length} bytes long`);
    return Buffer.from(value);
  }

  /** Call when every known field was asked for. */
  close(): void {
    for (const [number, field] of this.fields) {
      if (field.critical) {
        throw new CofreError('unknown_format', { what: this.what, problem: `field ${number}` });
      }
    }
  }

  private refuse(problem: string): never {
    throw new CofreError('damaged', { what: this.what, problem });
  }
}
