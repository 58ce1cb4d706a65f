import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { expectOnlyShrinking } from './ratchet.ts';
import {
  codeFiles,
  findLines,
  productFiles,
  projectFiles,
  readProjectFile,
  textFiles,
} from './source-tree.ts';

// Written so that these rules do not find themselves.
const WORK_FOLDER = ['', 'work', ''].join('/');
const HOME_FOLDER = ['', 'home', ''].join('/');
const OPEN_WORDS = ['TO_DO', 'FIX_ME', 'X_XX', 'HA_CK'].join('|').replaceAll('_', '');

const KEBAB = '[a-z0-9]+(-[a-z0-9]+)*';
const CODE_NAME = new RegExp(
  `^${KEBAB}(\\.(routes|store|job|worker|styles))?(\\.test)?(\\.d)?\\.(m?ts|mjs)$`,
);
const CONFIGURATION = /^[^/]+\.config\.ts$/;

/** CI runs as root, in a clone, and `npm test` starts it. */
const ALWAYS_THERE = ['root', 'git', 'node', 'npm'];

const testFiles = codeFiles().filter((file) => file.endsWith('.test.ts'));

test('files and folders are named in kebab-case, with the known suffixes only', () => {
  const misnamed = codeFiles().filter((file) => {
    if (CONFIGURATION.test(file)) return false;
    const folders = file.split('/').slice(0, -1);
    return (
      !CODE_NAME.test(basename(file)) || !folders.every((folder) => new RegExp(`^${KEBAB}$`).test(folder))
    );
  });
  expect(misnamed).toEqual([]);
});

test('no name says nothing: no utils, helpers, common, misc, and no barrels', () => {
  const vague = /(^|[/.-])(utils?|helpers?|common|misc|stuff)([/.-]|$)/;
  expect(codeFiles().filter((file) => vague.test(file))).toEqual([]);
  expect(codeFiles().filter((file) => /^index\.[^/]+$/.test(basename(file)))).toEqual([]);
});

test('no test runs alone', () => {
  expect(findLines(testFiles, /\b(test|it|describe|suite)(\.\w+)*\.only\b/)).toEqual([]);
});

test('a skipped test says why: what it lacks, or a comment above it', () => {
  const skips = testFiles.flatMap((file) => {
    const lines = readProjectFile(file).split('\n');
    return lines.flatMap((line, index) => {
      if (!/\b(test|it|describe|suite)(\.\w+)*\.(skip|todo|skipIf|runIf)\b/.test(line)) return [];
      const isExplained = /\blacks\(/.test(line) || /^\s*(\/\/|\*)/.test(lines[index - 1] ?? '');
      return isExplained ? [] : [`${file}:${index + 1}: ${line.trim()}`];
    });
  });
  expect(skips).toEqual([]);
});

test('CI brings every program that a test may lack', () => {
  const run = readProjectFile('.ci/run');
  const asked = testFiles.flatMap((file) =>
    [...readProjectFile(file).matchAll(/\blacks\(([^)]*)\)/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/'([\w.-]+)'/g)].map(([, program = '']) => program),
    ),
  );
  const brought = (program: string): boolean =>
    ALWAYS_THERE.includes(program) || run.includes(`\n  ${program}=`);
  expect([...new Set(asked)].filter((program) => !brought(program))).toEqual([]);
});

test('what is left to do has an issue number', () => {
  const open = new RegExp(`\\b(${OPEN_WORDS})\\b(?!\\(#\\d+\\))`);
  expect(findLines(codeFiles(), open)).toEqual([]);
});

test("no path of a developer's machine stands in the project", () => {
  const work = new RegExp(`(?<![\\w.@*-])${WORK_FOLDER}`);
  expect(findLines(textFiles(), work)).toEqual([]);
  const home = new RegExp(`(?<![\\w.@*-])${HOME_FOLDER}`);
  const shipped = codeFiles().filter((file) => !file.endsWith('.test.ts'));
  expect(findLines(shipped, home)).toEqual([]);
});

test('the lockfile and the settings of npm and pnpm name no registry', () => {
  const settings = projectFiles().filter((file) =>
    /(^|\/)(pnpm-lock\.yaml|pnpm-workspace\.yaml|\.npmrc)$/.test(file),
  );
  expect(settings).toContain('pnpm-lock.yaml');
  expect(findLines(settings, /https?:\/\/|^\s*(@[\w-]+:)?registry\b/)).toEqual([]);
});

test('every text file ends with a newline, and none has carriage returns', () => {
  const contents = textFiles().map((file) => [file, readProjectFile(file)] as const);
  expect(contents.filter(([, text]) => text !== '' && !text.endsWith('\n')).map(([file]) => file)).toEqual(
    [],
  );
  expect(contents.filter(([, text]) => text.includes('\r')).map(([file]) => file)).toEqual([]);
});

test('the pinned Node is the same everywhere', () => {
  const { devDependencies } = JSON.parse(readProjectFile('package.json')) as {
    devDependencies: Record<string, string>;
  };
  const pinned = devDependencies['node'] ?? '';
  expect(readProjectFile('.node-version').trim()).toBe(pinned);
  expect(devDependencies['@types/node']?.split('.')[0]).toBe(pinned.split('.')[0]);
});

test('versions of libraries and tools are pinned exactly', () => {
  const loose = projectFiles()
    .filter((file) => basename(file) === 'package.json')
    .flatMap((file) => {
      const manifest = JSON.parse(readProjectFile(file)) as Record<
        string,
        Record<string, string> | undefined
      >;
      const wanted = { ...manifest['dependencies'], ...manifest['devDependencies'] };
      return Object.entries(wanted).flatMap(([name, version]) =>
        /^(\d+\.\d+\.\d+\S*|workspace:\*)$/.test(version) ? [] : [`${file}: ${name} ${version}`],
      );
    });
  expect(loose).toEqual([]);
});

test('exported functions say what they promise', () => {
  const silent = productFiles().flatMap((file) => {
    const lines = readProjectFile(file).split('\n');
    const documented = new Set<string>();
    return lines.flatMap((line, index) => {
      const name = /^export (?:async )?function\*? (\w+)/.exec(line)?.[1];
      if (name === undefined || documented.has(name)) return [];
      // An overload's first signature speaks for all of them.
      documented.add(name);
      return /\*\/\s*$/.test(lines[index - 1] ?? '') ? [] : [`${file} ${name}`];
    });
  });
  expectOnlyShrinking('exported functions say what they promise', silent);
});
