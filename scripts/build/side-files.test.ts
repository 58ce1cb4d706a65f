import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { sideFilePlugin, type SideFiles } from './side-files.ts';

const root = mkdtempSync(join(tmpdir(), 'cofre-side-files-'));
const source = join(root, 'packages', 'agent', 'src', 'backup');
afterAll(() => rmSync(root, { recursive: true }));

async function bundleMain(code: string): Promise<{ text: string; found: SideFiles }> {
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, 'main.ts'), code);
  const found: SideFiles = { workers: new Map(), copies: new Map() };
  const result = await build({
    absWorkingDir: root,
    entryPoints: [join(source, 'main.ts')],
    write: false,
    format: 'esm',
    plugins: [sideFilePlugin(root, found)],
  });
  return { text: result.outputFiles[0]?.text ?? '', found };
}

test('a worker becomes a bundle of its own, named after its path', async () => {
  const { text, found } = await bundleMain(
    "export const url = new URL('./seal.worker.ts', import.meta.url);",
  );
  expect([...found.workers]).toEqual([[join(source, 'seal.worker.ts'), 'agent-backup-seal.worker']]);
  expect(text).toContain('new URL("./agent-backup-seal.worker.mjs", import.meta.url)');
});

test('any other file is copied beside the bundle, under a name that no other has', async () => {
  const { text, found } = await bundleMain("export const url = new URL('../gear.wasm', import.meta.url);");
  expect([...found.copies]).toEqual([[join(source, '..', 'gear.wasm'), 'agent-gear.wasm']]);
  expect(text).toContain('new URL("./agent-gear.wasm", import.meta.url)');
});

test('a folder beside the code is copied too', async () => {
  const code =
    "import { join } from 'node:path'; export const folder = join(import.meta.dirname, 'migrations');";
  const { text, found } = await bundleMain(code);
  expect([...found.copies]).toEqual([[join(source, 'migrations'), 'agent-backup-migrations']]);
  expect(text).toContain('join(import.meta.dirname, "agent-backup-migrations")');
});

test('addresses that are no files are left alone', async () => {
  const { found } = await bundleMain("export const url = (base: string) => new URL('/v1/have', base);");
  expect(found.workers.size + found.copies.size).toBe(0);
});
