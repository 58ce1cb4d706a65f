import type { Language } from '@cofre/shared/errors';

/** The language of `Accept-Language` (RFC 9110) that we have and that is wanted most; English when it names none. */
export function preferredLanguage(acceptLanguage: string | undefined): Language {
  let best: Language = 'en';
  let bestWeight = 0;
  for (const part of (acceptLanguage ?? '').slice(0, 1000).split(',')) {
    const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
    const language = /^(en|es)(-|$)/.exec(tag)?.[1] as Language | undefined;
    const weight = weightFrom(parameters);
    if (language === undefined || !(weight > bestWeight)) continue;
    best = language;
    bestWeight = weight;
  }
  return best;
}

function weightFrom(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.trim().startsWith('q='));
  return weight === undefined ? 1 : Number(weight.trim().slice(2));
}
