import { CofreError } from '@cofre/shared/errors';
import { hasLostContent, type Entry } from '@cofre/shared/format/entry';
import type { ReadableSnapshot } from '../vault-reader/snapshot.ts';
import { VaultReader } from '../vault-reader/vault-reader.ts';
import type { AgentContext } from '../state/agent-context.ts';
import { LostEntries } from '../vault-reader/lost-entries.ts';
import { ChunkFeed } from './chunk-feed.ts';
import { jobWorkersFor } from './job-workers.ts';
import { RestoreRun } from './restore-run.ts';
import { RestoreTally } from './restore-tally.ts';
import type { RestoreObserver, RestoreOptions, RestoreSummary } from './restore.ts';
import { selectEntries, type Selection } from './select-entries.ts';
import { openRestoreTarget } from './target/disk-target.ts';

/**
 * Restores a snapshot, or the paths of it that are asked for, below a folder: the content of each path at its
 * absolute path. Content that is lost costs the files that need it, which are left out (nothing that looks
 * whole is left of them) and named; a part of the catalog that is lost costs the entries in it, of which the range is
 * told. Everything else is restored, and `failure` in the summary says so.
 *
 * @param signal ends the restore early: files that are not complete are removed
 * @throws CofreError for what stands against the restore as a whole: as `openTrust` and `resolveSnapshot`,
 *   `path_not_found`, `target_not_empty`, `target_unsafe`, `target_full`, `server_unreachable`, `interrupted`;
 *   `chunk_missing`, `damaged` and `unknown_format` for the root of the catalog
 */
export async function runRestore(
  context: AgentContext,
  options: RestoreOptions,
  observer: RestoreObserver,
  signal: AbortSignal,
): Promise<RestoreSummary> {
  const lost = new LostEntries(observer.onLost);
  const tally = new RestoreTally(observer, lost);
  tally.tell('opening');
  const vault = await VaultReader.open(context, options.kit);
  const snapshot = await vault.resolve(options);
  const catalog = await vault.catalog(snapshot, lost.note);
  await catalog.checkRoot();
  const selection = await selectEntries(catalog, options.paths, lost);
  if (options.isDryRun) return await countOnly(snapshot, selection, tally, signal);
  const totals = await totalsOf(snapshot, selection, signal);
  tally.expect(totals);
  const target = openRestoreTarget(options.target, options);
  try {
    const workers = jobWorkersFor(await vault.domainSecrets(snapshot), totals);
    const feed = new ChunkFeed(vault, snapshot.manifest.domainId);
    const run = new RestoreRun({ target, catalog, tally, feed, workers, lost });
    const report = await run.restore(selection, signal);
    return tally.summary(snapshot, report);
  } catch (error) {
    throw isFull(error) ? new CofreError('target_full', { path: options.target }, { cause: error }) : error;
  } finally {
    target.close();
  }
}

async function countOnly(
  snapshot: ReadableSnapshot,
  selection: Selection,
  tally: RestoreTally,
  signal: AbortSignal,
): Promise<RestoreSummary> {
  for await (const items of selection.batches()) {
    if (signal.aborted) throw new CofreError('interrupted');
    for (const { path, entry } of items) {
      tally.entry(path, entry);
      if (isFileWithContent(entry)) {
        tally.fileDone(path, entry.size, hasLostContent(entry) ? 'missing' : 'restored');
      }
    }
  }
  tally.tell('done');
  return tally.summary(snapshot, null);
}

/** A whole snapshot says how much it is; parts of it are counted. */
async function totalsOf({ manifest }: ReadableSnapshot, selection: Selection, signal: AbortSignal) {
  if (selection.isEverything) return manifest.statistics;
  const totals = { files: 0, bytes: 0 };
  for await (const items of selection.batches()) {
    if (signal.aborted) throw new CofreError('interrupted');
    for (const { entry } of items) {
      if (entry.type === 'file') totals.files += 1;
      if (isFileWithContent(entry)) totals.bytes += entry.size;
    }
  }
  return totals;
}

function isFileWithContent({ type, hardLinkTo }: Pick<Entry, 'type' | 'hardLinkTo'>): boolean {
  return (type === 'file' || type === 'stream') && hardLinkTo === undefined;
}

/** The file at which the space ended says less than where it ended. */
function isFull(error: unknown): boolean {
  return error instanceof CofreError && error.code === 'target_full';
}
