import { X509Certificate } from 'node:crypto';
import { CofreError } from '@cofre/shared/errors';
import { sha256 } from '@cofre/shared/hash';

/** Under which address computers reach this server, and by what they know it. */
export interface PublicAddress {
  /** Origin, such as `https://backup.example:8443`. */
  readonly address: string;
  /** SHA-256 of the certificate in DER, hexadecimal; null for plain http on loopback. */
  readonly certificatePin: string | null;
}

/**
 * The pin of the certificate that the server shows.
 * @param pem the file of `--tls-cert`: the server's own certificate comes first in it
 * @throws CofreError `settings_invalid`
 */
export function certificatePin(pem: Buffer): string {
  try {
    return sha256(new X509Certificate(pem).raw).toString('hex');
  } catch (cause) {
    const problem = 'the file holds no certificate in PEM';
    throw new CofreError('settings_invalid', { setting: '--tls-cert', problem }, { cause });
  }
}
