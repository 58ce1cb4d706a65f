import { byteStringFromBytes, displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { compileNameGlob, InvalidGlobError, matchSequence } from './name-glob.ts';
import type { NameGlob } from './name-glob.ts';

/** Whether a path (without leading slash) is left out. The folders above it are not looked at again. */
export type PathPredicate = (path: ByteString, isDirectory: boolean) => boolean;

/** Any number of folders, also none. */
const ANY_FOLDERS = '**';

interface Rule {
  /** Begins with `!`: takes back what an earlier rule has left out. */
  readonly includes: boolean;
  readonly folderOnly: boolean;
  readonly parts: readonly (NameGlob | typeof ANY_FOLDERS)[];
}

/**
 * Makes one predicate of gitignore-style patterns; the last that matches decides. A pattern that begins with
 * a slash is an absolute path; any other matches at every depth (also `a/b`, unlike in a .gitignore, for
 * there is no folder here that it could be relative to). A slash at the end makes it match folders only;
 * `**` stands for any folders in between, at the end for everything inside. `!` in front takes a path back,
 * but not when a folder above it is excluded: that is never entered. `\` makes the next byte plain, so
 * `\!x` and `\#x` are names. Patterns are taken as they are: nothing is trimmed, `#` is no comment.
 *
 * Matching is by bytes, so `?` is not a whole character beyond ASCII, and case counts. Throws CofreError
 * `usage` for a pattern that could never match as written.
 */
export function compileExcludes(patterns: readonly ByteString[]): PathPredicate {
  const rules = patterns.filter((pattern) => pattern !== '').map(compileRule);
  const lastFirst = rules.reverse();
  return (path, isDirectory) => {
    const name = path.slice(path.lastIndexOf('/') + 1) as ByteString;
    let names: readonly ByteString[] | undefined;
    for (const rule of lastFirst) {
      if (rule.folderOnly && !isDirectory) continue;
      const last = rule.parts.at(-1)!;
      if (last !== ANY_FOLDERS && !last.matches(name)) continue;
      names ??= path.split('/') as ByteString[];
      if (matchesPath(rule, names)) return !rule.includes;
    }
    return false;
  };
}

/**
 * The patterns in a file for `--exclude-file`, in order, as raw bytes: one a line; lines that begin with `#`
 * and empty ones are left out, as are spaces at the end unless the last has a backslash in front.
 */
export function parseExcludeFile(content: Uint8Array): ByteString[] {
  const text = byteStringFromBytes(content).replace(/^\xef\xbb\xbf/, '');
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => !line.startsWith('#'))
    .map(trimTrailingSpaces)
    .filter((line) => line !== '') as ByteString[];
}

function matchesPath({ parts }: Rule, names: readonly ByteString[]): boolean {
  return matchSequence<NameGlob, typeof ANY_FOLDERS>(parts, ANY_FOLDERS, names.length, (part, position) =>
    part.matches(names[position]!),
  );
}

function trimTrailingSpaces(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ' && !isEscaped(line, end - 1)) end--;
  return line.slice(0, end);
}

/** Whether an odd number of backslashes stands before `position`. */
function isEscaped(line: string, position: number): boolean {
  let start = position;
  while (line[start - 1] === '\\') start--;
  return (position - start) % 2 === 1;
}

function compileRule(pattern: ByteString): Rule {
  const includes = pattern.startsWith('!');
  let rest = includes ? pattern.slice(1) : pattern;
  const folderOnly = rest.endsWith('/');
  rest = rest.replace(/\/+$/, '');
  const isAbsolute = rest.startsWith('/');
  const parts = rest.split('/').filter((part) => part !== '');
  try {
    if (parts.length === 0) throw new InvalidGlobError('it names nothing');
    if (parts.includes('.') || parts.includes('..')) throw new InvalidGlobError('"." and ".." match no name');
    const compiled = parts.map(compilePart);
    // At the end it stands for what is inside, so for one name at least.
    if (compiled.at(-1) === ANY_FOLDERS) compiled.push(compileNameGlob('*' as ByteString), ANY_FOLDERS);
    return { includes, folderOnly, parts: isAbsolute ? compiled : [ANY_FOLDERS, ...compiled] };
  } catch (error) {
    if (!(error instanceof InvalidGlobError)) throw error;
    const problem = `The pattern "${displayName(pattern)}" is not valid: ${error.message}.`;
    throw new CofreError('usage', { problem }, { cause: error });
  }
}

function compilePart(part: string): NameGlob | typeof ANY_FOLDERS {
  return /^\*{2,}$/.test(part) ? ANY_FOLDERS : compileNameGlob(part as ByteString);
}
