import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId } from '@cofre/shared/ids';
import type { FetchNodes } from '@cofre/shared/catalog/catalog-reader';
import { ChunkFeed } from '../restore/chunk-feed.ts';
import { jobWorkersFor } from '../restore/job-workers.ts';
import type { LostReason } from '../restore/restore-job.ts';
import type { ReadableSnapshot } from '../vault-reader/snapshot.ts';
import type { VaultReader } from '../vault-reader/vault-reader.ts';
import { walkCatalog, type CatalogProblem } from './catalog-walk.ts';
import { CompactIdSet } from './compact-id-set.ts';
import { ContentCheck } from './content-check.ts';
import { AffectedPaths, type VerifyTally } from './verify-tally.ts';

type LostChunks = ReadonlyMap<ChunkId, LostReason>;

export interface VerifyParts {
  readonly vault: VaultReader;
  readonly tally: VerifyTally;
  readonly signal: AbortSignal;
  readonly readData: boolean;
}

/**
 * Verifies the catalogs, and if asked the content, of snapshots of one domain. What several of them share is
 * looked at once; where something is lost, all catalogs are walked again to say what it concerns.
 */
export async function verifyDomain(
  parts: VerifyParts,
  snapshots: readonly ReadableSnapshot[],
): Promise<void> {
  const [first] = snapshots;
  if (first === undefined) return;
  const nodes = await parts.vault.nodes(first);
  const content = parts.readData ? await contentCheck(parts, snapshots) : null;
  const onAbort = () => content?.fail(new CofreError('interrupted'));
  parts.signal.addEventListener('abort', onAbort);
  try {
    const isCatalogWhole = await walkOnce(parts, nodes, snapshots, content);
    parts.tally.begin('content');
    await content?.finish();
    const lost: LostChunks = content?.lost ?? new Map();
    if (!isCatalogWhole || lost.size > 0) await nameAffected(parts, nodes, snapshots, lost);
  } finally {
    parts.signal.removeEventListener('abort', onAbort);
    await content?.close();
  }
}

async function contentCheck(
  { vault, tally }: VerifyParts,
  snapshots: readonly ReadableSnapshot[],
): Promise<ContentCheck> {
  const [first] = snapshots as readonly [ReadableSnapshot];
  const amounts = snapshots.map(({ manifest }) => manifest.statistics);
  const largest = { files: 0, bytes: Math.max(...amounts.map(({ bytes }) => bytes)) };
  const workers = jobWorkersFor(await vault.domainSecrets(first), largest);
  return new ContentCheck(new ChunkFeed(vault, first.manifest.domainId), workers, tally);
}

/** Looks at each node once, gathers the chunks. @returns whether nothing was wrong */
async function walkOnce(
  { tally, signal }: VerifyParts,
  nodes: FetchNodes,
  snapshots: readonly ReadableSnapshot[],
  content: ContentCheck | null,
): Promise<boolean> {
  const seen = new CompactIdSet();
  let isWhole = true;
  tally.begin('catalogs');
  const readAndFetch: FetchNodes = async (ids) => {
    if (signal.aborted) throw new CofreError('interrupted');
    await content?.read();
    return await nodes(ids);
  };
  for (const { manifest } of snapshots) {
    await walkCatalog(readAndFetch, manifest.catalogRoot, {
      isSkipped: (id) => !seen.add(id),
      onContent: (_, slices) => {
        for (const { chunkId } of slices) content?.add(chunkId);
      },
      onProblem: () => (isWhole = false),
    });
    tally.snapshotDone();
  }
  return isWhole;
}

/** Walks whole catalogs and tells, for each snapshot, which of its paths need something that is lost. */
async function nameAffected(
  { tally, signal }: VerifyParts,
  nodes: FetchNodes,
  snapshots: readonly ReadableSnapshot[],
  lost: LostChunks,
): Promise<void> {
  tally.begin('naming');
  const fetch: FetchNodes = async (ids) => {
    if (signal.aborted) throw new CofreError('interrupted');
    return await nodes(ids);
  };
  for (const { manifest, snapshotId } of snapshots) {
    const [gone, later] = [new AffectedContent(), new AffectedContent()];
    const listsSeen = new Set<string>();
    const problems: CatalogProblem[] = [];
    await walkCatalog(fetch, manifest.catalogRoot, {
      isSkipped: (id, path) => path !== null && !addNew(listsSeen, `${path}\0${id}`),
      onContent: (path: ByteString, slices) => {
        for (const { chunkId } of slices) {
          const reason = lost.get(chunkId);
          if (reason !== undefined) (reason === 'later-format' ? later : gone).add(chunkId, path);
        }
      },
      onProblem: (problem) => void problems.push(problem),
    });
    for (const { code, detail, path } of problems) {
      const concerned = new AffectedPaths();
      concerned.add(path);
      tally.finding(code, snapshotId, detail, concerned);
    }
    if (gone.chunks.size > 0)
      tally.finding('content_lost', snapshotId, `${gone.chunks.size} chunks`, gone.paths);
    if (later.chunks.size > 0) {
      const detail = `a newer version of Cofre wrote ${later.chunks.size} chunks`;
      tally.finding('content_unknown_format', snapshotId, detail, later.paths);
    }
  }
}

/** Chunks of one snapshot that are lost in one way, and the paths that need them. */
class AffectedContent {
  readonly chunks = new Set<ChunkId>();
  readonly paths = new AffectedPaths();

  add(chunkId: ChunkId, path: ByteString): void {
    this.chunks.add(chunkId);
    this.paths.add(path);
  }
}

function addNew(set: Set<string>, value: string): boolean {
  if (set.has(value)) return false;
  set.add(value);
  return true;
}
