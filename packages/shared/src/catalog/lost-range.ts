import type { ByteString } from '../bytes.ts';
import { CofreError, type ErrorCode } from '../errors.ts';
import type { ChunkId } from '../ids.ts';
import { pathOfKey, type CatalogKey } from './catalog-key.ts';

/** Entries that a catalog does not give any more, because one of its nodes is lost with all that lies below. */
export interface LostRange {
  readonly nodeId: ChunkId;
  /** Key of the first of them. */
  readonly from: CatalogKey;
  /** Key of the first entry behind them, which may be lost as well; null: nothing comes behind. */
  readonly before: CatalogKey | null;
  readonly entryCount: number;
  /** What is wrong with the node. */
  readonly error: CofreError;
}

export type OnLost = (lost: LostRange) => void;

const LOSSES: ReadonlySet<ErrorCode> = new Set([
  'chunk_missing',
  'damaged',
  'unknown_format',
  // The keys that a node was sealed with cannot be had.
  'not_found',
  'untrusted',
  'wrong_key',
]);

/** Whether an error is about one node, so that others may be good. */
export function isNodeLoss(error: unknown): error is CofreError {
  return error instanceof CofreError && LOSSES.has(error.code);
}

/** The path of a key that stands in an inner node, to be shown: nobody has checked that it is one. */
export function shownPathOf(key: CatalogKey): ByteString {
  try {
    return pathOfKey(key);
  } catch {
    return key.replaceAll(/\0+/g, '/') as ByteString;
  }
}
