import type { TreeMaker } from './tree-maker.ts';

const NAME_BYTES_MAX = 255;

/** Names that are awkward for a terminal, a shell, a parser, a pattern, an option parser or a case-blind mind. */
// prettier-ignore -- one name a line would take two pages
const AWKWARD_NAMES = [
  '-',
  '--',
  '-rf',
  '--help',
  '-\n',
  '*',
  '?',
  '[a]',
  '{a,b}',
  '!',
  '#',
  '~',
  '~root',
  '$HOME',
  '`id`',
  '$(id)',
  ';id',
  '|id',
  '&',
  '"',
  "'",
  '\\',
  '\\n',
  'C:',
  'C:\\x',
  'CON',
  'nul.txt',
  'aux',
  'a:b',
  '<>',
  ' ',
  '  ',
  ' lead',
  'trail ',
  'dot.',
  'dots..',
  '...',
  '.. ',
  '. ',
  '..a',
  '.hidden',
  '\t',
  'a\tb',
  'a\nb',
  '\n',
  '\r',
  'a\r\nb',
  '\x1b[2J',
  '\x1b]0;title\x07',
  '\x07',
  '\x7f',
  '%s%n',
  '%2e%2e%2f',
  '%00',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  '0',
  '00',
  '-1',
  '1e3',
  '0x10',
  'true',
  '.git',
  '.gitignore',
  '.cofre',
  '.cofre-restore-0',
  'a.restored-1',
  '@',
  '@file',
  '+',
  '=',
  ',',
  ':',
  'README',
  'readme',
  'ReadMe',
  '\u202egnp.exe',
  '\u2066x\u2069',
  '\u200b',
  '\ufeffbom',
  '\u{1f4be}',
  '日本語',
  'caf\u00e9 nfc or nfd',
  'cafe\u0301 nfc or nfd',
  '\u1112\u1161\u11ab',
  '\ud55c',
  '\ufb01',
  'ß',
  'İ',
  'ı',
  '\ufffd',
  '\u00a0',
];

/** Bytes that are no UTF-8: cut short, overlong, surrogates, beyond the last code point, Latin-1. */
// prettier-ignore -- as above
const INVALID_NAMES = [
  '\xff',
  '\xfe\xff',
  '\xc3',
  'a\xc3',
  '\xc3(',
  '\x80',
  '\xc0\xaf',
  '\xe0\x80\xaf',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xf0\x9f\x92',
  'caf\xe9',
  '\xe2\x80',
  '\xef\xbf\xbd\xff',
  '\xc1\x81',
];

/** Names of every byte, invalid UTF-8, twins that differ in form only, the longest ones. */
export function makeHostileNames(maker: TreeMaker): void {
  maker.inFolder('every-byte', (inside) => {
    for (let byte = 1; byte < 256; byte++) {
      const character = String.fromCharCode(byte);
      if (character === '/') continue;
      inside.file(`a${character}z`, inside.random.bytes(byte % 7));
      if (character !== '.') inside.file(character);
    }
  });
  maker.inFolder('awkward', (inside) => {
    for (const name of AWKWARD_NAMES) inside.file(textBytes(name), inside.random.text(20));
  });
  maker.inFolder('invalid-utf8', (inside) => {
    for (const name of INVALID_NAMES) {
      inside.file(name, inside.random.bytes(3));
      inside.inFolder(`${name} folder`, (below) => below.symlink(name, name));
    }
  });
  maker.inFolder('longest', (inside) => {
    for (const filling of ['a', '\xff', '\n', '.', ' ']) {
      inside.file(`x${filling.repeat(NAME_BYTES_MAX - 1)}`);
    }
    inside.file(textBytes('語'.repeat(NAME_BYTES_MAX / 3)));
    inside.inFolder('f'.repeat(NAME_BYTES_MAX), (below) => below.file('g'.repeat(NAME_BYTES_MAX)));
  });
  makeOrderTraps(maker);
}

/** Siblings that sort otherwise by whole paths than by components: `foo/x` lies after `foo-` as a string. */
function makeOrderTraps(maker: TreeMaker): void {
  maker.inFolder('order', (inside) => {
    for (const name of ['foo', 'foo.d', 'foo-', 'foo!', 'Foo', 'foo\x01d', 'fo']) {
      inside.inFolder(name, (below) => below.file('x', below.random.bytes(2)));
    }
    for (const name of ['foo.txt', 'foo0', 'foo-bar', 'foo bar', 'foo\x01', 'foo\xff', 'f'])
      inside.file(name);
  });
}

/** Everything in the list is text, also where all its characters would fit into a byte each. */
function textBytes(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1');
}
