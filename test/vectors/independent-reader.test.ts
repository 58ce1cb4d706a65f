import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { INDEPENDENT_READER, readIndependently, type ReadLine } from '../builders/read-independently.ts';
import { readJsonVector, VECTOR_FOLDER } from './format-generator/vector-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'cofre-reader-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(vault: string, kit = join(VECTOR_FOLDER, 'kit-en.txt')): Promise<ReadLine[]> {
  return await readIndependently(folder, kit, vault);
}

/** A copy of the vault with one bit of a file changed. */
function copyWithChange(file: string, offset: number): string {
  const copy = mkdtempSync(join(folder, 'vault-'));
  cpSync(join(VECTOR_FOLDER, 'vault'), copy, { recursive: true });
  const bytes = readFileSync(join(copy, file));
  bytes[offset] = (bytes[offset] as number) ^ 1;
  writeFileSync(join(copy, file), bytes);
  return copy;
}

describe('a reader that was written from the description alone', () => {
  test('imports nothing but what Node brings', () => {
    const imports = [...readFileSync(INDEPENDENT_READER, 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, name]) => name,
    );
    expect(imports.length).toBeGreaterThan(3);
    expect(imports.filter((name) => name?.startsWith('node:') !== true)).toEqual([]);
  });

  test('gets the files of the vault back with the words of the kit', async () => {
    const expected = readJsonVector<{ snapshotId: string; files: { path: string; content: string }[] }>(
      'vault/expected.json',
    );
    const [info, ...entries] = await read(join(VECTOR_FOLDER, 'vault'));
    expect(info).toEqual({ snapshot: expected.snapshotId, set: 'documents', computer: 'casa' });
    const contents = new Map(entries.map(({ path, content }) => [path, content]));
    const files = entries
      .filter(({ type }) => type === 'file')
      .map(({ path, content, hardLinkTo }) => ({ path, content: content ?? contents.get(hardLinkTo) }));
    expect(files.toSorted(byPath)).toEqual(expected.files.toSorted(byPath));
  });

  test('gets what else an entry has', async () => {
    const entries = await read(join(VECTOR_FOLDER, 'vault'));
    const entry = (path: string) =>
      entries.find((line) => line.path === Buffer.from(path, 'latin1').toString('hex'));
    expect(entry('casa/ana')).toMatchObject({ type: 'folder', mode: 0o700, uid: 1000, owner: 'ana' });
    expect(entry('casa/ana/link')).toMatchObject({
      type: 'link',
      target: Buffer.from('../\xff', 'latin1').toString('hex'),
    });
    expect(entry('casa/ana/\xff\n')).toMatchObject({ modifiedNs: '1772366400000000001' });
    expect(entries).toHaveLength(12);
  });

  test.each(
    readdirSync(join(VECTOR_FOLDER, 'vault')).filter((name) =>
      /^(pack|roster|manifest|domain\.bin|keyring)/.test(name),
    ),
  )('refuses a vault in which %s was changed', async (file) => {
    const { length } = readFileSync(join(VECTOR_FOLDER, 'vault', file));
    await expect(read(copyWithChange(file, Math.floor(length / 2)))).rejects.toThrow(/Error: /);
  });

  test('refuses another key', async () => {
    const kit = join(folder, 'other.txt');
    writeFileSync(kit, `${'abandon '.repeat(23)}art\n`);
    await expect(read(join(VECTOR_FOLDER, 'vault'), kit)).rejects.toThrow(/signed by who should/);
  });
});

function byPath(a: { path?: string | undefined }, b: { path?: string | undefined }): number {
  return (a.path ?? '') < (b.path ?? '') ? -1 : 1;
}
