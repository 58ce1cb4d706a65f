import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist as english } from '@scure/bip39/wordlists/english.js';
import { wordlist as spanish } from '@scure/bip39/wordlists/spanish.js';
import { byteStringFromText, displayName } from '../bytes.ts';
import { CofreError, type Language } from '../errors.ts';
import { LIMITS } from '../limits.ts';

/**
 * The recovery kit as text. The 24 words (BIP 39) are the key and carry a checksum; everything else is for
 * people. A reader looks for 24 words of one of the lists on lines of their own, so a kit that somebody typed
 * off the paper works as well: in any case, with or without accents and numbers, however broken into lines.
 */
export interface KitDetails {
  readonly tenantName: string;
  readonly serverAddress: string;
  readonly fingerprint: string;
  /** ISO date. */
  readonly created: string;
}

const WORD_COUNT = 24;
const KIT_CHARACTERS_MAX = 65_536;
const LINE_END = /\r\n|[\n\r\u0085\u2028\u2029]/;
/** A line that begins with letters and a colon, as all do that hold something which somebody else chose. */
const LABEL = /^[^\p{L}\d]*\p{L}[^:]*:/u;
const WORD_LISTS: Readonly<Record<Language, string[]>> = { en: english, es: spanish };

/** The 24 words of a secret of 32 bytes, accents composed. */
export function recoveryWords(secret: Uint8Array, language: Language): string[] {
  return entropyToMnemonic(Uint8Array.from(secret), WORD_LISTS[language]).normalize('NFC').split(' ');
}

/** The text of a kit, ready to be printed. What a server may have chosen stays on its line, with control characters escaped. */
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
    `${text.account}: ${oneLine(details.tenantName)}`,
    `${text.server}: ${oneLine(details.serverAddress)}`,
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
 * @throws CofreError `kit_unreadable`, also when more than one key is in it
 */
export function parseKit(text: string, source: string): Buffer {
  if (text.length > KIT_CHARACTERS_MAX) refuse(source, 'it is too long');
  const secrets = new Map<string, Buffer>();
  let hasPhrase = false;
  for (const language of ['en', 'es'] as const) {
    for (const phrase of phrasesIn(text, language)) {
      hasPhrase = true;
      const secret = secretOf(phrase, language);
      if (secret !== null) secrets.set(secret.toString('hex'), secret);
    }
  }
  const [secret] = secrets.values();
  if (secrets.size > 1) refuse(source, 'there is more than one key in it');
  if (secret !== undefined) return secret;
  return refuse(source, hasPhrase ? 'one of its 24 words is wrong' : 'there are no 24 words in it');
}

/** Null when the checksum is wrong. */
function secretOf(phrase: string, language: Language): Buffer | null {
  try {
    return Buffer.from(mnemonicToEntropy(phrase, WORD_LISTS[language]));
  } catch {
    return null;
  }
}

/**
 * Every run of exactly 24 words of the list on lines that hold nothing else. A line with any other word ends a run,
 * and so does a line that begins with a label, even one whose words are all in the list: otherwise, with a checksum
 * of 8 bits, whoever chose the name of an account could choose its key.
 */
function phrasesIn(text: string, language: Language): string[] {
  const known = new Map(WORD_LISTS[language].map((word) => [unaccented(word), word]));
  const phrases: string[] = [];
  let run: string[] = [];
  for (const line of [...text.normalize('NFC').toLowerCase().split(LINE_END), 'end:']) {
    const words = line.split(/[^\p{L}]+/u).filter((word) => word !== '');
    const found = words.flatMap((word) => known.get(unaccented(word)) ?? []);
    if (found.length === words.length && !LABEL.test(line)) {
      run.push(...found);
    } else {
      if (run.length === WORD_COUNT) phrases.push(run.join(' '));
      run = [];
    }
  }
  return phrases;
}

/** Words of a list differ without their accents too, so that any keyboard will do (BIP 39). */
function unaccented(word: string): string {
  return word.normalize('NFD').replace(/\p{M}/gu, '');
}

/** A name that a server chose, so that it is one line and nothing but a name. */
function oneLine(name: string): string {
  return displayName(byteStringFromText(name.slice(0, LIMITS.nameCharactersMax)));
}

function refuse(source: string, problem: string): never {
  throw new CofreError('kit_unreadable', { file: source, problem });
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
