import type { ByteString } from '@cofre/shared/bytes';

/**
 * A pattern for one name (no slash in it), as gitignore has them, on bytes: `*` any bytes, `?` one byte,
 * `[a-z]`, `[!a]`, `[^a]` and `[[:digit:]]` one byte of a set, `\x` the byte x itself. Matching takes time
 * of at most pattern length × name length.
 */
export interface NameGlob {
  matches(name: ByteString): boolean;
}

/** Why a pattern is none. */
export class InvalidGlobError extends Error {}

/** One byte, a set of bytes (256 flags), or any number of any bytes. */
type Token = number | Uint8Array | typeof STAR;
const STAR = '*';

/** Throws InvalidGlobError for a set that is not closed and for a backslash with nothing behind it. */
export function compileNameGlob(pattern: ByteString): NameGlob {
  const tokens = tokensOf(pattern);
  if (tokens.every((token) => typeof token === 'number')) {
    const literal = String.fromCharCode(...tokens);
    return { matches: (name) => name === literal };
  }
  const suffix = tokens.slice(1);
  if (tokens[0] === STAR && suffix.every((token) => typeof token === 'number')) {
    const ending = String.fromCharCode(...suffix);
    return { matches: (name) => name.endsWith(ending) };
  }
  return {
    matches: (name) =>
      matchSequence<number | Uint8Array, typeof STAR>(tokens, STAR, name.length, (token, position) =>
        matchesByte(token, name.charCodeAt(position)),
      ),
  };
}

/**
 * Whether `tokens`, in which `star` stands for any number of things, matches a sequence of `length` things.
 * Goes on from the last star only, for what an earlier one could take, the last one can take as well: the
 * time is at most tokens × length.
 */
export function matchSequence<Single, Star>(
  tokens: readonly (Single | Star)[],
  star: Star,
  length: number,
  matchesAt: (token: Single, position: number) => boolean,
): boolean {
  let token = 0;
  let position = 0;
  let starToken = -1;
  let starPosition = 0;
  while (position < length) {
    if (token < tokens.length && tokens[token] === star) {
      starToken = token++;
      starPosition = position;
    } else if (token < tokens.length && matchesAt(tokens[token] as Single, position)) {
      token++;
      position++;
    } else if (starToken >= 0) {
      token = starToken + 1;
      position = ++starPosition;
    } else {
      return false;
    }
  }
  while (token < tokens.length && tokens[token] === star) token++;
  return token === tokens.length;
}

function matchesByte(token: number | Uint8Array, byte: number): boolean {
  return typeof token === 'number' ? token === byte : token[byte] === 1;
}

function tokensOf(pattern: ByteString): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < pattern.length) {
    const character = pattern[position]!;
    if (character === '*') {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
      position++;
    } else if (character === '?') {
      tokens.push(new Uint8Array(256).fill(1));
      position++;
    } else if (character === '[') {
      const { set, end } = byteSet(pattern, position);
      tokens.push(set);
      position = end;
    } else {
      if (character === '\\') position++;
      if (position === pattern.length) throw new InvalidGlobError('nothing follows the last backslash');
      tokens.push(pattern.charCodeAt(position++));
    }
  }
  return tokens;
}

/** Reads the set that begins at `start`; `end` is behind its closing bracket. */
function byteSet(pattern: ByteString, start: number): { set: Uint8Array; end: number } {
  const set = new Uint8Array(256);
  const isNegated = pattern[start + 1] === '!' || pattern[start + 1] === '^';
  const first = start + (isNegated ? 2 : 1);
  let position = first;
  // A closing bracket in the first place is a member.
  while (pattern[position] !== ']' || position === first) {
    const named = /^\[:([a-z]*):\]/.exec(pattern.slice(position, position + 12));
    if (named !== null) {
      addNamedClass(set, named[1]!);
      position += named[0].length;
    } else {
      position = addRange(set, pattern, position);
    }
  }
  return { set: isNegated ? set.map((flag) => 1 - flag) : set, end: position + 1 };
}

/** Adds one byte, or a range such as `a-z`; a hyphen before the closing bracket is itself. */
function addRange(set: Uint8Array, pattern: ByteString, start: number): number {
  const low = memberAt(pattern, start);
  if (pattern[low.end] !== '-' || pattern[low.end + 1] === ']') {
    set[low.byte] = 1;
    return low.end;
  }
  const high = memberAt(pattern, low.end + 1);
  if (high.byte >= low.byte) set.fill(1, low.byte, high.byte + 1);
  // As git has it: a range the wrong way round is its first byte.
  else set[low.byte] = 1;
  return high.end;
}

function memberAt(pattern: ByteString, start: number): { byte: number; end: number } {
  const position = pattern[start] === '\\' ? start + 1 : start;
  if (position >= pattern.length)
    throw new InvalidGlobError('a "[" has no "]" (write \\[ for the character)');
  return { byte: pattern.charCodeAt(position), end: position + 1 };
}

/** ASCII only, as git has them: bytes above 0x7f are parts of characters, not letters. */
const namedClasses: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[^\x20-\x7e\x80-\xff]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

function addNamedClass(set: Uint8Array, name: string): void {
  const members = Object.hasOwn(namedClasses, name) ? namedClasses[name] : undefined;
  if (members === undefined) throw new InvalidGlobError(`there is no class [:${name}:]`);
  for (let byte = 0; byte < set.length; byte++) {
    if (members.test(String.fromCharCode(byte))) set[byte] = 1;
  }
}
