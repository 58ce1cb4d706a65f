import { expect, test } from 'vitest';
import { languageOf } from './language.ts';

test.each([
  [{ LANG: 'es_BO.UTF-8' }, 'es'],
  [{ LANG: 'en_US.UTF-8' }, 'en'],
  [{ LANG: 'de_DE.UTF-8' }, 'en'],
  [{ LANG: 'es_BO.UTF-8', LC_ALL: 'C' }, 'en'],
  [{ LANG: 'en_US.UTF-8', COFRE_LANGUAGE: 'es' }, 'es'],
  [{ LANG: 'es_BO.UTF-8', COFRE_LANGUAGE: 'en' }, 'en'],
  [{ COFRE_LANGUAGE: '', LC_ALL: '', LANG: 'es' }, 'es'],
  [{}, 'en'],
] as const)('%j speaks %s', (environment, language) => {
  expect(languageOf(environment)).toBe(language);
});
