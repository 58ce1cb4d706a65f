import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Plugin } from 'esbuild';

/** `new URL('./seal.worker.ts', import.meta.url)`: how our code names a worker or a file that it reads at run time. */
const SIDE_URL = /new URL\(\s*'(\.[^']+)'\s*,\s*import\.meta\.url\s*\)/g;

/** `join(import.meta.dirname, 'migrations')`: the same for a folder. */
const SIDE_PATH = /\bjoin\(\s*import\.meta\.dirname\s*,\s*'([^']+)'\s*\)/g;

/**
 * What bundled code names at run time, as path → name in the output folder: workers become bundles of their own
 * (their names here have no ending yet), anything else is copied.
 */
export type SideFiles = { workers: Map<string, string>; copies: Map<string, string> };

/**
 * Finds what the bundled code names beside itself and rewrites each name to the file's place in the flat output
 * folder. What it found stands in `found` when the build is done.
 */
export function sideFilePlugin(root: string, found: SideFiles): Plugin {
  return {
    name: 'side-files',
    setup(build) {
      build.onLoad({ filter: /packages\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => {
        const code = await readFile(path, 'utf8');
        const contents = code
          .replace(SIDE_URL, (_, name: string) => `new URL('./${place(path, name)}', import.meta.url)`)
          .replace(SIDE_PATH, (_, name: string) => `join(import.meta.dirname, '${place(path, name)}')`);
        return { contents, loader: 'ts' };
      });
    },
  };

  function place(importer: string, name: string): string {
    const target = join(dirname(importer), name);
    const output = flatName(root, target);
    if (!target.endsWith('.ts')) {
      found.copies.set(target, output);
      return output;
    }
    const worker = output.replace(/\.ts$/, '');
    found.workers.set(target, worker);
    return `${worker}.mjs`;
  }
}

/** `packages/agent/src/backup/seal.worker.ts` → `agent-backup-seal.worker.ts`: flat, and unique by its path. */
function flatName(root: string, path: string): string {
  return relative(join(root, 'packages'), path)
    .split(sep)
    .filter((part) => part !== 'src')
    .join('-');
}
