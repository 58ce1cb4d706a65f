import { byteStringFromBytes, byteStringFromText } from '@cofre/shared/bytes';
import { expect, test } from 'vitest';
import { pathFields } from './path-fields.ts';

test.each(['/home/ana/Ñandú y más.txt', '/a\\b', '/emoji 😀', '/\ufffd'])('text stays text: %s', (path) => {
  expect(pathFields(byteStringFromText(path))).toEqual({ path });
});

test('bytes that are no text are given exactly beside something to show', () => {
  const bytes = Buffer.from('2f61ff62', 'hex');
  const fields = { path: '/a\\xffb', path_base64: bytes.toString('base64') };
  expect(pathFields(byteStringFromBytes(bytes))).toEqual(fields);
});

test('control characters are escaped and given exactly', () => {
  const path = '/line\nbreak\u001b[2J';
  expect(pathFields(byteStringFromText(path))).toEqual({
    path: '/line\\u{a}break\\u{1b}[2J',
    path_base64: Buffer.from(path).toString('base64'),
  });
});
