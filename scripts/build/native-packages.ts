import { cpSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Libraries with native code: they cannot be bundled, and lie beside the bundle as packages. */
export const NATIVE_PACKAGES: readonly { name: string; usedBy: string }[] = [
  { name: 'better-sqlite3', usedBy: 'server' },
  { name: 'koffi', usedBy: 'agent' },
];

/** What only a compiler needs: the binaries come with the packages. */
const SOURCES_ONLY = /(\.(c|cc|cpp|h|hh|hpp|inc|gyp|md|d\.ts)|\/(deps|vendor|doc))$/;

/** Copies the native packages, without their sources and without other platforms' binaries, into `folder`. */
export function copyNativePackages(root: string, folder: string): void {
  for (const { name, usedBy } of NATIVE_PACKAGES) {
    const source = realpathSync(join(root, 'packages', usedBy, 'node_modules', name));
    copyPackage(source, join(folder, name));
    copyPlatformPackages(dirname(source), name, folder);
  }
}

/** Some packages keep each platform's binary in a package of its own, in a scope; pnpm lays it beside them. */
function copyPlatformPackages(neighbours: string, name: string, folder: string): void {
  for (const scope of readdirSync(neighbours).filter((entry) => entry.startsWith('@'))) {
    for (const entry of readdirSync(join(neighbours, scope)).filter((found) => found.startsWith(name))) {
      copyPackage(realpathSync(join(neighbours, scope, entry)), join(folder, scope, entry));
    }
  }
}

function copyPackage(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  cpSync(source, target, {
    recursive: true,
    dereference: true,
    filter: (path) => !SOURCES_ONLY.test(path.slice(source.length)) && !isForeignBinary(path),
  });
}

function isForeignBinary(path: string): boolean {
  if (!path.endsWith('.node') || basename(dirname(path)) !== 'prebuilds') return false;
  return !basename(path).includes(`-${process.arch}.`) || !basename(path).startsWith(process.platform);
}
