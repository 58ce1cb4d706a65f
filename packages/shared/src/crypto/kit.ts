import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist as english } from '@scure/bip39/wordlists/english.js';
import { wordlist as spanish } from '@scure/bip39/wordlists/spanish.js';
import { CofreError, type Language } from '../errors.ts';
import { RECOVERY_SECRET_BYTES } from './recovery-key.ts';

/**
 * The recovery kit as text. The 24 words (BIP 39) are the key and carry a checksum; everything else is for
 * people. A reader looks for 24 words of one of the lists on lines of their own, so a kit that somebody typed
 * off the paper works as well.
 */
export interface KitDetails {
  readonly tenantName: string;
  readonly serverAddress: string;
  readonly fingerprint: string;
  /** ISO date. */
  readonly created: string;
}

const WORD_COUNT = 24;
const WORD_LISTS: Readonly<Record<Language, string[]>> = { en: english, es: spanish };

export function recoveryWords(secret: Uint8Array, language: Language): string[] {
  return entropyToMnemonic(Uint8Array.from(secret), WORD_LISTS[language]).normalize('NFC').split(' ');
}

export function formatKit(secret: Uint8Array, details: KitDetails, language: Language): string {
  const words = recoveryWords(secret, language);
  const rows: string[] = [];
  for (let row = 0; row < WORD_COUNT; row += 4) rows.push(`    ${words.slice(row, row + 4).join('  ')}`);
  const text = KIT_TEXTS[language];
  return [
    text.title,
    '',
    ...text.warning,
    '',
    `${text.account}: ${details.tenantName}`,
    `${text.server}: ${details.serverAddress}`,
    `${text.fingerprint}: ${details.fingerprint}`,
    `${text.created}: ${details.created}`,
    '',
    `${text.words}:`,
    '',
    ...rows,
    '',
    ...text.use,
    '',
  ].join('\n');
}

/**
 * The secret of a kit.
 * @param source named in the error: a file
 * @throws CofreError `kit_unreadable`
 */
export function parseKit(text: string, source: string): Buffer {
  if (text.length > 65_536)
    throw new CofreError('kit_unreadable', { file: source, problem: 'it is too long' });
  let problem = 'there are no 24 words in it';
  for (const language of ['en', 'es'] as const) {
    for (const phrase of phrasesIn(text, language)) {
      try {
        const secret = mnemonicToEntropy(phrase.normalize('NFKD'), WORD_LISTS[language]);
        if (secret.length === RECOVERY_SECRET_BYTES) return Buffer.from(secret);
      } catch {
        problem = 'one of its 24 words is wrong';
      }
    }
  }
  throw new CofreError('kit_unreadable', { file: source, problem });
}

/**
 * Every run of exactly 24 words of the list on lines that hold nothing else. A line with any other word
 * ends a run: the checksum of 8 bits alone would take one wrong phrase in 256 for a key.
 */
function phrasesIn(text: string, language: Language): string[] {
  const known = new Set(WORD_LISTS[language].map((word) => word.normalize('NFC')));
  const phrases: string[] = [];
  let run: string[] = [];
  for (const line of [...text.normalize('NFC').toLowerCase().split(/\r?\n/), '.end.']) {
    const words = line.split(/[^\p{L}]+/u).filter((word) => word !== '');
    if (words.every((word) => known.has(word))) {
      run.push(...words);
    } else {
      if (run.length === WORD_COUNT) phrases.push(run.join(' '));
      run = [];
    }
  }
  return phrases;
}

const KIT_TEXTS = {
  en: {
    title: 'COFRE RECOVERY KIT',
    warning: [
      'Whoever holds these words can read every backup of this account.',
      'Without them nobody can: not the provider, not the makers of Cofre.',
      'Print this page, keep it away from the computers that it protects,',
      'and do not send it to anybody.',
    ],
    account: 'Account',
    server: 'Server',
    fingerprint: 'Fingerprint',
    created: 'Made on',
    words: 'Recovery key',
    use: [
      'To restore: enrol any computer with a new line, then',
      '    cofre restore latest --target FOLDER --kit THIS-FILE',
    ],
  },
  es: {
    title: 'KIT DE RECUPERACIÓN DE COFRE',
    warning: [
      'Quien tenga estas palabras puede leer todos los respaldos de esta cuenta.',
      'Sin ellas nadie puede: ni el proveedor ni los autores de Cofre.',
      'Imprima esta hoja, guárdela lejos de los equipos que protege',
      'y no se la envíe a nadie.',
    ],
    account: 'Cuenta',
    server: 'Servidor',
    fingerprint: 'Huella',
    created: 'Creado el',
    words: 'Clave de recuperación',
    use: [
      'Para restaurar: registre cualquier equipo con una línea nueva y luego',
      '    cofre restore latest --target CARPETA --kit ESTE-ARCHIVO',
    ],
  },
} as const;
