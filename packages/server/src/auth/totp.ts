import { Secret, TOTP } from 'otpauth';

const PERIOD_MS = 30_000;
const SECRET_BYTES = 20;
/** Steps before and after: phones whose clock is a little off, people who type slowly. */
const WINDOW_STEPS = 1;

/** A new secret for an authenticator app: 160 bits, base32. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** What an authenticator app reads from a QR code. */
export function totpUri(secret: string, login: string): string {
  return totpOf(secret, login).toString();
}

/** The time step to which a code belongs, or null when it is none of now. The caller sees to it that none works twice. */
export function totpStep(secret: string, code: string, nowMs: number): number | null {
  const delta = totpOf(secret, 'x').validate({ token: code, timestamp: nowMs, window: WINDOW_STEPS });
  return delta === null ? null : Math.floor(nowMs / PERIOD_MS) + delta;
}

function totpOf(secret: string, label: string): TOTP {
  // SHA-1 with 6 digits: what every authenticator app understands; the bound on attempts is what protects it.
  const options = { algorithm: 'SHA1', digits: 6, period: PERIOD_MS / 1000 };
  return new TOTP({ issuer: 'Cofre', label, secret: Secret.fromBase32(secret), ...options });
}
