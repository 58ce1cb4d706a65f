// `pnpm build`: bundles the agent and the server into dist/, each with its workers as separate files. What has native
// code lies beside them in dist/node_modules, for the platform that built it. dist/ needs Node 24 and nothing else.

import { chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { NATIVE_PACKAGES, copyNativePackages } from './build/native-packages.ts';
import { sideFilePlugin, type SideFiles } from './build/side-files.ts';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

const PROGRAMS = {
  cofre: 'packages/agent/src/main.ts',
  'cofre-server': 'packages/server/src/main.ts',
};

/** Bundled CommonJS libraries call `require` for Node's own modules, which an ES module does not have. */
const REQUIRE = [
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  'const require = createRequireOfBundle(import.meta.url);',
].join('\n');

async function bundle(entryPoints: Record<string, string>, found: SideFiles): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: NATIVE_PACKAGES.map(({ name }) => name),
    banner: { js: REQUIRE },
    plugins: [sideFilePlugin(root, found)],
    sourcemap: 'linked',
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

/** Bundles the programs, then the workers that they name, then the workers that those name. */
async function bundleAll(): Promise<SideFiles> {
  const found: SideFiles = { workers: new Map(), copies: new Map() };
  let entryPoints: Record<string, string> = PROGRAMS;
  const built = new Set<string>();
  while (Object.keys(entryPoints).length > 0) {
    await bundle(entryPoints, found);
    Object.keys(entryPoints).forEach((name) => built.add(name));
    const waiting = [...found.workers].filter(([, name]) => !built.has(name));
    entryPoints = Object.fromEntries(waiting.map(([path, name]) => [name, path]));
  }
  return found;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const found = await bundleAll();
for (const [path, name] of found.copies) cpSync(path, join(dist, name), { recursive: true });
copyNativePackages(root, join(dist, 'node_modules'));
for (const name of Object.keys(PROGRAMS)) chmodSync(join(dist, `${name}.mjs`), 0o755);
console.log(
  `built ${[...Object.keys(PROGRAMS), ...found.workers.values()].map((name) => `dist/${name}.mjs`).join(', ')}`,
);
