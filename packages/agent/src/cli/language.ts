import type { Language } from '@cofre/shared/errors';

/** The language of messages: what `COFRE_LANGUAGE` says, else that of the surroundings, else English. */
export function languageOf(environment: Readonly<Record<string, string | undefined>>): Language {
  const names = ['COFRE_LANGUAGE', 'LC_ALL', 'LC_MESSAGES', 'LANG'];
  const wanted = names.map((name) => environment[name] ?? '').find((value) => value !== '') ?? '';
  return wanted.toLowerCase().startsWith('es') ? 'es' : 'en';
}
