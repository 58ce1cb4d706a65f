import { CofreError } from '@cofre/shared/errors';
import { readBlobHeader } from '@cofre/shared/format/envelope/blob';
import type { ChunkId } from '@cofre/shared/ids';
import type { ReceivedChunk } from '../client/server-client.ts';
import type { AgentContext } from '../state/agent-context.ts';
import { fetchConfirmedRoster } from '../vault-reader/confirmed-roster.ts';
import { checkChains } from '../vault-reader/snapshot-chain.ts';
import { listSnapshots } from '../vault-reader/snapshot-list.ts';
import type { ReadableSnapshot, Snapshot } from '../vault-reader/snapshot.ts';
import { VaultReader } from '../vault-reader/vault-reader.ts';
import type { CatalogProblemCode } from './catalog-walk.ts';
import { verifyDomain } from './verify-domain.ts';
import { VerifyTally } from './verify-tally.ts';
import type { VerifyObserver, VerifyOptions, VerifySummary } from './verify.ts';

/**
 * Checks what can be restored: signatures and chains of all snapshots, with the kit their whole catalogs, with
 * `readData` every chunk that they need. Names what is wrong, with the snapshots and paths that it concerns,
 * and goes on.
 * @throws CofreError for what stands against the verification as a whole: as `openTrust`,
 *   `server_unreachable`, `interrupted`; `usage` for `readData` without the kit
 */
export async function verifySnapshots(
  context: AgentContext,
  options: VerifyOptions,
  observer: VerifyObserver,
  signal: AbortSignal,
): Promise<VerifySummary> {
  const tally = new VerifyTally(observer);
  if (options.kit === null) {
    if (options.readData)
      throw new CofreError('usage', { problem: 'Reading the data takes the kit: --kit FILE.' });
    await verifyWithoutKit(context, tally, signal);
  } else {
    const vault = await VaultReader.open(context, options.kit);
    const readable = judgeAll(await vault.snapshots(), tally);
    for (const ofDomain of groupByDomain(readable).values()) {
      await verifyDomain({ vault, tally, signal, readData: options.readData }, ofDomain);
    }
  }
  tally.begin('done');
  return tally.summary();
}

/** Without keys nothing is opened; what can be asked is whether each catalog has its root. */
async function verifyWithoutKit(
  context: AgentContext,
  tally: VerifyTally,
  signal: AbortSignal,
): Promise<void> {
  const { client } = context;
  const readable = judgeAll(await listSnapshots(client, await fetchConfirmedRoster(context)), tally);
  tally.begin('catalogs');
  for (const { manifest, snapshotId } of readable) {
    if (signal.aborted) throw new CofreError('interrupted');
    for await (const received of client.readChunks(manifest.domainId, [manifest.catalogRoot])) {
      const code = problemOfRoot(received, manifest.catalogRoot);
      if (code !== null) tally.finding(code, snapshotId, 'the root of its catalog cannot be read');
    }
    tally.snapshotDone();
  }
}

function problemOfRoot({ status, blob }: ReceivedChunk, root: ChunkId): CatalogProblemCode | null {
  if (status !== 'found') return status === 'missing' ? 'catalog_missing' : 'catalog_damaged';
  try {
    return readBlobHeader(blob).chunkId === root ? null : 'catalog_damaged';
  } catch (error) {
    if (!(error instanceof CofreError)) throw error;
    return error.code === 'unknown_format' ? 'catalog_unknown_format' : 'catalog_damaged';
  }
}

/** Tells what is wrong with snapshots and their chains; gives those whose content can be looked at. */
function judgeAll(snapshots: readonly Snapshot[], tally: VerifyTally): ReadableSnapshot[] {
  const readable: ReadableSnapshot[] = [];
  tally.begin('snapshots', snapshots.length);
  for (const snapshot of snapshots) {
    const { standing, manifest, snapshotId, problem, error } = snapshot;
    if (standing === 'unreadable') {
      const isLater = error?.code === 'unknown_format';
      tally.finding(isLater ? 'snapshot_unknown_format' : 'snapshot_unreadable', snapshotId, problem);
    }
    if (standing === 'unconfirmed') tally.finding('snapshot_unconfirmed', snapshotId, problem);
    const hasContent = snapshot.state !== 'gone';
    if (standing === 'confirmed' && manifest !== null && hasContent) readable.push({ ...snapshot, manifest });
    else tally.snapshotDone();
  }
  for (const { code, snapshotId, detail } of checkChains(snapshots)) tally.finding(code, snapshotId, detail);
  return readable;
}

function groupByDomain(snapshots: readonly ReadableSnapshot[]): Map<string, ReadableSnapshot[]> {
  return Map.groupBy(snapshots, ({ manifest }) => manifest.domainId);
}
