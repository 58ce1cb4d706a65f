import { CofreError } from '@cofre/shared/errors';
import { decodeManifest, type Manifest } from '@cofre/shared/format/envelope/manifest';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { CommitHead, StagedPart } from '../index/commits.store.ts';
import { mergeStates } from '../index/refset-states.ts';
import type { Caller } from '../vault.ts';

/**
 * The manifest that a device signed, when it is its own and of this tenant.
 * @throws CofreError `too_large`, `untrusted`, `unknown_format`, `damaged`, `invalid_request`
 */
export function openManifest(tenantId: TenantId, caller: Caller, object: Buffer): Manifest {
  if (object.length > LIMITS.manifestBytesMax) {
    throw new CofreError('too_large', { what: 'A manifest', limit: `${LIMITS.manifestBytesMax} bytes` });
  }
  const manifest = decodeManifest(
    openSignedObject(object, 'manifest', Buffer.from(caller.signingKey, 'hex')),
  );
  requireSame('tenant', manifest.tenantId, tenantId);
  requireSame('device', manifest.deviceId, caller.deviceId);
  return manifest;
}

/** @throws CofreError `invalid_request` when a manifest names something else than the session is for */
export function requireSame(what: string, inManifest: string, expected: string): void {
  if (inManifest !== expected) {
    throw new CofreError('invalid_request', { problem: `the manifest is of another ${what}` });
  }
}

export interface Refset {
  readonly state: Buffer;
  readonly count: number;
}

/** The refset that the staged parts lead to: from the head on, or from nothing when they are the whole of it. */
export function refsetAfter(
  head: CommitHead | null,
  parts: readonly StagedPart[],
  refs: 'full' | 'delta',
): Refset {
  const start = refs === 'delta' ? head : null;
  const state = start === null ? RefsetHash.empty().state() : Buffer.from(start.refsetState);
  let count = start?.refsetCount ?? 0;
  for (const part of parts) {
    if (refs === 'full' && part.mode === 'remove') {
      throw new CofreError('invalid_request', { problem: 'ids to remove were sent with a whole refset' });
    }
    const sign = part.mode === 'add' ? 1 : -1;
    mergeStates(state, part.hashState, sign);
    count += sign * part.count;
  }
  return { state, count };
}

/** @throws CofreError `refset_mismatch` */
export function requireRefset(manifest: Manifest, refset: Refset): void {
  if (refset.count !== manifest.refset.count) {
    const problem = `${refset.count} pieces instead of ${manifest.refset.count}`;
    throw new CofreError('refset_mismatch', { problem });
  }
  const digest = RefsetHash.fromState(refset.state, refset.count).digest().toString('hex');
  if (digest !== manifest.refset.digest) {
    throw new CofreError('refset_mismatch', { problem: 'the set hashes differ' });
  }
}
