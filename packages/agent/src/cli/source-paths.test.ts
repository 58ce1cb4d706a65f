import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { byteStringFromText, type ByteString } from '@cofre/shared/bytes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectPaths, resolvePath } from './source-paths.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-paths-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['/etc', '/etc'],
  ['docs/', '/base/docs'],
  ['../other//x/.', '/other/x'],
  ['.', '/base'],
  ['/', '/'],
])('%s counts from the working folder', (path, absolute) => {
  expect(`/${resolvePath('/base' as ByteString, path as ByteString)}`).toBe(absolute);
});

test('an empty path, one with NUL and none at all are usage errors', async () => {
  expect(() => resolvePath('/' as ByteString, '' as ByteString)).toThrow(/empty/);
  expect(() => resolvePath('/' as ByteString, 'a\0b' as ByteString)).toThrow(/NUL/);
  const nothing = collectPaths({ arguments: [], listFiles: [], rawListFiles: [] });
  await expect(nothing).rejects.toMatchObject({ code: 'usage' });
});

test('lists name paths by lines, or with NUL behind each so that any bytes can be named', async () => {
  const lines = join(folder, 'lines');
  writeFileSync(lines, '/a b\n\n/ñ\n');
  const raw = join(folder, 'raw');
  writeFileSync(raw, Buffer.from('/new\nline\0/\xff\0', 'latin1'));
  const paths = await collectPaths({ arguments: ['/x'], listFiles: [lines], rawListFiles: [raw] });
  expect(paths).toEqual(['x', 'a b', byteStringFromText('ñ'), 'new\nline', '\xff']);
  const missing = collectPaths({ arguments: [], listFiles: [join(folder, 'missing')], rawListFiles: [] });
  await expect(missing).rejects.toMatchObject({ code: 'path_not_found' });
});

test('arguments that are no valid UTF-8 keep their bytes', () => {
  const module = new URL('source-paths.ts', import.meta.url).href;
  const code = `
    import { collectPaths } from ${JSON.stringify(module)};
    const paths = await collectPaths({ arguments: process.argv.slice(2), listFiles: [], rawListFiles: [] });
    process.stdout.write(JSON.stringify(paths));`;
  const script = join(folder, 'script.mjs');
  writeFileSync(script, code);
  // A shell makes the bytes: Node itself cannot pass them on.
  const shell = `"$1" "$2" /a "$(printf '/b\\377')" "$(printf '/b\\376')" /c`;
  const { stdout } = spawnSync('sh', ['-c', shell, 'sh', process.execPath, script], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual(['a', 'b\xff', 'b\xfe', 'c']);
});
