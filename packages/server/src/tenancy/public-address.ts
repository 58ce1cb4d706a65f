import { X509Certificate } from 'node:crypto';
import { CofreError } from '@cofre/shared/errors';
import { sha256 } from '@cofre/shared/hash';
import { originOf, type ListenAddress } from './listen-address.ts';

/** Under which address computers reach this server, and by what they know it. */
export interface PublicAddress {
  /** Origin, such as `https://backup.example:8443`. */
  readonly address: string;
  /** SHA-256 of the certificate in DER, hexadecimal; null for plain http on loopback. */
  readonly certificatePin: string | null;
}

export interface AddressSettings {
  /** Where the server listens. */
  readonly listen: ListenAddress | null;
  /** What computers are told instead, where that differs. */
  readonly publicUrl: string | null;
  /** The certificate that the server shows, in PEM; null without TLS. */
  readonly certificate: Buffer | null;
}

const EVERY_INTERFACE = new Set(['0.0.0.0', '::']);

/** @throws CofreError `settings_invalid` when computers could not reach the server by what is known */
export function publicAddressFrom({ listen, publicUrl, certificate }: AddressSettings): PublicAddress {
  const pin = certificate === null ? null : certificatePin(certificate);
  if (publicUrl !== null) {
    const url = parsePublicUrl(publicUrl);
    const hasTls = url.protocol === 'https:';
    if (hasTls && pin === null) refuse('--tls-cert', 'it is needed for a public URL with https');
    return { address: url.origin, certificatePin: hasTls ? pin : null };
  }
  if (listen === null) refuse('--listen', 'it is not known where the server listens');
  if (EVERY_INTERFACE.has(listen.host)) {
    refuse('--public-url', 'it is needed, because the server listens on every interface');
  }
  return { address: originOf(listen, pin !== null), certificatePin: pin };
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
    return refuse('--tls-cert', 'the file holds no certificate in PEM', cause);
  }
}

function parsePublicUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return refuse('--public-url', 'it is no http address');
  return url;
}

function refuse(setting: string, problem: string, cause?: unknown): never {
  throw new CofreError('settings_invalid', { setting, problem }, { cause });
}
