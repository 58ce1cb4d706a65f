import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects the whole heap, or only what is young: some tenths of a millisecond. */
export type CollectGarbage = (options?: { readonly type: 'minor' }) => void;

/** The collector by a way that is not documented; null where it does not lead anywhere, which costs memory only. */
export function exposedCollector(): CollectGarbage | null {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('globalThis.gc');
  return typeof exposed === 'function' ? (exposed as CollectGarbage) : null;
}
