import { deriveKey } from '@cofre/shared/hash';

export const CDC_KEY_BYTES = 32;
export const GEAR_TABLE_BYTES = 256 * 8;
export const SIP_KEY_BYTES = 16;

export interface ChunkerKeys {
  /** 256 words of 64 bits, little-endian. */
  readonly gearTable: Uint8Array;
  readonly sipKey: Uint8Array;
}

/** Two keys that tell nothing of one another: knowing the whole gear table says nothing about SipHash's key. */
export function deriveChunkerKeys(cdcKey: Uint8Array): ChunkerKeys {
  if (cdcKey.length !== CDC_KEY_BYTES) {
    throw new RangeError(`a cdcKey has ${CDC_KEY_BYTES} bytes, not ${cdcKey.length}`);
  }
  return {
    gearTable: deriveKey(cdcKey, 'cofre/v1/chunker/gear-table', GEAR_TABLE_BYTES),
    sipKey: deriveKey(cdcKey, 'cofre/v1/chunker/sip-key', SIP_KEY_BYTES),
  };
}
