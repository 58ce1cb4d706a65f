import { byteStringFromText, displayName, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { compileExcludes } from '../source/filters.ts';
import { walk } from '../source/walk.ts';
import type { WalkItem } from '../source/walk-item.ts';
import type { BackupOptions } from './backup.ts';
import type { EntryQueue } from './entry-queue.ts';
import { HeapKeeper } from './pipeline/garbage.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';
import type { SourceScan } from './source-scan.ts';

/** Entries that may wait behind a file that is still being read: bounds memory, keeps the workers fed. */
const QUEUED_ENTRIES_MAX = 16_384;

export interface ScanLoop {
  readonly options: BackupOptions;
  readonly ownPaths: readonly ByteString[];
  readonly scan: SourceScan;
  readonly queue: EntryQueue;
  readonly writer: SnapshotWriter;
  readonly pipeline: Pipeline;
  readonly signal: AbortSignal;
  /** Called often: after each batch of the walk and each change of the queue. */
  readonly onStep: (path: ByteString | null) => void;
}

/**
 * Walks the source to its end, and on until every entry is in the catalog. The walk waits when the workers
 * have enough to do, so nothing grows with the size of the tree.
 * @throws CofreError `path_not_found` when none of the roots exists
 */
export async function scanSource(loop: ScanLoop): Promise<void> {
  const { options, scan, queue, pipeline } = loop;
  const missingRoots = new Set<string>();
  const heap = new HeapKeeper();
  const items = walk(
    options.roots.map((root) => `/${root}` as ByteString),
    {
      oneFileSystem: options.oneFileSystem,
      excludeCaches: options.excludeCaches,
      isExcluded: compileExcludes(options.excludes.map((pattern) => byteStringFromText(pattern))),
      ownPaths: loop.ownPaths,
    },
  );
  for (const batch of items) {
    for (const item of batch) {
      if (isMissingRoot(item)) missingRoots.add(item.path);
      scan.take(item);
    }
    await step(loop, batch.at(-1)?.path ?? null);
    heap.check();
    await pipeline.pool.room();
    while (queue.length > QUEUED_ENTRIES_MAX) await waitForEntries(loop);
  }
  refuseNothing(missingRoots, options.roots);
  scan.finish();
  await step(loop, null);
  while (queue.length > 0) await waitForEntries(loop);
}

async function waitForEntries(loop: ScanLoop): Promise<void> {
  await loop.queue.change();
  await step(loop, null);
}

async function step(loop: ScanLoop, path: ByteString | null): Promise<void> {
  if (loop.signal.aborted) throw new CofreError('interrupted');
  loop.scan.throwFailure();
  loop.pipeline.sender.throwFailure();
  await loop.writer.takeFrom(loop.queue);
  loop.onStep(path);
  // The walk is synchronous: without this, answers of the server would wait for its end.
  await new Promise<void>((resolve) => setImmediate(resolve));
}

function isMissingRoot(item: WalkItem): boolean {
  return item.kind === 'problem' && item.isRoot && item.step === 'status';
}

function refuseNothing(missing: ReadonlySet<string>, roots: readonly ByteString[]): void {
  const [first] = missing;
  if (first === undefined || roots.some((root) => !missing.has(root))) return;
  throw new CofreError('path_not_found', { path: displayName(`/${first}` as ByteString) });
}
