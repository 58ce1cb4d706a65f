import { CofreError } from '@cofre/shared/errors';
import { decodeManifest, type Manifest, type SnapshotKind } from '@cofre/shared/format/envelope/manifest';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import type { SetId, SnapshotId } from '@cofre/shared/ids';
import type { SessionHead } from '@cofre/shared/wire/sessions';
import type { AgentContext } from '../state/agent-context.ts';
import type { SetCacheReader } from './cache/set-cache.ts';

/** What a run turns out to be, once it is known what there is to compare with. */
export interface RunKind {
  readonly kind: SnapshotKind;
  readonly base: SnapshotId | null;
  /** Every file is read again; what an interrupted run read does not count either. */
  readonly readsEverything: boolean;
  /** There is no complete snapshot of the set yet: checkpoints hide nothing from anybody. */
  readonly isFirst: boolean;
  /** Files of the checkpoint that is the head; 0 where it is none. */
  readonly filesOfCheckpoint: number;
}

export interface KindParts {
  readonly asked: SnapshotKind;
  readonly head: SessionHead | null;
  readonly setId: SetId;
  readonly last: SetCacheReader | null;
  /** Of a differential run. */
  readonly full: SetCacheReader | null;
}

/**
 * The first snapshot of a set is always a full one, and so is a differential run when this computer does not know
 * (any more) what it read in the last full one.
 */
export async function decideKind(context: AgentContext, parts: KindParts): Promise<RunKind> {
  const { asked, head, last, full } = parts;
  // The cache is only written with complete snapshots.
  const checkpoint =
    head === null || last?.head.snapshotId === head.snapshotId
      ? null
      : await findCheckpoint(context, parts.setId, head.snapshotId);
  const isFirst = head === null || checkpoint !== null;
  const filesOfCheckpoint = checkpoint?.statistics.files ?? 0;
  if (isFirst) {
    const readsEverything = asked === 'full' && last !== null;
    return { kind: 'full', base: null, readsEverything, isFirst, filesOfCheckpoint };
  }
  const kind = asked === 'differential' && full === null ? 'full' : asked;
  const bases = { full: null, incremental: head.snapshotId, differential: full?.head.snapshotId ?? null };
  return { kind, base: bases[kind], readsEverything: kind === 'full', isFirst, filesOfCheckpoint };
}

/** The head's manifest, if this device signed it as a checkpoint. */
async function findCheckpoint(
  { client, identity }: AgentContext,
  setId: SetId,
  headId: string,
): Promise<Manifest | null> {
  for await (const { snapshotId, manifest } of client.snapshots({ set: setId, device: identity.deviceId })) {
    if (snapshotId !== headId) continue;
    try {
      const object = Buffer.from(manifest, 'base64');
      const head = decodeManifest(openSignedObject(object, 'manifest', identity.signingKey.publicKey));
      return head.isComplete ? null : head;
    } catch (error) {
      // Of what cannot be read we know nothing: no checkpoint takes its place.
      if (error instanceof CofreError) return null;
      throw error;
    }
  }
  return null;
}
