import { readFile } from 'node:fs/promises';
import { sha256 } from '@cofre/shared/hash';
import { isNotThere, isUnreadable } from '../../platform/storage-failure.ts';
import type { ObjectSummary } from '../index/objects.store.ts';

/** What is to be done about an object that is not the same in the store and in the index. */
export type ObjectMending =
  | { readonly action: 'none' }
  | { readonly action: 'rewrite_file'; readonly what: string; readonly bytes: Uint8Array }
  | { readonly action: 'mend_row'; readonly what: string; readonly bytes: Uint8Array }
  | { readonly action: 'impossible'; readonly what: string };

/**
 * Of an object there are three: its file, its bytes in the index, and their hash there. Two that agree prove the third
 * wrong. @param file null when it is not there, or can't be read
 */
export function planMending(object: ObjectSummary, file: Buffer | null, isThere: boolean): ObjectMending {
  const isRowSound = sha256(object.bytes).equals(object.sha256);
  const isSame = file !== null && file.equals(object.bytes);
  if (isRowSound) {
    if (isSame) return { action: 'none' };
    const what = isThere ? 'object_damaged' : 'object_missing';
    return { action: 'rewrite_file', what, bytes: object.bytes };
  }
  const isFileSound = file !== null && (isSame || sha256(file).equals(object.sha256));
  return isFileSound
    ? { action: 'mend_row', what: 'object_row_damaged', bytes: file }
    : { action: 'impossible', what: 'object_lost' };
}

/** The file of an object; no bytes when it is not there, or can't be read. */
export async function readObject(path: string): Promise<{ bytes: Buffer | null; isThere: boolean }> {
  try {
    return { bytes: await readFile(path), isThere: true };
  } catch (error) {
    if (isNotThere(error)) return { bytes: null, isThere: false };
    if (isUnreadable(error)) return { bytes: null, isThere: true };
    throw error;
  }
}
