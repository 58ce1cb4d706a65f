import type { ByteString } from '@cofre/shared/bytes';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { HalfSipHash } from '@cofre/shared/catalog/half-sip-hash';
import { LIMITS } from '@cofre/shared/limits';
import type { FileStatus } from '../platform/file-status.ts';

/** A file that waits to be read. */
export interface PendingFile {
  readonly path: ByteString;
  readonly key: CatalogKey;
  readonly status: FileStatus;
}

const BUNDLE_BYTES_MIN = 2 * 1024 * 1024;
const BUNDLE_BYTES_AVERAGE = 5 * 1024 * 1024;
/** What a file costs beside its bytes: so that a run of empty files is a bundle as well. */
const FILE_COST_BYTES = 512;
/**
 * Entries of the walk that may come behind the first file of an open bundle. They all wait for that file, and the
 * walk waits for them: a bundle that stayed open until it is full would never be read in a tree without changes.
 */
const BUNDLE_SPAN_ENTRIES_MAX = 4096;

/**
 * Groups small files, in the order of the catalog, into bundles that are read and cut as one stream. Where a
 * bundle ends depends on a keyed hash of the last file's key, not on what came before: so a file more at the
 * beginning moves one boundary, not all of them.
 */
export class Bundler<File extends PendingFile = PendingFile> {
  private readonly endHash: HalfSipHash;
  private files: File[] = [];
  private bytes = 0;
  private firstPlace = 0;

  /** @param key 8 bytes */
  constructor(key: Uint8Array) {
    this.endHash = new HalfSipHash(key);
  }

  /**
   * Adds a file; gives the bundles that are complete: none, one, or the one before as well.
   * @param place where it stands among all entries of the walk
   */
  add(file: File, place: number): File[][] {
    const complete: File[][] = [];
    const cost = file.status.sizeBytes + FILE_COST_BYTES;
    if (this.bytes + cost > LIMITS.bundleBytesMax || this.files.length >= LIMITS.bundleFilesMax) {
      complete.push(this.take());
    }
    if (this.files.length === 0) this.firstPlace = place;
    this.files.push(file);
    this.bytes += cost;
    if (this.endsHere(file.key, cost)) complete.push(this.take());
    return complete;
  }

  /** The open bundle if too many entries have come since its first file, else none. */
  takeLate(place: number): File[] {
    return this.files.length > 0 && place - this.firstPlace >= BUNDLE_SPAN_ENTRIES_MAX ? this.take() : [];
  }

  /** What is left. */
  take(): File[] {
    const { files } = this;
    this.files = [];
    this.bytes = 0;
    return files;
  }

  private endsHere(key: CatalogKey, cost: number): boolean {
    if (this.bytes < BUNDLE_BYTES_MIN) return false;
    const share = cost / (BUNDLE_BYTES_AVERAGE - BUNDLE_BYTES_MIN);
    return this.endHash.hash(key) < share * 2 ** 32;
  }
}
