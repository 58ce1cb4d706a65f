import { expect, test } from 'vitest';
import { preferredLanguage } from './language.ts';

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['es', 'es'],
  ['es-419', 'es'],
  ['ES-ar, en;q=0.9', 'es'],
  ['en;q=0.5, es;q=0.6', 'es'],
  ['es;q=0.1, en', 'en'],
  ['fr, de;q=0.9', 'en'],
  ['fr, es;q=0.2', 'es'],
  ['es;q=0', 'en'],
  ['es;q=nonsense', 'en'],
  ['est', 'en'],
])('%j means %s', (header, language) => {
  expect(preferredLanguage(header)).toBe(language);
});
