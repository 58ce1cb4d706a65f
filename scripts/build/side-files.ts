import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Plugin } from 'esbuild';

/** `new URL('./seal.worker.ts', import.meta.url)`: how our code names a file that it starts or reads at run time. */
const SIDE_FILE = /new URL\(\s*'(\.[^']+)'\s*,\s*import\.meta\.url\s*\)/g;

/** Files that bundles name at run time: workers become bundles of their own, anything else is copied. */
export type SideFiles = { workers: Map<string, string>; copies: Map<string, string> };

/**
 * Finds what the bundled code names by `new URL(…, import.meta.url)` and rewrites each name to the file's place in the
 * flat output folder. What it found stands in `found` when the build is done, as path to output name without ending.
 */
export function sideFilePlugin(root: string, found: SideFiles): Plugin {
  return {
    name: 'side-files',
    setup(build) {
      build.onLoad({ filter: /packages\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => {
        const code = await readFile(path, 'utf8');
        return { contents: code.replace(SIDE_FILE, (_, name: string) => rewrite(path, name)), loader: 'ts' };
      });
    },
  };

  function rewrite(importer: string, name: string): string {
    const target = join(dirname(importer), name);
    const isWorker = target.endsWith('.ts');
    const output = isWorker ? workerName(root, target) : basename(target);
    (isWorker ? found.workers : found.copies).set(target, output);
    return `new URL('./${isWorker ? `${output}.mjs` : output}', import.meta.url)`;
  }
}

/** `packages/agent/src/backup/seal.worker.ts` → `agent-backup-seal.worker`: flat, and unique by its path. */
function workerName(root: string, path: string): string {
  return relative(join(root, 'packages'), path)
    .replace(/\.ts$/, '')
    .split(sep)
    .filter((part) => part !== 'src')
    .join('-');
}
