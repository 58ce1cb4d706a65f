import { readFile } from 'node:fs/promises';
import { CofreError } from '@cofre/shared/errors';

/** Reads the fields of a JSON file of ours, each checked; anything wrong is `state_damaged`. */
export class StoredRecord {
  readonly #file: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  private constructor(file: string, fields: Readonly<Record<string, unknown>>) {
    this.#file = file;
    this.#fields = fields;
  }

  /**
   * Null when there is no such file.
   * @throws CofreError `state_damaged`; `unknown_format` for a version other than `version`
   */
  static async read(file: string, version: number): Promise<StoredRecord | null> {
    const text = await readOrNull(file);
    if (text === null) return null;
    let fields: unknown;
    try {
      fields = JSON.parse(text);
    } catch {
      throw damaged(file, 'it is not JSON');
    }
    if (typeof fields !== 'object' || fields === null) throw damaged(file, 'it is no record');
    const record = new StoredRecord(file, fields as Record<string, unknown>);
    const found = record.#fields['version'];
    if (typeof found === 'number' && found > version) {
      throw new CofreError('unknown_format', { what: file, problem: `version ${found}` });
    }
    if (found !== version) throw damaged(file, 'its version is missing');
    return record;
  }

  text(name: string, pattern = /^/): string {
    const value = this.#fields[name];
    if (typeof value !== 'string' || !pattern.test(value))
      throw damaged(this.#file, `"${name}" is missing or wrong`);
    return value;
  }

  textOrNull(name: string, pattern = /^/): string | null {
    return this.#fields[name] === null ? null : this.text(name, pattern);
  }

  id<Id extends string>(name: string): Id {
    return this.text(name, /^[0-9a-f]{32}$/) as Id;
  }

  /** 32 bytes in hexadecimal. */
  key(name: string): Buffer {
    return Buffer.from(this.text(name, /^[0-9a-f]{64}$/), 'hex');
  }

  /** Bytes in hexadecimal, taken apart by `decode`. */
  decoded<Value>(name: string, decode: (bytes: Buffer) => Value): Value {
    const bytes = Buffer.from(this.text(name, /^([0-9a-f]{2})+$/), 'hex');
    try {
      return decode(bytes);
    } catch (error) {
      throw damaged(this.#file, `"${name}": ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw damaged(file, code ?? String(error));
  }
}

function damaged(file: string, problem: string): CofreError {
  return new CofreError('state_damaged', { file, problem });
}
