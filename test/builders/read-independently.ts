import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { recoveryWords } from '@cofre/shared/crypto/kit';

/** The reader of the format that was written from its description alone. */
export const INDEPENDENT_READER = join(import.meta.dirname, '../vectors/independent-reader.mjs');

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

/** What it says of one path; the first line is of the snapshot instead. Paths and content are hexadecimal. */
export interface ReadLine {
  readonly snapshot?: string;
  readonly path?: string;
  readonly type?: string;
  readonly content?: string;
  readonly hardLinkTo?: string;
  readonly [field: string]: unknown;
}

/**
 * Reads the newest snapshot of a vault with the words of an English kit.
 * @param folder for the list of words that the reader takes
 * @throws Error with what the reader printed, when it refuses
 */
export async function readIndependently(folder: string, kit: string, vault: string): Promise<ReadLine[]> {
  const wordListFile = join(folder, 'words.txt');
  writeFileSync(wordListFile, `${wordList().join('\n')}\n`);
  const command = [INDEPENDENT_READER, wordListFile, kit, vault];
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: OUTPUT_BYTES_MAX });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReadLine);
}

/** The words of BIP 39: each is the first one of a key that begins with its number. */
function wordList(): string[] {
  return Array.from({ length: 2048 }, (_, number) => {
    const secret = Buffer.alloc(32);
    secret.writeUInt16BE(number << 5);
    return recoveryWords(secret, 'en')[0] as string;
  });
}
