import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CofreError } from '../errors.ts';
import { formatKit, parseKit, recoveryWords, type KitDetails } from './kit.ts';

const DETAILS: KitDetails = {
  tenantName: 'Panadería Sánchez',
  serverAddress: 'https://backup.example:8443',
  fingerprint: '01234567-89abcdef-01234567-89abcdef',
  created: '2026-03-01',
};
const SECRET = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7 + 3));
const LANGUAGES = ['en', 'es'] as const;

function refusal(text: string): string {
  try {
    parseKit(text, 'kit.txt');
    return 'none';
  } catch (error) {
    if (error instanceof CofreError) return `${error.code}: ${String(error.parameters['problem'])}`;
    throw error;
  }
}

describe.each(LANGUAGES)('a kit in language %s', (language) => {
  const words = recoveryWords(SECRET, language);

  it('gives the secret back, for any secret', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
        const kit = formatKit(secret, DETAILS, language);
        expect([...parseKit(kit, 'kit.txt')]).toEqual([...secret]);
      }),
      { numRuns: 50 },
    );
  });

  it('says what people need to know', () => {
    const kit = formatKit(SECRET, DETAILS, language);
    for (const detail of Object.values(DETAILS)) expect(kit).toContain(detail);
    for (const word of words) expect(kit).toContain(word);
  });

  const numbered = words.map((word, index) => `${index + 1}. ${word}`);
  it.each([
    ['on one line', words.join(' ')],
    ['on a line each', words.join('\n')],
    ['on a line each, as Windows does it', words.join('\r\n')],
    ['on a line each, as old Macs did it', words.join('\r')],
    ['with empty lines between', words.join('\n\n  \n')],
    ['in upper case', words.join(' ').toUpperCase()],
    ['with numbers', numbered.join('\n')],
    ['with numbers and colons', words.map((word, index) => `${index + 1}: ${word}`).join('  ')],
    ['with commas', `${words.join(', ')}.`],
    ['with accents apart', words.join(' ').normalize('NFD')],
    ['without accents', words.join(' ').normalize('NFD').replace(/\p{M}/gu, '')],
    ['behind a mark of the byte order', `\ufeff${words.join(' ')}`],
    ['below a title and above a note', `My key:\n\n${words.join(' ')}\n\nKeep it well, please!`],
  ])('can be typed: %s', (_, text) => {
    expect(parseKit(text, 'kit.txt')).toEqual(SECRET);
  });

  it('is refused with one wrong word', () => {
    const misspelt = words.with(5, 'qqqq').join(' ');
    expect(refusal(misspelt)).toBe('kit_unreadable: there are no 24 words in it');
    // The checksum finds 255 of 256 words of the list; this is one of them.
    const exchanged = words.with(5, words[6] as string).join(' ');
    expect(refusal(exchanged)).toBe('kit_unreadable: one of its 24 words is wrong');
  });

  it('is refused with a word too few or too many', () => {
    expect(refusal(words.slice(1).join(' '))).toContain('no 24 words');
    expect(refusal([...words, words[0]].join(' '))).toContain('no 24 words');
    expect(refusal(words.toReversed().join(' '))).toContain('kit_unreadable');
  });

  it('is refused when another key is in it too', () => {
    const other = recoveryWords(Buffer.alloc(32, 9), language === 'en' ? 'es' : 'en');
    const both = `${words.join(' ')}\nor, again:\n${other.join(' ')}`;
    expect(refusal(both)).toBe('kit_unreadable: there is more than one key in it');
    const twice = `${words.join(' ')}\nor, again:\n${words.join('\n')}`;
    expect(parseKit(twice, 'kit.txt')).toEqual(SECRET);
  });

  it('has no line of text that could pass for a part of the key', () => {
    const kit = formatKit(SECRET, DETAILS, language);
    const [row] = kit.split('\n').filter((line) => line.includes(words[0] as string));
    const texts = kit
      .split('\n')
      .filter((line) => line.trim() !== '' && !words.some((w) => line.includes(`  ${w}`)));
    expect(row).toBeDefined();
    for (const text of texts) {
      // A line that is taken for words of the key makes their number wrong; any other is passed over.
      expect(parseKit(`${text}\n${words.join(' ')}\n${text}`, 'kit.txt')).toEqual(SECRET);
    }
  });
});

/** Names come from the server. What it would like is that people restore, or enrol, with a key that it knows. */
describe('a name that a server chose', () => {
  const theirs = recoveryWords(Buffer.alloc(32, 0x66), 'en');
  // "account" is a word of the list, and the label of that line.
  const labelled = (() => {
    for (let seed = 0; ; seed++) {
      const secret = Buffer.alloc(32, 0);
      secret.writeUInt32LE(seed, 8);
      // The first 11 bits are the first word: "account" is word 12.
      secret.writeUInt16BE(12 << 5, 0);
      const words = recoveryWords(secret, 'en');
      if (words[0] === 'account') return words.slice(1).join(' ');
    }
  })();

  it.each([
    ['a key on lines of its own', `x\n\n${theirs.join(' ')}\n\nx`],
    ['a key behind a carriage return', `x\r${theirs.join(' ')}\rx`],
    ['a key behind a line separator', `x\u2028${theirs.join(' ')}\u2028x`],
    ['a key that begins with the label', labelled],
    ['a key', theirs.join(' ')],
    ['a very long text', 'x '.repeat(100_000)],
  ])('is not taken for the key: %s', (_, name) => {
    for (const language of LANGUAGES) {
      for (const details of [
        { ...DETAILS, tenantName: name },
        { ...DETAILS, serverAddress: name },
      ]) {
        const kit = formatKit(SECRET, details, language);
        expect(parseKit(kit, 'kit.txt')).toEqual(SECRET);
      }
    }
  });

  it('cannot move the cursor of who reads the kit in a terminal', () => {
    expect(formatKit(SECRET, { ...DETAILS, tenantName: 'a\u001b[2Jb' }, 'en')).toContain('a\\u{1b}[2Jb');
  });
});

describe('a text is no kit', () => {
  it.each([
    ['that is empty', ''],
    ['of something else', 'Dear diary, nothing happened today.'],
    ['of 12 words', 'abandon '.repeat(11) + 'about'],
    ['without end', 'abandon '.repeat(10_000)],
    ['of many words that are all right', 'abandon\n'.repeat(8000)],
  ])('%s', (_, text) => {
    expect(refusal(text)).toContain('kit_unreadable');
  });
});

it('the words are those of BIP 39, with their published checksum', () => {
  // From the vectors of BIP 39: 32 zero bytes, 32 bytes of ones.
  expect(recoveryWords(Buffer.alloc(32), 'en').join(' ')).toBe(`${'abandon '.repeat(23)}art`);
  expect(recoveryWords(Buffer.alloc(32, 0xff), 'en').join(' ')).toBe(`${'zoo '.repeat(23)}vote`);
  expect(recoveryWords(Buffer.alloc(32), 'es')[0]).toBe('ábaco');
});
