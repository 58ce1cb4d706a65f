import { describe, expect, test } from 'vitest';
import { array, constantFrom, sample } from 'fast-check';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { compileExcludes, parseExcludeFile } from './filters.ts';
import { lacks } from '../../../../test/requirements.ts';

const bytes = (text: string) => text as ByteString;

/** Which of `paths` the patterns exclude; a slash at the end says that the path is a folder. */
function excluded(patterns: readonly string[], paths: readonly string[]): string[] {
  const isExcluded = compileExcludes(patterns.map(bytes));
  return paths.filter((candidate) =>
    isExcluded(bytes(candidate.replace(/\/$/, '')), candidate.endsWith('/')),
  );
}

describe('patterns', () => {
  // Pattern, paths that it excludes, paths that it does not.
  const cases: [string, string[], string[]][] = [
    ['name', ['name', 'a/name', 'a/b/name/'], ['names', 'name2', 'a/namer', 'Name']],
    ['*.tmp', ['.tmp', 'a/b.tmp', 'x.tmp/'], ['a.tmp2', 'tmp']],
    ['folder/', ['folder/', 'a/folder/'], ['folder', 'a/folder']],
    ['/etc', ['etc', 'etc/'], ['a/etc']],
    ['/etc/*.conf', ['etc/a.conf'], ['etc/a/b.conf', 'x/etc/a.conf']],
    ['sub/dir', ['sub/dir', 'a/b/sub/dir/'], ['sub/x/dir', 'xsub/dir']],
    ['/a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['z', 'a/z/y']],
    ['/a/**', ['a/b', 'a/b/c'], ['a/', 'b']],
    ['**/z', ['z', 'a/b/z'], ['a/zz']],
    ['**', ['a', 'a/b/'], []],
    ['a*b?c', ['abxc', 'axxbxc', 'a*b?c'], ['abc', 'axxbc']],
    ['a**b', ['ab', 'axyb'], ['a/b']],
    ['[a-c]x', ['ax', 'cx'], ['dx', '-x']],
    ['[!a-c]x', ['dx', '\xffx'], ['ax']],
    ['[^]]x', ['ax'], [']x']],
    ['[]a]x', [']x', 'ax'], ['bx']],
    ['[a-]x', ['-x', 'ax'], ['bx']],
    ['[[:digit:]_]x', ['7x', '_x'], ['ax', '[x']],
    ['\\*', ['*'], ['a']],
    ['\\!bang', ['!bang'], ['bang']],
    ['#hash', ['#hash', 'a/#hash'], ['hash']],
    ['\\#hash', ['#hash'], ['hash']],
    ['trail  ', ['trail  '], ['trail', 'trail ']],
    ['new\nline', ['new\nline'], ['new']],
    ['*.x', ['a\nb.x', '\u2028.x', 'a\r.x'], []],
    ['caf\xe9', ['caf\xe9'], ['caf\xc3\xa9']],
    ['*\xff*', ['\xff', 'a\xffb'], ['ab']],
  ];
  test.each(cases)('%j', (pattern, hits, misses) => {
    expect(excluded([pattern], [...hits, ...misses])).toEqual(hits);
  });

  test('in UTF-8 match names in UTF-8, also with a last byte that looks like a space', () => {
    const isExcluded = compileExcludes([byteStringFromText('voilà'), byteStringFromText('/日本/*語')]);
    expect(isExcluded(byteStringFromText('x/voilà'), false)).toBe(true);
    expect(isExcluded(byteStringFromText('日本/ 語'), false)).toBe(true);
    expect(isExcluded(byteStringFromText('voil\u00e3'), false)).toBe(false);
  });

  test('the last one that matches decides, and "!" takes back', () => {
    expect(excluded(['*.log', '!keep.log', '/x/keep.log'], ['a.log', 'keep.log', 'x/keep.log', 'b'])).toEqual(
      ['a.log', 'x/keep.log'],
    );
  });

  test('that could never match are refused by name', () => {
    for (const pattern of ['[abc', 'a\\', '/', '!', '[[:nope:]]', '../x', 'a/./b', '[\x1b']) {
      expect(() => compileExcludes([bytes(pattern)])).toThrow(CofreError);
    }
    expect(() => compileExcludes([bytes('[\x1b')])).toThrow('The pattern "[\\u{1b}" is not valid');
  });

  test('with many stars take no time on long names', () => {
    expect(excluded([`${'*a'.repeat(60)}b`], ['a'.repeat(255)])).toEqual([]);
  });
});

describe('an exclude file', () => {
  test('gives its patterns as raw bytes, without comments, empty lines and spaces at the end', () => {
    const content =
      '\xef\xbb\xbf# comment\n\n*.tmp  \r\n\\#name\nkeep\\  \n two\\\\ \n!x\n   \ncaf\xe9\n\xc3\xa0';
    expect(parseExcludeFile(Buffer.from(content, 'latin1'))).toEqual([
      '*.tmp',
      '\\#name',
      'keep\\ ',
      ' two\\\\',
      '!x',
      'caf\xe9',
      '\xc3\xa0',
    ]);
    expect(excluded(['keep\\ '], ['keep ', 'keep'])).toEqual(['keep ']);
  });
});

describe('what git says', () => {
  const alphabet = ['a', 'b', '*', '?', '[a-b]', '[!a]', '\\*', '**', '/', '/', '!', '.'];
  const pathAlphabet = ['a', 'b', 'ab', 'aab', '*', '.a', 'b.'];

  test.skipIf(lacks('git'))('is what we say, for absolute patterns and those without a slash', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-git-'));
    const git = (input: string, ...args: string[]) =>
      spawnSync('git', ['-C', folder, '-c', 'core.excludesFile=/dev/null', ...args], {
        input,
      }).stdout.toString();
    try {
      git('', 'init', '-q');
      const paths = sample(array(constantFrom(...pathAlphabet), { minLength: 1, maxLength: 4 }), {
        numRuns: 200,
        seed: 1,
      });
      const candidates = [...new Set(paths.map((parts) => parts.join('/')))];
      const pattern = array(constantFrom(...alphabet), { minLength: 1, maxLength: 6 })
        .map((tokens) => tokens.join(''))
        .filter((text) => isComparable(text));
      for (const patterns of sample(array(pattern, { minLength: 1, maxLength: 3 }), {
        numRuns: 150,
        seed: 2,
      })) {
        fs.writeFileSync(path.join(folder, '.gitignore'), `${patterns.join('\n')}\n`);
        const output = git(candidates.join('\0'), 'check-ignore', '--no-index', '-z', '--stdin');
        expect({ patterns, hits: ignoredWithFolders(patterns, candidates) }).toEqual({
          patterns,
          hits: output.split('\0').filter((line) => line !== ''),
        });
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

/** Leaves out what we refuse, and relative patterns with a slash, which mean something else here. */
function isComparable(text: string): boolean {
  const rest = text.replace(/^!/, '').replace(/\/$/, '');
  const parts = rest.replace(/^\//, '').split('/');
  const isRefused = parts.some((part) => part === '' || part === '.' || part === '..');
  const isRelative = rest.includes('/') && !rest.startsWith('/') && !rest.startsWith('**/');
  // Against its documentation, git takes `**` behind a literal beginning for any number of folders.
  return !isRefused && !isRelative && !/[^/*!]\*\*/.test(text);
}

/** As a walk does it: folders first, and what lies in an excluded folder is never asked about. */
function ignoredWithFolders(patterns: readonly string[], candidates: readonly string[]): string[] {
  const isExcluded = compileExcludes(patterns.map(bytes));
  return candidates.filter((candidate) => {
    const parts = candidate.split('/');
    return parts.some((_, index) => {
      const isFolder = index < parts.length - 1;
      return isExcluded(bytes(parts.slice(0, index + 1).join('/')), isFolder);
    });
  });
}
