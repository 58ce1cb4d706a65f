import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '@cofre/shared/limits';
import { readVector, VECTOR_FOLDER } from './format-generator/vector-files.ts';

const document = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'format.md'), 'utf8');

/** The bytes of a block: the digits in front of the first two spaces, or of what is no digit, of each line. */
function bytesOf(block: string): string {
  return block
    .split('\n')
    .map((line) => (/^[0-9a-f]+( {1,2}[0-9a-f]+)*(?= {2,}|$)/.exec(line)?.[0] ?? '').replaceAll(' ', ''))
    .join('');
}

const blocks = [...document.matchAll(/```hex\n([\s\S]*?)```/g)].map(([, block]) => block as string);
/** All vectors, in hexadecimal. */
const vectors = readdirSync(VECTOR_FOLDER, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => readVector(`${entry.parentPath}/${entry.name}`.slice(VECTOR_FOLDER.length + 1)))
  .map((content) => `${content.toString('hex')} ${content.toString('utf8')}`)
  .join('\n');

describe('the description of the format', () => {
  test('has examples', () => {
    expect(blocks.length).toBeGreaterThan(15);
  });

  test.each(blocks.map((block) => [block.split('\n')[0] as string, bytesOf(block)]))(
    'shows bytes that are in the vectors: %s',
    (_, digits) => {
      expect(digits.length).toBeGreaterThanOrEqual(16);
      expect(vectors.includes(digits)).toBe(true);
    },
  );

  test('says the words, labels and bounds that the code has', () => {
    const MIB = 1024 * 1024;
    const thousands = (value: number): string => value.toLocaleString('en-US');
    for (const said of [
      `| content of a blob | ${LIMITS.blobPlaintextBytesMax / MIB} MiB |`,
      `| sealed length | ${LIMITS.blobSealedBytesMax / MIB} MiB |`,
      `| ids in a table | ${thousands(LIMITS.nodeTableIdsMax)} |`,
      `| pack | ${LIMITS.packBytesMax / MIB} MiB, ${thousands(LIMITS.packBlobsMax)} blobs |`,
      `| payload of a signed object | ${LIMITS.objectBytesMax / MIB} MiB; manifest ${LIMITS.manifestBytesMax / 1024} KiB`,
      `| entry (its record) | ${LIMITS.entryBytesMax / MIB} MiB |`,
      `| key of a path; one name | ${LIMITS.pathBytesMax / MIB} MiB; ${thousands(LIMITS.pathComponentBytesMax)} bytes |`,
      `| levels of a catalog; of lists | ${LIMITS.catalogDepthMax + 1}; ${LIMITS.listDepthMax} `,
      `| slices in an entry; in a list | ${LIMITS.inlineSlicesMax}; ${thousands(LIMITS.listNodeSlicesMax)} |`,
      `| named streams of an entry | ${thousands(LIMITS.namedStreamsMax)} |`,
      `sized records, ${LIMITS.rosterDevicesMax} at most`,
      `${LIMITS.recipientsMax} at most`,
    ]) {
      expect(document.replaceAll(/ +/g, ' ')).toContain(said);
    }
  });
});
