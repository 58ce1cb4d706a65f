import { bech32 } from '@scure/base';

/** An age identity (hybrid ML-KEM-768 and X25519) and its recipient. */
export interface AgeKeyPair {
  /** `AGE-SECRET-KEY-PQ-1…` */
  readonly identity: string;
  /** `age1pq1…` */
  readonly recipient: string;
}

/** @param seed 32 uniformly random or derived bytes; the same seed gives the same pair */
export async function ageKeyPairFromSeed(seed: Uint8Array): Promise<AgeKeyPair> {
  const { identityToRecipient } = await import('age-encryption');
  const identity = bech32.encodeFromBytes('AGE-SECRET-KEY-PQ-', Uint8Array.from(seed)).toUpperCase();
  return { identity, recipient: await identityToRecipient(identity) };
}
