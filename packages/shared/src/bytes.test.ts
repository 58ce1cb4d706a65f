import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteStringFromBytes,
  byteStringFromText,
  bytesFromByteString,
  displayName,
  textFromByteString,
  type ByteString,
} from './bytes.ts';

const anyBytes = fc.uint8Array({ maxLength: 40 });

describe('a byte string', () => {
  it('keeps any bytes, and orders as they do', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        const [left, right] = [byteStringFromBytes(a), byteStringFromBytes(b)];
        expect([...bytesFromByteString(left)]).toEqual([...a]);
        expect(left.length).toBe(a.length);
        expect(left < right).toBe(Buffer.compare(a, b) < 0);
      }),
    );
  });

  it('is a copy, of a part of a buffer too', () => {
    const buffer = Buffer.from('abcdef');
    const part = byteStringFromBytes(buffer.subarray(2, 4));
    buffer.fill(0);
    expect(part).toBe('cd');
  });

  it('of a text holds its UTF-8, and gives the text back', () => {
    expect(byteStringFromText('ñ')).toBe('\xc3\xb1');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textFromByteString(byteStringFromText(text))).toBe(text.replace(/^\ufeff/, ''));
      }),
    );
  });
});

describe('a name that is shown', () => {
  it.each([
    ['plain.txt', 'plain.txt'],
    ['señal 日本.txt', 'señal 日本.txt'],
    ['a\nb', 'a\\u{a}b'],
    ['a\u001b[2Jb', 'a\\u{1b}[2Jb'],
    ['a\u202egpj.exe', 'a\\u{202e}gpj.exe'],
    ['a\\b', 'a\\\\b'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
  ])('%j is %j', (text, shown) => {
    expect(displayName(byteStringFromText(text))).toBe(shown);
  });

  it('of invalid UTF-8 is written byte by byte where it is not plain', () => {
    expect(displayName('a\xff\x07\\' as ByteString)).toBe('a\\xff\\x07\\x5c');
  });

  it('moves no cursor and hides nothing, whatever its bytes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const shown = displayName(byteStringFromBytes(bytes));
        expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
      }),
      { numRuns: 500 },
    );
  });
});
