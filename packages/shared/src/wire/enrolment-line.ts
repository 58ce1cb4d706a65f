import { CofreError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import { LIMITS } from '../limits.ts';

/**
 * The one line that somebody pastes to enrol a computer:
 *
 *     cofre1:ADDRESS#CODE.PIN.CHECK
 *
 * ADDRESS is the server's URL, CODE the one-time code, PIN the SHA-256 of the server's certificate
 * (base64url, or `-` without TLS), CHECK six characters that find a line which was cut or mistyped.
 */
export interface EnrolmentLine {
  /** Origin of the server, such as `https://backup.example:8443`. */
  readonly address: string;
  readonly code: string;
  /** SHA-256 of the certificate (DER), hexadecimal; null for plain http on loopback. */
  readonly certificatePin: string | null;
}

const PREFIX = 'cofre1:';
const CHECK_CHARACTERS = 6;

/** The line for a person to paste. The address has to be an origin, as `URL.origin` gives it. */
export function formatEnrolmentLine(line: EnrolmentLine): string {
  const pin =
    line.certificatePin === null ? '-' : Buffer.from(line.certificatePin, 'hex').toString('base64url');
  const body = `${PREFIX}${line.address}#${line.code}.${pin}`;
  return `${body}.${checkOf(body)}`;
}

/** @throws CofreError `enrolment_line_invalid` */
export function parseEnrolmentLine(text: string): EnrolmentLine {
  const line = text.trim();
  if (line.length > LIMITS.enrolmentLineCharactersMax) refuse('it is too long');
  if (!line.startsWith(PREFIX)) refuse(`it does not begin with "${PREFIX}"`);
  const lastDot = line.lastIndexOf('.');
  const body = line.slice(0, lastDot);
  const match = /^cofre1:(https?:\/\/[^#\s]+)#([a-z0-9]{20,64})\.(-|[A-Za-z0-9_-]{43})$/.exec(body);
  if (match === null) refuse('a part of it is missing');
  if (line.slice(lastDot + 1) !== checkOf(body)) refuse('its last characters do not match the rest');
  const [, address, code, pin] = match as unknown as [string, string, string, string];
  const url = parseAddress(address);
  if (url.origin !== address) refuse('its address is not one');
  if (url.protocol === 'https:' && pin === '-') refuse('the certificate pin is missing');
  return {
    address: url.origin,
    code,
    certificatePin: pin === '-' ? null : Buffer.from(pin, 'base64url').toString('hex'),
  };
}

function parseAddress(address: string): URL {
  try {
    return new URL(address);
  } catch {
    return refuse('its address is not one');
  }
}

function checkOf(body: string): string {
  return sha256(Buffer.from(body, 'utf8')).toString('base64url').slice(0, CHECK_CHARACTERS);
}

function refuse(problem: string): never {
  throw new CofreError('enrolment_line_invalid', { problem });
}
