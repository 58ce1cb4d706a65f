import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { CHUNK_ID_BYTES, type SetId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { Session } from '@cofre/shared/wire/sessions';
import type { AgentContext } from '../state/agent-context.ts';
import type { BackupOptions } from './backup.ts';
import type { EntryFile } from './cache/entry-file.ts';
import { SetCacheReader } from './cache/set-cache.ts';
import {
  dropJournal,
  journalFilesOf,
  setFilesIn,
  takeUpJournal,
  type JournalFiles,
  type SetFiles,
} from './cache/set-files.ts';
import { CHUNK_STATES, isThere, type ChunkTable } from './pipeline/chunk-table.ts';
import type { Deduplicator } from './pipeline/deduplicator.ts';
import { decideKind, type RunKind } from './run-kind.ts';

/** What is left on this computer of the runs before this one, and what this one is therefore. */
export interface PreviousRun {
  readonly files: SetFiles;
  readonly journalFiles: JournalFiles;
  readonly kind: RunKind;
  readonly last: SetCacheReader | null;
  /** Only for a differential run. */
  readonly full: SetCacheReader | null;
  readonly journal: EntryFile | null;
  /** The last run's cache belongs to the set's newest snapshot on the server: the refset is told as a change of it. */
  readonly isOfHead: boolean;
  readonly close: () => void;
}

/** @param isResumed the same run was tried before: what it read then counts, whatever its kind */
export async function openPreviousRun(
  context: AgentContext,
  { kind: asked }: Pick<BackupOptions, 'kind'>,
  { session: { head }, setId }: { readonly session: Session; readonly setId: SetId },
  isResumed: boolean,
): Promise<PreviousRun> {
  const files = setFilesIn(context.cacheFolder, setId);
  const last = SetCacheReader.open(files.lastRun);
  const full = asked === 'differential' ? SetCacheReader.open(files.lastFull) : null;
  const kind = await decideKind(context, { asked, head, setId, last, full });
  const journalFiles = journalFilesOf(files, kind.kind);
  if (kind.readsEverything && !isResumed) dropJournal(journalFiles);
  const journal = takeUpJournal(journalFiles);
  const isOfHead = last !== null && isCacheOf(last, head);
  const close = (): void => {
    for (const file of [last, full, journal]) file?.close();
  };
  return { files, journalFiles, kind, last, full, journal, isOfHead, close };
}

/**
 * Finds out which chunks of earlier runs are on the server. Where the cache belongs to the head that the session holds,
 * its chunks are live without asking; of everything else (a lost answer, an old copy of the state, an interrupted run)
 * the server is asked. What it names as damaged counts as missing, whatever else is said of it.
 * @param trustsHead false when the server is to be asked in any case
 */
export async function learnWhatIsThere(
  { last, full, journal, isOfHead }: PreviousRun,
  { head }: Session,
  table: ChunkTable,
  deduplicator: Deduplicator,
  trustsHead: boolean,
): Promise<void> {
  const { held, live, missing } = CHUNK_STATES;
  if (head !== null) markAll(table, Buffer.from(head.damaged, 'base64'), missing);
  table.reserve(last?.head.refsetCount ?? 0);
  for (const part of last?.refsetParts() ?? []) {
    if (isOfHead) markAll(table, part, trustsHead ? held | live : held);
    if (!isOfHead || !trustsHead) await deduplicator.learn(part);
  }
  for (const part of full?.refsetParts() ?? []) await deduplicator.learn(unknownIn(table, part));
  for (const part of chunksIn(journal)) await deduplicator.learn(unknownIn(table, part));
}

function isCacheOf({ head: cached }: SetCacheReader, head: Session['head']): boolean {
  const { refsetState, refsetCount, snapshotId } = cached;
  return (
    head?.snapshotId === snapshotId &&
    head.refsetCount === refsetCount &&
    head.refsetDigest === RefsetHash.fromState(refsetState, refsetCount).digest().toString('hex')
  );
}

function markAll(table: ChunkTable, ids: Buffer, states: number): void {
  for (let offset = 0; offset < ids.length; offset += CHUNK_ID_BYTES) table.markAt(ids, offset, states);
}

function unknownIn(table: ChunkTable, ids: Buffer): Buffer {
  const unknown: Buffer[] = [];
  for (let offset = 0; offset < ids.length; offset += CHUNK_ID_BYTES) {
    if (!isThere(table.stateAt(ids, offset))) unknown.push(ids.subarray(offset, offset + CHUNK_ID_BYTES));
  }
  return Buffer.concat(unknown);
}

/** The chunks of what an interrupted run read, as many as one question takes at a time. */
function* chunksIn(journal: EntryFile | null): Generator<Buffer> {
  let ids: string[] = [];
  let lastId = '';
  for (const { slices } of journal?.entries() ?? []) {
    for (const { chunkId } of slices) {
      if (chunkId !== lastId) ids.push(chunkId);
      lastId = chunkId;
    }
    if (ids.length < LIMITS.haveIdsMax) continue;
    yield Buffer.from(ids.join(''), 'hex');
    ids = [];
  }
  if (ids.length > 0) yield Buffer.from(ids.join(''), 'hex');
}
