import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { sha256 } from '../hash.ts';
import { formatEnrolmentLine, parseEnrolmentLine, type EnrolmentLine } from './enrolment-line.ts';

const LINE: EnrolmentLine = {
  address: 'https://backup.example:8443',
  code: 'abcdefghijklmnopqrst2345',
  certificatePin: sha256(Buffer.from('a certificate')).toString('hex'),
};
const LOOPBACK: EnrolmentLine = { ...LINE, address: 'http://127.0.0.1:8080', certificatePin: null };

/** A line with the right check behind whatever is in front of it. */
function checked(body: string): string {
  return `${body}.${sha256(Buffer.from(body, 'utf8')).toString('base64url').slice(0, 6)}`;
}

const refused = (text: string) => refusalOf(() => parseEnrolmentLine(text));

describe('an enrolment line', () => {
  it('gives back what it was made of', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    );
    fc.assert(
      fc.property(host, fc.integer({ min: 1024, max: 65_535 }), fc.boolean(), (name, port, hasTls) => {
        const { origin } = new URL(`${hasTls ? 'https' : 'http'}://${name}:${port}`);
        const line = { ...LINE, address: origin, certificatePin: hasTls ? LINE.certificatePin : null };
        expect(parseEnrolmentLine(formatEnrolmentLine(line))).toEqual(line);
      }),
    );
  });

  it('may have spaces and line ends around it, as things that are pasted do', () => {
    expect(parseEnrolmentLine(`  ${formatEnrolmentLine(LINE)}\r\n`)).toEqual(LINE);
  });

  it('is one word that shells leave as it is', () => {
    for (const line of [LINE, LOOPBACK]) expect(formatEnrolmentLine(line)).toMatch(/^[A-Za-z0-9:/#._-]+$/);
  });

  it.each([LINE, LOOPBACK])(
    'is refused with any one character changed, left out or doubled: %o',
    (details) => {
      const line = formatEnrolmentLine(details);
      const characters = ['a', 'B', '7', '-', '_', '.', '#', '/', ':', ' ', 'ñ', '\0'];
      const accepted: string[] = [];
      for (let at = 0; at < line.length; at++) {
        const [before, here, after] = [line.slice(0, at), line[at] as string, line.slice(at + 1)];
        const changes = [
          before + after,
          before + here + here + after,
          ...characters.filter((one) => one !== here).map((one) => before + one + after),
        ];
        accepted.push(...changes.filter((one) => refused(one) !== 'enrolment_line_invalid'));
      }
      expect(accepted).toEqual([]);
    },
  );

  it('is refused when it is cut anywhere', () => {
    const line = formatEnrolmentLine(LINE);
    for (let length = 0; length < line.length; length++) {
      expect(refused(line.slice(0, length))).toBe('enrolment_line_invalid');
    }
  });

  it('is refused when two characters have changed places', () => {
    const line = formatEnrolmentLine(LINE);
    for (let at = 0; at + 1 < line.length; at++) {
      const [one, two] = [line[at] as string, line[at + 1] as string];
      const swapped = line.slice(0, at) + two + one + line.slice(at + 2);
      expect(refused(swapped)).toBe(one === two ? null : 'enrolment_line_invalid');
    }
  });

  const pin = Buffer.from(LINE.certificatePin as string, 'hex').toString('base64url');
  it.each([
    ['without a pin for https', `cofre1:${LINE.address}#${LINE.code}.-`],
    ['with a code that is too short', `cofre1:${LINE.address}#abc.${pin}`],
    ['with a path behind the address', `cofre1:${LINE.address}/x#${LINE.code}.${pin}`],
    ['with a password in the address', `cofre1:https://a:b@backup.example#${LINE.code}.${pin}`],
    ['with another protocol', `cofre1:ftp://backup.example#${LINE.code}.${pin}`],
    ['with a host that is none', `cofre1:https://#${LINE.code}.${pin}`],
    ['with a port that is none', `cofre1:https://backup.example:99999#${LINE.code}.${pin}`],
    ['of another version', `cofre2:${LINE.address}#${LINE.code}.${pin}`],
    ['that is too long', `cofre1:https://${'a'.repeat(2000)}.example#${LINE.code}.${pin}`],
  ])('is refused %s, though its check is right', (_, body) => {
    expect(refused(checked(body))).toBe('enrolment_line_invalid');
  });
});
