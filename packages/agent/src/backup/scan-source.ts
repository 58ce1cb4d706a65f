import { displayName, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import type { PathPredicate } from '../source/filters.ts';
import { walk } from '../source/walk.ts';
import type { WalkItem } from '../source/walk-item.ts';
import type { BackupOptions } from './backup.ts';
import type { EntryQueue } from './entry-queue.ts';
import { HeapKeeper } from '../platform/heap-keeper.ts';
import type { RunEnding } from './run-ending.ts';
import type { SourceScan } from './source-scan.ts';

/**
 * Entries that may wait behind a file that is still being read: bounds memory, keeps the workers fed. More than an
 * open bundle may span, or the walk would wait for a bundle that waits for the walk.
 */
const QUEUED_ENTRIES_MAX = 8192;
/** What entries leave behind may gather up to this: workers need the rest of the agent's memory. */
const HEAP_GROWTH_BYTES_MAX = 16 * 1024 * 1024;

/** Takes finished entries from the front of the queue. */
export interface EntrySink {
  takeFrom(queue: EntryQueue): Promise<void>;
}

export interface ScanLoop {
  readonly options: BackupOptions;
  readonly isExcluded: PathPredicate;
  readonly ownPaths: readonly ByteString[];
  readonly scan: SourceScan;
  readonly queue: EntryQueue;
  readonly writer: EntrySink;
  /** Resolves when more files may be handed to whoever reads them. */
  readonly room: () => Promise<void>;
  readonly ending: RunEnding;
  /** Called often: after each batch of the walk, which is `scanning`, and after each change of the queue behind it. */
  readonly onStep: (phase: 'scanning' | 'sending', path: ByteString | null) => void;
  /** Called after each step, when all that was finished is in the catalog; the walk waits for it. */
  readonly afterStep: () => Promise<void>;
}

/**
 * Walks the source to its end, and on until every entry is in the catalog. The walk waits when the workers
 * have enough to do, so nothing grows with the size of the tree.
 * @throws CofreError `path_not_found` when none of the roots exists
 */
export async function scanSource(loop: ScanLoop): Promise<void> {
  const { options, scan, queue } = loop;
  const missingRoots = new Set<string>();
  const heap = new HeapKeeper(HEAP_GROWTH_BYTES_MAX);
  const items = walk(
    options.roots.map((root) => `/${root}` as ByteString),
    {
      oneFileSystem: options.oneFileSystem,
      excludeCaches: options.excludeCaches,
      isExcluded: loop.isExcluded,
      ownPaths: loop.ownPaths,
    },
  );
  for (const batch of items) {
    for (const item of batch) {
      if (isMissingRoot(item)) missingRoots.add(item.path);
      while (scan.carriesBefore(item)) await step(loop, 'scanning', item.path);
      scan.take(item);
    }
    await step(loop, 'scanning', batch.at(-1)?.path ?? null);
    heap.check();
    await loop.room();
    while (queue.length > QUEUED_ENTRIES_MAX) await waitForEntries(loop, 'scanning');
  }
  refuseNothing(missingRoots, options.roots);
  while (scan.carriesBefore(null)) await step(loop, 'scanning', null);
  scan.finish();
  await step(loop, 'sending', null);
  while (queue.length > 0) await waitForEntries(loop, 'sending');
}

async function waitForEntries(loop: ScanLoop, phase: 'scanning' | 'sending'): Promise<void> {
  await loop.ending.unlessEnded(loop.queue.change());
  await step(loop, phase, null);
}

async function step(loop: ScanLoop, phase: 'scanning' | 'sending', path: ByteString | null): Promise<void> {
  loop.ending.throwIfEnded();
  await loop.writer.takeFrom(loop.queue);
  loop.onStep(phase, path);
  await loop.afterStep();
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
