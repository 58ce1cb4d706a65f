import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { LAYERS, SHARED_FOR_SERVER } from '../../scripts/lint/layers.ts';
import { importsOf, reachFrom, resolveImport, wayTo } from './imports.ts';
import { ROOT, productFiles, readProjectFile } from './source-tree.ts';

const SERVER = /^packages\/server\/src\//;

const serverReach = reachFrom(productFiles().filter((file) => SERVER.test(file)));

test('of shared the server loads, however indirectly, nothing that opens what it keeps', () => {
  const allowed = SHARED_FOR_SERVER.map(
    (path) => `packages/shared/src/${path.endsWith('/') ? path : `${path}.ts`}`,
  );
  const shared = [...serverReach.files.keys()].filter((file) => file.startsWith('packages/shared/'));
  const strange = shared.filter((file) => !allowed.some((path) => file.startsWith(path)));
  expect(strange.map((file) => wayTo(serverReach, file))).toEqual([]);
});

test('the server loads no library that opens age envelopes and never asks for a cipher', () => {
  expect(serverReach.libraries.get('age-encryption')).toBeUndefined();
  const files = [...serverReach.files.keys()].filter((file) => file.endsWith('.ts'));
  const withCipher = files.filter((file) =>
    /\b(createDecipheriv|createCipheriv|subtle\.)/.test(readProjectFile(file)),
  );
  expect(withCipher.map((file) => wayTo(serverReach, file))).toEqual([]);
});

test.each(['agent', 'server', 'console'])('the %s loads no other program of the project', (name) => {
  const reach = reachFrom(productFiles().filter((file) => file.startsWith(`packages/${name}/`)));
  const strangers = [...reach.files.keys()].filter(
    (file) => !new RegExp(`^packages/(${name}|shared)/`).test(file),
  );
  expect(strangers.map((file) => wayTo(reach, file))).toEqual([]);
});

test('shared loads nothing of ours but itself', () => {
  const reach = reachFrom(productFiles().filter((file) => file.startsWith('packages/shared/')));
  expect([...reach.files.keys()].filter((file) => !file.startsWith('packages/shared/'))).toEqual([]);
});

test('SQL is loaded in db/ and vault/index/ only', () => {
  const loading = productFiles().filter((file) =>
    importsOf(file).some((specifier) => /^(better-sqlite3|drizzle-orm)/.test(specifier)),
  );
  expect(loading.filter((file) => !/^packages\/server\/src\/(db|vault\/index)\//.test(file))).toEqual([]);
});

test('policy reaches no file, clock or network, even through other files', () => {
  const reach = reachFrom(productFiles().filter((file) => file.startsWith('packages/server/src/policy/')));
  const impure = [...reach.libraries].filter(([name]) => /^node:(?!assert|util)/.test(name));
  expect(impure.map(([name, importer]) => `${wayTo(reach, importer)} → ${name}`)).toEqual([]);
  const askingTime = [...reach.files.keys()].filter((file) => /\bnew Date\(\)/.test(readProjectFile(file)));
  expect(askingTime.map((file) => wayTo(reach, file))).toEqual([]);
});

test('every import of the product leads to a file that exists', () => {
  const broken = productFiles().flatMap((file) =>
    importsOf(file).flatMap((specifier) => {
      try {
        resolveImport(file, specifier);
        return [];
      } catch (error) {
        return [String(error)];
      }
    }),
  );
  expect(broken).toEqual([]);
});

/** One wrong import for each layer that matters: if the linter lets one pass, the table has a hole. */
const WRONG_IMPORTS: [file: string, specifier: string][] = [
  ['packages/shared/src/probe.ts', '@cofre/server/x'],
  ['packages/agent/src/probe.ts', '@cofre/server/x'],
  ['packages/agent/src/cli/probe.ts', '../../../server/src/x.ts'],
  ['packages/console/src/probe.ts', '@cofre/agent/x'],
  ['packages/server/src/probe.ts', '@cofre/shared/crypto/x'],
  ['packages/server/src/http/probe.ts', '@cofre/shared/format/entry'],
  ['packages/server/src/vault/probe.ts', '@cofre/shared/catalog/node'],
  ['packages/server/src/administration/probe.ts', '../http/x.ts'],
  ['packages/server/src/cli/probe.ts', '../db/x.ts'],
  ['packages/server/src/http/probe.ts', '../db/x.ts'],
  ['packages/server/src/http/probe.ts', 'better-sqlite3'],
  ['packages/server/src/auth/probe.ts', '../http/x.ts'],
  ['packages/server/src/tenancy/probe.ts', 'hono'],
  ['packages/server/src/vault/probe.ts', 'drizzle-orm/better-sqlite3'],
  ['packages/server/src/vault/probe.ts', '../main.ts'],
  ['packages/server/src/vault/deep/probe.ts', '../../http/x.ts'],
  ['packages/server/src/vault/index/probe.ts', '../../tenancy/x.ts'],
  ['packages/server/src/policy/probe.ts', 'node:fs'],
  ['packages/server/src/policy/probe.ts', '../vault/x.ts'],
  ['packages/server/src/scheduling/probe.ts', '../db/x.ts'],
  ['packages/server/src/db/probe.ts', '../vault/x.ts'],
  ['packages/server/src/platform/probe.ts', '../db/x.ts'],
];

/** Imports that must stay possible: a table that refuses everything would pass the test above. */
const RIGHT_IMPORTS: [file: string, specifier: string][] = [
  ['packages/agent/src/right.ts', '@cofre/shared/crypto/x'],
  ['packages/server/src/main.ts', 'hono'],
  ['packages/server/src/http/right.ts', '../vault/x.ts'],
  ['packages/server/src/vault/right.ts', '@cofre/shared/format/envelope/blob'],
  ['packages/server/src/vault/right.ts', '@cofre/shared/errors'],
  ['packages/server/src/vault/right.ts', '@cofre/shared/wire/sessions'],
  ['packages/server/src/cli/right.ts', '../administration/x.ts'],
  ['packages/server/src/vault/index/right.ts', 'better-sqlite3'],
  ['packages/server/src/db/right.ts', '../platform/x.ts'],
];

/** Lints a copy of the project's rules over files that hold one import each; answers which of the imports it refuses. */
function refusedByLinter(imports: [file: string, specifier: string][]): [file: string, specifier: string][] {
  const folder = mkdtempSync(join(tmpdir(), 'cofre-layers-'));
  try {
    for (const path of ['oxlint.config.ts', 'scripts/lint', 'tsconfig.json', 'package.json']) {
      cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const places = imports.map(([file], index) =>
      file.replace('.ts', `-${index}.ts`).replace(/(main)-\d+/, '$1'),
    );
    for (const [index, place] of places.entries()) {
      mkdirSync(dirname(join(folder, place)), { recursive: true });
      const code = `import { probe } from '${imports[index]?.[1]}';\nexport const use = probe;\n`;
      writeFileSync(join(folder, place), code);
    }
    const refused = filesWithRefusedImport(folder);
    return imports.filter((_, index) => refused.has(places[index] ?? ''));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Diagnostic = { code: string; help: string; filename: string };

function filesWithRefusedImport(folder: string): Set<string> {
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
  const run = spawnSync(oxlint, ['-f', 'json', 'packages'], { cwd: folder, encoding: 'utf8' });
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: Diagnostic[] };
  const refused = diagnostics.filter(({ code }) => code === 'eslint(no-restricted-imports)');
  const reasons = new Set(LAYERS.flatMap(({ bans }) => bans.map(({ message }) => message)));
  expect(refused.filter(({ help }) => !reasons.has(help))).toEqual([]);
  return new Set(refused.map(({ filename }) => filename));
}

test('the linter refuses an import against each layer, and gives the reason', () => {
  expect(refusedByLinter(WRONG_IMPORTS)).toEqual(WRONG_IMPORTS);
});

test('the linter lets the imports pass that the layers want', () => {
  expect(refusedByLinter(RIGHT_IMPORTS)).toEqual([]);
});
