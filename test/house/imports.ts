import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT, readProjectFile } from './source-tree.ts';

/** `import`, `export … from`, `import()` and `new URL('…', import.meta.url)` (a worker's entry); never types alone. */
const SPECIFIERS = [
  /^\s*(?:import|export)\s+(?!type\b)(?:[^'";]*?\bfrom\s*)?['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
  /\bnew URL\(\s*['"](\.[^'"]+)['"]\s*,\s*import\.meta\.url/g,
];

/** What a file loads when it runs: the specifiers as written. Imports of types are erased and do not count. */
export function importsOf(file: string): string[] {
  const code = readProjectFile(file).replace(/\/\*[\s\S]*?\*\//g, '');
  return SPECIFIERS.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** The project's file that a specifier names, or null for a library. Throws when the file does not exist. */
export function resolveImport(importer: string, specifier: string): string | null {
  const ours = /^@cofre\/([^/]+)\/(.+)$/.exec(specifier);
  const file = ours ? `packages/${ours[1]}/src/${ours[2]}.ts` : normalize(join(dirname(importer), specifier));
  if (!ours && !specifier.startsWith('.')) return null;
  if (!existsSync(join(ROOT, file)))
    throw new Error(`${importer} imports ${specifier}, which does not exist`);
  return file;
}

export type Reach = {
  /** The project's files that are loaded, each with the file that loads it first. */
  files: Map<string, string | null>;
  /** The libraries that are loaded, each with the file that loads it first. */
  libraries: Map<string, string>;
};

/** Everything that is loaded, directly or through other files, when `entries` run. */
export function reachFrom(entries: string[]): Reach {
  const reach: Reach = { files: new Map(entries.map((entry) => [entry, null])), libraries: new Map() };
  // A Map's iteration also visits what is added while it runs.
  for (const file of reach.files.keys()) {
    if (!file.endsWith('.ts')) continue;
    for (const specifier of importsOf(file)) {
      const target = resolveImport(file, specifier);
      if (target === null) reach.libraries.set(specifier, reach.libraries.get(specifier) ?? file);
      else if (!reach.files.has(target)) reach.files.set(target, file);
    }
  }
  return reach;
}

/** The way by which a file is reached, for a message: `main.ts → app.ts → seal.ts`. */
export function wayTo(reach: Reach, file: string): string {
  const importer = reach.files.get(file);
  return importer ? `${wayTo(reach, importer)} → ${file}` : file;
}
